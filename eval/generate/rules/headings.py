"""Headings: those that are questions are asked as they stand; others ask what the document says about them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.wording import HAN, bare, has_letters, length, say
from rag.words import sentence_spans

_ASKS_EN = re.compile(
    r"^(?:how|what|why|when|where|who|whom|which|can|do|does|is|are|should|may|must)\b.*\?$", re.IGNORECASE
)
_ASKS_ZH = re.compile(r"^(?:如何|怎样|怎么|为什么|为何|什么是|何时|谁)|[？?]$")
_IF_EN = re.compile(r"^if\s+(?P<case>.+)$", re.IGNORECASE)
_CASE_ZH = re.compile(r"^.{2,20}(?:以后|之后|的时候|时|怎么办)$")

_EMPTY = frozenset(
    "introduction summary contents overview references appendix conclusion background general notes note purpose scope home "
    "highlights abstract acknowledgments acknowledgements foreword preface figures tables index glossary findings analysis "
    "message definition definitions details discussion results other results exercises agenda questions figure table see also "
    "目录 概述 简介 前言 小结 总结 摘要 引言 参考文献 附录 说明 背景 练习 讨论 其他 结论 注意 示例 定义 正文 介绍 图 表 讨论 后记".split()
)
_LEAD_MAX = 45
# A sentence that only leads to what the section says is no answer to the question what it says.
_LEADS_IN = re.compile(
    r"^(?:任何|很多时候|假设|首先|作为|接下来|我们|让我们|简单来说|为了|如前|上文|前面|下面|以下|本[节章小]|在[这本][一节章]|前文|众所周知|通常)|"
    r"^(?:in this|this (?:section|chapter|part|appendix|table|figure)|the following|let us|let's|suppose|assume|as (?:mentioned|described|"
    r"discussed|noted)|below|above|see|for example|we will|here)\b|[:：]$|\bas follows\b|\bthe following\b|(?:以下|如下|下列)[^。]{0,10}。?$",
    re.IGNORECASE,
)


def headings(passage: SourcePassage) -> Iterator[Candidate]:
    """At most one question for a passage that begins with its own heading."""
    if passage.kind == "image" or not passage.headings:
        return
    heading = bare(passage.headings[-1])
    start = _after(passage.text, passage.headings)
    if start is None or not _worth_asking(heading, passage):
        return
    span = _lead(passage.text, start)
    if span is None:
        return
    answer = " ".join(passage.text[span[0] : span[1]].split())
    yield Candidate(_question(heading, passage), answer, "heading", passage, span)


def _question(heading: str, passage: SourcePassage) -> str:
    if passage.language == "zh":
        if _ASKS_ZH.search(heading):
            return heading.rstrip("?？") + "？"
        if _CASE_ZH.match(heading):
            return f"{heading.removesuffix('怎么办').rstrip('，')}，该怎么办？"
        return say("zh", "heading", heading=heading, called=passage.called)
    if _ASKS_EN.match(heading):
        return heading
    if case := _IF_EN.match(heading):
        return f"What should be done if {case['case']}?"
    return say("en", "heading", heading=heading, called=passage.called)


def _worth_asking(heading: str, passage: SourcePassage) -> bool:
    if not has_letters(heading) or heading.casefold() in _EMPTY or heading == passage.called:
        return False
    if re.search(r"\s\d+\.\d+[.\d]*\s", heading):
        return False  # a number whose words went elsewhere
    if re.match(r"(?:table|figure|exhibit|图|表)\s*\d", heading, re.IGNORECASE) or re.search(
        r"\.{2,}|\.\d+$|[|=]", heading
    ):
        return False
    if passage.language == "zh":
        return len(HAN.findall(heading)) + len(re.findall(r"[A-Za-z]+", heading)) >= 3 and len(heading) <= 30
    words = heading.split()
    letters = [character for character in heading if character.isalpha()]
    shouted = sum(character.isupper() for character in letters) > 0.7 * len(letters)
    return 2 <= len(words) <= 12 and not shouted


def _after(text: str, path: tuple[str, ...]) -> int | None:
    """Where the text goes on below the heading; None when the passage does not begin with it."""
    at = text.find(path[-1])
    before = text[:at].strip() if at >= 0 else "…"
    return at + len(path[-1]) if before in {"", *path} or before == "\n\n".join(path[:-1]) else None


def _lead(text: str, start: int) -> tuple[int, int] | None:
    """The first sentence, and the second when the first is short. None where there is no whole sentence."""
    spans = [(start + a, start + b) for a, b in sentence_spans(text[start:])]
    if not spans or not re.search(r"[.!。！；;][”’」』）)\"']*$", text[spans[0][0] : spans[0][1]]):
        return None
    first, last = spans[0]
    if mark := re.match(r"(?:[-•*]|\d+[.)、])\s+", text[first:last]):
        first += mark.end()
    if (
        "|" in text[first:last]
        or _LEADS_IN.search(text[first:last])
        or not 5 <= length(text[first:last]) <= _LEAD_MAX
        or re.match(r"[a-z]", text[first:last])
    ):
        return None
    if len(spans) > 1 and length(text[first:last]) < 12:
        following = text[first : spans[1][1]]
        if length(following) <= _LEAD_MAX and "|" not in following and "\n\n" not in text[last : spans[1][0]]:
            last = spans[1][1]
    return first, last
