"""METEOR: words matched exactly, then by stem; recall weighs nine times precision, and scattered matches lose up to half.

    METEOR = (1 − 0.5 · (chunks / matches)³) · P · R / (0.9 · P + 0.1 · R)

Lavie and Agarwal, "METEOR: an automatic metric for MT evaluation with high levels of correlation with human judgments" (WMT 2007),
computed by nltk; the best over the expected answers. WordNet's synonyms, its third way of matching, are left out: their data are
a download that not every machine can make, and a figure must not depend on the machine. Published figures with synonyms are
therefore a little higher. Words as in ROUGE, Chinese cut into words. One matched word is one chunk: a right answer of one
word scores .5, of two words .94.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.metrics.answer_text import without_markers
from eval.metrics.extra import needed_for
from eval.metrics.segmented import plain_words


def meteor(answer: str, expected: Sequence[str]) -> float:
    """In [0, 1). Raises ExtraMissing."""
    with needed_for("meteor"):
        from nltk.translate.meteor_score import single_meteor_score
    given = plain_words(without_markers(answer))
    scores = (single_meteor_score(plain_words(without_markers(one)), given, wordnet=_NoSynonyms()) for one in expected)
    return max(map(float, scores), default=0.0)


class _NoSynonyms:
    """A WordNet that knows no word."""

    def synsets(self, _: str) -> list[Any]:
        return []
