"""Comparisons turned round: `more than` for `less than`, 高于 for 低于."""

from __future__ import annotations

import re

from rag.words import normalise

_PAIRS = (
    ("more|greater|larger|bigger", "less|fewer|smaller"), ("higher|highest", "lower|lowest"), ("above|over|exceeds?|exceeded", "below|under"),
    ("increas\\w+|rises?|rose|risen|grow|grew|grown|growing", "decreas\\w+|declin\\w+|falls?|fell|fallen|drop\\w*|shrank|shrink\\w*"),
    ("largest|biggest|greatest", "smallest|least"), ("most", "least|fewest"), ("maximum|at most", "minimum|at least"), ("before|prior to|until", "after|since"),
    ("first|earliest", "last|latest"), ("oldest|older", "youngest|younger|newest"), ("longer|longest", "shorter|shortest"),
    ("earlier", "later"), ("faster|fastest", "slower|slowest"), ("better|best", "worse|worst"), ("north\\w*", "south\\w*"), ("east\\w*", "west\\w*"),
    ("gain\\w*|profits?", "loss\\w*|lost|loses?"), ("won|wins?", "lost|loses?"), ("allow\\w*|permit\\w*", "forbid\\w*|forbidden|prohibit\\w*|ban(?:ned|s)?"),
    ("高于|超过|大于|多于|以上|逾", "低于|不到|小于|少于|以下|不足"), ("增加|上升|增长|提高|上涨|扩大", "减少|下降|降低|下跌|缩小|缩减"), ("最大", "最小"), ("最高", "最低"),
    ("最长", "最短"), ("最多|至多", "最少|至少"), ("之前|以前", "之后|以后"), ("最早", "最晚|最迟"), ("早于", "晚于"), ("快于", "慢于"), ("赢得|获胜|战胜", "输给|败给|落败"),
    ("允许|可以", "禁止|不得"), ("盈利", "亏损"),
)  # fmt: skip


def _compiled(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b" if words.isascii() else rf"(?:{words})")


_COMPILED = tuple((_compiled(one), _compiled(other)) for one, other in _PAIRS)


def turned(claim: str, source: str) -> bool:
    """The claim has one side of a pair and not the other, where the source has the other and not the one.

    A source that has both is no evidence: `rose from the lowest level` says neither that it fell.
    """
    claim, source = normalise(claim), normalise(source)
    for one, other in _COMPILED:
        for said, opposite in ((one, other), (other, one)):
            if (
                said.search(claim)
                and not opposite.search(claim)
                and opposite.search(source)
                and not said.search(source)
            ):
                return True
    return False
