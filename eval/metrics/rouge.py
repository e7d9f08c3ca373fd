"""ROUGE: overlap of words (1), of word pairs (2), or of the longest common subsequence (L), as F1.

    ROUGE-N = F1 of the n-gram counts;   ROUGE-L = 2PR / (P + R),  P = lcs / |answer|,  R = lcs / |expected|

Lin, "ROUGE: a package for automatic evaluation of summaries" (2004), computed by rouge-score; the best over the expected answers.
Words are in lower case and without punctuation, as there, not stemmed; Chinese is cut into words, which
rouge-score by itself throws away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eval.metrics.answer_text import without_markers
from eval.metrics.extra import needed_for
from eval.metrics.segmented import plain_words


def rouge1(answer: str, expected: Sequence[str]) -> float:
    """Words in common. In [0, 1]. Raises ExtraMissing."""
    return _f1("rouge1", answer, expected)


def rouge2(answer: str, expected: Sequence[str]) -> float:
    """Pairs of neighbouring words in common: 0 for an expected answer of one word. In [0, 1]. Raises ExtraMissing."""
    return _f1("rouge2", answer, expected)


def rouge_l(answer: str, expected: Sequence[str]) -> float:
    """Words in common in the same order. In [0, 1]. Raises ExtraMissing."""
    return _f1("rougeL", answer, expected)


def _f1(kind: str, answer: str, expected: Sequence[str]) -> float:
    if not expected:
        return 0.0
    found = _scorer(kind).score_multi([without_markers(one) for one in expected], without_markers(answer))
    return float(found[kind].fmeasure)


class _Words:
    """What rouge-score calls a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return plain_words(text)


@lru_cache(maxsize=3)
def _scorer(kind: str) -> Any:
    with needed_for("rouge"):
        from rouge_score.rouge_scorer import RougeScorer
    return RougeScorer([kind], tokenizer=_Words())
