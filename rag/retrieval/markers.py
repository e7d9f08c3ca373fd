"""Markers in an answer's text: read, put with the words they vouch for, and written as `[1][2]`."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from rag.language import language_of
from rag.words import content_words, sentence_spans

_MARKER = re.compile(r"[ \t]*[\[【［]\s*(\d{1,2}(?:\s*[,，、;；\-–—~]\s*\d{1,2})*)\s*[\]】］](?!\()")
_ONE = r"[\[【［]\s*\d{1,2}(?:\s*[,，、;；\-–—~]\s*\d{1,2})*\s*[\]】］](?!\()"
_NAMED = re.compile(r"([\[【［])\s*(?:passages?|sources?|片段|来源)\s*(?=\d[^\[\]【】［］]*[\]】］])", re.IGNORECASE)
_LISTED = re.compile(rf"({_ONE})\s*(?:[,，、;；&]|\band\b|和|及|与)\s*(?={_ONE})", re.IGNORECASE)
_IN_BRACKETS = re.compile(
    rf"\s*[(（]\s*(?:see|in|from|source|见|参见|来自|来源|依据)?[:：]?\s*(?:passages?|片段)?\s*((?:\s*{_ONE})+)\s*[)）]",
    re.IGNORECASE,
)
_SAYING = r"specified|stated|found|mentioned|provided|described|given|based|taken|listed|shown|cited|comes?"
_POINTED_AT = re.compile(
    # A sentence at the end of a line that says no more than where this stands, or the end of one.
    rf"(?:(?P<whole>(?<=[.!?\]])\s+(?:This|These|It|The (?:information|answer|details?))\b(?:\s\w+){{0,4}}?\s(?:{_SAYING})(?:\s\w+){{0,5}}?)"
    rf"|,?\s+(?:according to|as (?:{_SAYING}|per)(?: in| by)?)(?: the \w+ (?:in|of))?)"
    rf"\s(?:the )?passages?\s*(?P<markers>(?:\s*{_ONE})+)(?:\s?(?:from|of) [^\n\[\]]*)?(?P<stop>\.?)[ \t]*$"
    rf"|(?<=[。！？\]】])(?:以上|该|此|这些?)?(?:信息|内容|答案)?(?:来自|出自|参?见)片段\s*(?P<marks>(?:\s*{_ONE})+)[^\n\[\]]*$",
    re.IGNORECASE | re.MULTILINE,
)
_POINTING = frozenset(
    "according passage passages source sources document documents stated states 根据 片段 资料 来源 文档 可知 所述 依据".split()
)
"""Words before a marker that only say where something stands: `According to passage [2], …`."""
_OPEN_MARKER = re.compile(r"\s*[\[【［][^\]】］\n]{0,20}$")
_RANGE = re.compile(r"(\d+)\s*[-–—~]\s*(\d+)")
CLAIMING_WORDS = 2
"""Content words below which a sentence without a number claims nothing: `Yes.`, `Here it is:`."""


@dataclass(slots=True)
class Sentence:
    """Where a sentence stands in the clean text, where its closing marks begin, and its markers by their place."""

    start: int
    body_end: int
    end: int
    groups: dict[int, list[int]]

    def claims(self, clean: str) -> list[tuple[str, list[int]]]:
        """What each group of markers vouches for: the words since the group before it; the last one's reach the end."""
        claims = []
        last = self.start
        places = sorted(self.groups)
        for position in places:
            end = self.end if position == places[-1] else position
            before = content_words(clean[last:position])
            # What only points at the passage claims nothing: what follows it does.
            begin = position if before and all(word in _POINTING for word in before) else last
            piece = clean[begin : self.end if begin == position else end].strip(" ,，;；")
            # Two groups with nothing between them vouch for the same words.
            claims.append((piece if any(map(str.isalnum, piece)) else self.text(clean), self.groups[position]))
            last = position
        return claims

    def text(self, clean: str) -> str:
        return clean[self.start : self.end]

    def is_claim(self, clean: str) -> bool:
        """Whether it says something that a passage could carry: not `Here is the list:`, not a question."""
        text = self.text(clean)
        if text.rstrip().endswith((":", "：", "?", "？")):
            return False
        return len(content_words(text)) >= CLAIMING_WORDS or any(map(str.isdigit, text))


def without_open_marker(text: str) -> str:
    """Text of a stream without a marker that is still being written."""
    return _OPEN_MARKER.sub("", text)


def read_markers(text: str, known: Container[int]) -> tuple[str, list[tuple[int, list[int]]], int]:
    """The text without markers, the passages named at each place of it, and how many named none."""
    text = _tidied(text)
    pieces: list[str] = []
    marks: list[tuple[int, list[int]]] = []
    length, last, dropped = 0, 0, 0
    for match in _MARKER.finditer(text):
        numbers = numbers_of(match[1])
        # Intervals and shapes, [0, 1] for example, are no markers: passages are numbered from 1.
        if 0 in numbers:
            continue
        pieces.append(text[last : match.start()])
        length += match.start() - last
        last = match.end()
        right = [number for number in numbers if number in known]
        dropped += len(numbers) - len(right)
        marks.append((length, right))
    pieces.append(text[last:])
    return "".join(pieces), marks, dropped


def _tidied(text: str) -> str:
    """Markers as the prompt asks for them: `[Passage 1]`, `[1], [2] and [3]`, `([1])` and `(see passage [1])` are `[1]`, `[1][2][3]`, `[1]`."""
    text = _LISTED.sub(r"\1", _NAMED.sub(r"\1", text))
    text = _IN_BRACKETS.sub(r" \1", text)
    return _POINTED_AT.sub(
        lambda found: f" {(found['markers'] or found['marks']).strip()}{'' if found['whole'] else found['stop'] or ''}",
        text,
    )


def numbers_of(inside: str) -> list[int]:
    """Of what stands between the brackets of a marker: `1, 3-5` is 1, 3, 4, 5."""

    def spread(match: re.Match[str]) -> str:
        first, last = int(match[1]), int(match[2])
        return ",".join(str(n) for n in range(first, last + 1)) if 0 <= last - first < 10 else f"{first},{last}"

    return [int(number) for number in re.findall(r"\d+", _RANGE.sub(spread, inside))]


def marked_sentences(clean: str, marks: Sequence[tuple[int, list[int]]]) -> list[Sentence]:
    """The sentences of the clean text with their markers; one that stands behind the full stop belongs before it."""
    found = []
    spans = sentence_spans(clean)
    for place, (start, end) in enumerate(spans):
        body_end = end
        while body_end > start and clean[body_end - 1] in ".。！？!?；;":
            body_end -= 1
        limit = spans[place + 1][0] if place + 1 < len(spans) else len(clean)
        low = start if place else -1
        groups: dict[int, list[int]] = {}
        for position, numbers in marks:
            if low < position <= limit and numbers:
                group = groups.setdefault(min(max(position, start), body_end), [])
                group.extend(number for number in numbers if number not in group)
        found.append(Sentence(start, body_end, end, groups))
    return found


def write_markers(clean: str, sentences: Sequence[Sentence], cut: Container[int] = ()) -> str:
    """The text with its markers; without the sentences whose places in the list are in `cut`."""
    pieces, last = [], 0
    for place, sentence in enumerate(sentences):
        if place in cut:
            pieces.append(clean[last : sentence.start].rstrip(" "))
            last = sentence.end
            continue
        space = " " if language_of(sentence.text(clean)) != "zh" else ""
        for position, numbers in sorted(sentence.groups.items()):
            said = clean[last:position].rstrip()
            # "…, [1]." at the end of a sentence.
            said = said.rstrip(",，、 ") if position == sentence.body_end else said
            pieces.append(said + space + "".join(f"[{number}]" for number in numbers))
            last = position
    return "".join([*pieces, clean[last:]]).strip()
