"""Evidence read: how much of what answers a question reached the generator, within the tokens that it may read.

    evidence_read = |labelled quotes that the generator was given| / |labelled quotes|
    answer_read   = 1 if the passages it was given carry an expected answer, else 0

What chunks of different sizes, and passages that are matched small and read large, are compared by: the first five chunks of 400 tokens hold more
than the first five of 100, but what is read is the same number of tokens (`generator.passage_tokens`). A quote counts as given
when its words stand there one after the other, or NEARLY all of them anywhere: recognised text and tables are seldom letter by
letter what was quoted.
"""

from __future__ import annotations

from collections.abc import Collection

from eval.failures.carries import carries, literally, word_share
from eval.failures.gold import NEARLY


def evidence_read(quotes: Collection[str], read: str) -> float | None:
    """In [0, 1]; None without a quote. `read` is everything that the generator was given, without the question."""
    if not quotes:
        return None
    return sum(literally(quote, read) or word_share(quote, read) >= NEARLY for quote in quotes) / len(quotes)


def answer_read(answers: Collection[str], read: str) -> float | None:
    """0 or 1, by words and numbers (eval/failures/carries.py); None without an expected answer."""
    return float(any(carries(answer, read) for answer in answers)) if answers else None
