"""What counts as wrong: the one place where it is decided.

- A run without answers: a question is wrong when none of the first `read` hits answers it (`eval.failures.gold`). That is what a generator
  would read.
- A run with answers: an unanswerable question is wrong when it was answered. An answerable one is wrong when it was refused, when its
  answer is wrong, or when its answer is right and no citation points at what answers it.
- An answer is wrong when its `measure` is below `at_least` and it lacks a name of every expected answer, or when it has less than half of the numbers of every expected answer, or
  half of them and others in their place: words alone would let `54.4 million, 18.7 percent` pass for `56.7 million, 18.7 percent`. An
  answer in another language than the expected one is judged by the numbers only. Where the expected answer is the name of a judged
  file (a picture that is looked for), citing it is the right answer. Another measure, say that of a judge, decides alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.failures.carries import in_chinese, number_share, numbers
from eval.metrics.answer_recall import answer_recall
from eval.metrics.answer_text import without_markers
from rag.errors import BadRequest
from rag.retrieval.claims import names
from rag.retrieval.quantities import missing

READ = 5
RERANK_REACH = 30
_LATIN = re.compile(r"[A-Za-z]{2}")
NUMBERS = 0.5
"""Least share of an expected answer's numbers."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`read` is k: the hits that a generator gets. `reach` is how many hits a reranker looks at."""

    read: int = READ
    reach: int = RERANK_REACH
    measure: str = "answer_recall"
    at_least: float = 0.5

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Rule:
        """The rule that fits a system, from its settings where it tells them."""
        settings = config.get("settings", {})
        read = settings.get("generator", {}).get("passages", READ)
        reach = settings.get("retrieval", {}).get("rerank_depth", RERANK_REACH)
        return cls(int(read), int(reach))

    @property
    def own_measure(self) -> bool:
        return self.measure == "answer_recall"


def parse_answer(given: str) -> tuple[str, float | None]:
    """`token_f1:0.4` as measure and threshold; nothing for an empty text. Raises BadRequest."""
    if not given:
        return "", None
    name, _, number = given.rpartition(":")
    try:
        at_least = float(number)
    except ValueError:
        at_least = -1.0
    if not name or not 0 <= at_least <= 1:
        raise BadRequest(
            f"{given!r} does not say when an answer is right.", "Write MEASURE:AT_LEAST, as in token_f1:0.4."
        )
    return name, at_least


def answer_is_right(question: str, answer: str, expected: Sequence[str], at_least: float) -> bool | None:
    """By words and numbers; None where they cannot tell (nothing is expected, or it is worded in another language)."""
    verdicts = [_right(question, without_markers(answer), one, at_least) for one in expected]
    if any(verdicts):
        return True
    return None if not verdicts or None in verdicts else False


def _right(question: str, answer: str, expected: str, at_least: float) -> bool | None:
    wanted = numbers(expected)
    share = number_share(expected, answer)
    # With another number in its place, half is not enough.
    others = missing(answer, wanted | numbers(question))
    if share < NUMBERS or (share == NUMBERS and others):
        return False
    if wanted and share == 1 and in_chinese(expected) and _LATIN.search(expected):
        # `2.4 million yuan (240 万元)` is worded twice: an answer in either language has half of the words.
        return True
    if in_chinese(answer) != in_chinese(expected):
        # An English name is expected in a Chinese answer, too.
        verbatim = in_chinese(question) and not in_chinese(expected)
        if not verbatim:
            return True if wanted else None
    named = names(expected)
    if named and named <= names(answer):
        return True
    return answer_recall(answer, [expected]) >= at_least
