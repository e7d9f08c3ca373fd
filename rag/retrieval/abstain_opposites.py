"""Words and their opposites, beside the comparisons of rag/retrieval/directions.py: `rural` for `urban`, `unknown` for `known`."""

from __future__ import annotations

import re

_OPPOSITES = (
    ("old", "new"), ("newer", "older"), ("newest", "oldest"), ("early", "late"), ("long", "short"), ("large", "small"), ("high", "low"),
    ("north", "south"), ("northern", "southern"), ("east", "west"), ("eastern", "western"), ("begin", "end"), ("began", "ended"),
    ("start", "finish"), ("started", "ended"), ("open", "close"), ("opened", "closed"), ("good", "bad"), ("strong", "weak"),
    ("positive", "negative"), ("male", "female"), ("men", "women"), ("inside", "outside"), ("internal", "external"), ("public", "private"),
    ("rich", "poor"), ("hot", "cold"), ("warm", "cool"), ("light", "dark"), ("light", "heavy"), ("accept", "reject"), ("accepted", "rejected"),
    ("support", "oppose"), ("supported", "opposed"), ("buy", "sell"), ("bought", "sold"), ("major", "minor"), ("majority", "minority"),
    ("maximum", "minimum"), ("always", "never"), ("common", "rare"), ("legal", "illegal"), ("agree", "disagree"), ("easy", "difficult"),
    ("fast", "slow"), ("wide", "narrow"), ("deep", "shallow"), ("enter", "leave"), ("import", "export"), ("imports", "exports"),
    ("create", "destroy"), ("created", "destroyed"), ("built", "destroyed"), ("join", "leave"), ("joined", "left"), ("attack", "defend"),
    ("success", "failure"), ("friend", "enemy"), ("domestic", "foreign"), ("native", "foreign"), ("upper", "lower"), ("front", "back"),
    ("left", "right"), ("top", "bottom"), ("tallest", "shortest"), ("hard", "soft"), ("simple", "complex"), ("active", "passive"),
    ("many", "few"), ("more", "fewer"), ("war", "peace"), ("ancient", "modern"), ("urban", "rural"), ("primary", "secondary"),
    ("all", "some"), ("arrived", "left"), ("arrive", "depart"), ("appointed", "dismissed"), ("born", "died"), ("birth", "death"),
    ("teacher", "student"), ("parent", "child"), ("input", "output"), ("full", "empty"), ("finite", "infinite"), ("even", "odd"),
    ("increase", "reduce"), ("increased", "reduced"), ("add", "remove"), ("added", "removed"), ("help", "harm"), ("helped", "hindered"),
    ("different", "same"), ("together", "apart"), ("present", "absent"), ("with", "without"), ("freedom", "slavery"), ("hate", "love"),
    ("内", "外"), ("男", "女"), ("东", "西"), ("南", "北"), ("公开", "保密"), ("进口", "出口"), ("买入", "卖出"), ("成功", "失败"), ("支持", "反对"),
    ("开始", "结束"), ("增加", "减少"), ("出生", "去世"), ("城市", "农村"), ("古代", "现代"), ("主要", "次要"), ("国内", "国外"), ("内部", "外部"),
)  # fmt: skip
_OPPOSITE: dict[str, set[str]] = {}
for _one, _other in _OPPOSITES:
    _OPPOSITE.setdefault(_one, set()).add(_other)
    _OPPOSITE.setdefault(_other, set()).add(_one)
_PREFIXED = re.compile(r"\b(?:un|in|im|dis|non|ir|il)-?([a-z]{4,})", re.IGNORECASE)


def opposite_there(asked: frozenset[str], near: frozenset[str]) -> bool:
    """A word of the question that the sentences lack, whose opposite they have: `rural` for `urban`, `unknown` for `known`."""

    def stripped(there: frozenset[str]) -> set[str]:
        return {match.group(1) for word in there if (match := _PREFIXED.fullmatch(word))}

    if any(_OPPOSITE.get(word, set()) & near for word in asked - near):
        return True
    return bool((stripped(asked - near) & near) - asked) or bool((asked - near) & (stripped(near - asked)))
