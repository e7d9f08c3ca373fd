"""Token F1: the overlap of answer and expected answer as bags of words.

    F1 = 2PR / (P + R),  P = |common| / |answer|,  R = |common| / |expected|      (with multiplicity)

Rajpurkar et al., "SQuAD" (2016); the best over the expected answers. Chinese words are those of `rag.words`, so the
figures are not those of CMRC's script, which counts characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eval.metrics.answer_text import answer_words


def token_f1(answer: str, expected: Sequence[str]) -> float:
    """In [0, 1]; 1 only for the same words."""
    given = Counter(answer_words(answer))
    return max((_f1(given, Counter(answer_words(one))) for one in expected), default=0.0)


def _f1(given: Counter[str], wanted: Counter[str]) -> float:
    common = (given & wanted).total()
    return 2 * common / (given.total() + wanted.total()) if common else 0.0
