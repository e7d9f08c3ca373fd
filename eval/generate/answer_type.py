"""Whether an answer is of the kind that its question asks for: a number for “how many”, a time for “when”, a list for “which are”.

Small generators choose a fact first and then ask for something else; about a third of their mistakes shows in this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eval.generate.wording import length

_NUMBER_WORDS = (
    r"\d|[一二三四五六七八九十百千万亿两零半〇]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|"
    r"forty|fifty|hundred|thousand|million|billion|half|once|twice|zero|none|no|a|an|single|quarter|third|dozen)\b"
)
_TIME_WORDS = (
    r"\d|[年月日时点周]|春|夏|秋|冬|早|晚|前|后|\b(?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter|noon|midnight|morning|evening|"
    r"night|day|week|month|year|century|always|never|daily|weekly|monthly|annually|every|before|after|when|until|during|within|"
    r"immediately|upon|at)\b"
)
_SEVERAL = r"[、,，;；/\n]|和|与|及|\band\b|\bor\b"


@dataclass(frozen=True, slots=True)
class _Type:
    asked: re.Pattern[str]
    answer: re.Pattern[str] | None = None
    shortest: int = 1
    """Words that the answer has at least."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_TYPES = (
    _Type(_pattern(r"\bhow (?:many|much)\b|多少|[有共]几|几[个次天年月人岁种]"), _pattern(_NUMBER_WORDS)),
    _Type(
        _pattern(
            r"^when\b|\b(?:in|on) (?:which|what) (?:year|date|month|day)\b|什么时候|何时|哪一?年|哪一?天|哪个月|几月"
        ),
        _pattern(_TIME_WORDS),
    ),
    _Type(_pattern(r"^why\b|为什么|为何|什么原因"), shortest=4),
    _Type(
        _pattern(r"\bwhat (?:\w+ )?(?:are|were) the\b|\bwhich (?:\w+ ){1,3}(?:are|were)\b|哪些|哪几"),
        _pattern(_SEVERAL),
        2,
    ),
    _Type(_pattern(r"^how (?:do|does|did|can|should|is|are|was|were)\b|怎么办|怎样|如何|怎么做"), shortest=2),
    _Type(_pattern(r"^who\b|谁"), _pattern(r"[^\W\d_]")),
)


def fits(question: str, answer: str) -> bool:
    """False where the answer cannot be one to the question."""
    for one in _TYPES:
        if one.asked.search(question):
            return length(answer) >= one.shortest and (one.answer is None or bool(one.answer.search(answer)))
    return True
