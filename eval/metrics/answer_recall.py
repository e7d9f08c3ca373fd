"""Answer recall: the share of the words of an expected answer that the answer contains.

    R = |common| / |expected|      (with multiplicity), the best over the expected answers

The recall half of token F1. It does not punish an answer for being a sentence, and so compares extractive and
generated answers fairly; it also does not punish an answer for saying too much: read it beside token F1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eval.metrics.answer_text import answer_words


def answer_recall(answer: str, expected: Sequence[str]) -> float:
    """In [0, 1]."""
    given = Counter(answer_words(answer))
    wanted = [counts for one in expected if (counts := Counter(answer_words(one)))]
    return max(((given & counts).total() / counts.total() for counts in wanted), default=0.0)
