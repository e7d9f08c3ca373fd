"""Exact match: whether the answer is one of the expected answers, word for word after normalisation.

Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016); the best over the expected answers.
An answer in a whole sentence never matches a short expected answer: read it beside token F1 and answer recall.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.answer_text import answer_words


def exact_match(answer: str, expected: Sequence[str]) -> float:
    """0 or 1."""
    given = answer_words(answer)
    return float(bool(given) and any(given == answer_words(one) for one in expected))
