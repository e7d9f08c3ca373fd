"""chrF: overlap of character n-grams, forgiving to inflection and to the segmentation of Chinese.

    chrF = (1 + β²) · P · R / (β² · P + R),   β = 2

P and R are precision and recall of character n-grams, averaged over n = 1…6, white space left out. Popović, "chrF: character n-gram
F-score for automatic MT evaluation" (WMT 2015), computed by sacrebleu, on a scale to 1; the best over the expected answers.
Spaces play no part, so Chinese needs no segmentation here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eval.metrics.answer_text import without_markers
from eval.metrics.extra import needed_for


def chrf(answer: str, expected: Sequence[str]) -> float:
    """In [0, 1]; 0 without an answer or an expected one. Raises ExtraMissing."""
    references = [without_markers(one).strip() for one in expected]
    if not any(references):
        return 0.0
    return float(_scorer().sentence_score(without_markers(answer).strip(), references).score) / 100


@lru_cache(maxsize=1)
def _scorer() -> Any:
    with needed_for("chrf"):
        from sacrebleu.metrics.chrf import CHRF
    return CHRF()
