"""Markers that a small model writes before what they vouch for (`[1]There are …`) are put behind it, in a stream as in a whole text.

A line that begins with a marker, perhaps behind a bullet, is written that way: there a marker between two sentences belongs to the second.
Everywhere else it belongs to the first, as the prompt asks (rag/retrieval/markers.py). A marker that is the subject of its sentence
(`[1] says that …`) stays where it is.
"""

from __future__ import annotations

import re

from rag.language import language_of
from rag.retrieval.markers import numbers_of
from rag.words import sentence_spans

_MARKERS = r"(?:[\[【［]\s*\d{1,2}(?:\s*[,，、;；–—~-]\s*\d{1,2})*\s*[\]】］]\s*)+"
_BULLET = r"\s*(?:(?:[-*•]|\d{1,2}[.)、])\s+)?"
_LEADING = re.compile(rf"(?P<bullet>{_BULLET})(?P<markers>{_MARKERS})(?P<word>[^\s\[【［])", re.DOTALL)
_MAY_LEAD = re.compile(r"\s*(?:[-*•]|\d{1,2}[.)、]?)?\s*(?:[\[【［][\d\s,，、;；–—~-]*(?:[\]】］]\s*)?)*", re.DOTALL)
_MARKER = re.compile(r"[\[【［]([\d\s,，、;；–—~-]+)[\]】］]")
_MAY_END = re.compile(r"[.。！？!?；;]+[”’」』）)\"']*\s*$")
_SUBJECT = re.compile(r"[a-z.,:;，。：；、)）(（|/+=-]|和|与|及|中|的|称|指|说明|提到|显示|表明|写道|认为|给出")
"""What follows a marker that the sentence speaks of."""
LONGEST_SUBJECT = 2
"""Characters of the longest Chinese word above: so many are waited for."""


class LeadingMarkers:
    """`feed` the pieces of an answer and show what comes back, then what `finish` gives. Holds back a marker at the beginning of a
    line, and, in a line that began with one, the full stop until what follows it is known."""

    def __init__(self) -> None:
        self._held = ""
        """Not yet told."""
        self._pending: list[int] = []
        """Markers that the sentence being written will get."""
        self._given: set[int] = set()
        """Markers that the sentence before it has."""
        self._said = ""
        """Of this sentence, in a line that began with a marker."""
        self._led = False
        """Whether this line began with a marker."""
        self._opening = True
        """Whether a marker may come now that belongs to what follows it."""

    def feed(self, piece: str) -> str:
        return "".join(map(self._next, piece))

    def finish(self) -> str:
        rest = self._end_line()
        self._opening, self._led = True, False
        return rest

    def _next(self, sign: str) -> str:
        if sign == "\n":
            rest = self._end_line()
            self._opening, self._led = True, False
            return rest + sign
        if self._opening:
            return self._open(sign)
        return self._within(sign) if self._led else sign

    def _open(self, sign: str) -> str:
        self._held += sign
        found = _LEADING.match(self._held)
        if found is None:
            if _MAY_LEAD.fullmatch(self._held):
                return ""
            return self._begin_without()
        numbers = _numbers(found["markers"])
        follows = self._held[found.start("word") :]
        if not follows.isascii() and len(follows) < LONGEST_SUBJECT:
            return ""
        # An interval, [0, 1] for example, is no marker.
        if 0 in numbers or _SUBJECT.match(follows):
            return self._begin_without()
        before = found["bullet"] if not self._led else " " * self._held[0].isspace()
        self._held, self._opening, self._led, self._said = "", False, True, ""
        self._pending = numbers
        return before + self.feed(follows)

    def _begin_without(self) -> str:
        text, self._held, self._opening, self._said, self._pending = self._held, "", False, "", []
        return self.feed(text) if self._led else text

    def _within(self, sign: str) -> str:
        """A sign of a sentence in a line that began with a marker."""
        text = self._held + sign
        if _MAY_END.search(text):
            self._held = text
            return ""
        if self._held:
            spans = sentence_spans(self._said + text)
            if len(spans) > 1:
                # The sentence before is complete: its markers go before its closing marks.
                ended = self._close(self._held)
                gap = ended[len(ended.rstrip()) :]
                self._opening, self._held, self._said, self._pending = True, gap, "", []
                return ended.rstrip() + self._open(sign)
        self._held = ""
        self._said += text
        return text

    def _close(self, closing: str) -> str:
        """`closing` with the pending markers before it, without those that the sentence has already."""
        whole = self._said + closing
        own = set(_numbers(whole))
        wanted = "".join(f"[{number}]" for number in self._pending if number not in own)
        self._given = own | set(self._pending)
        if not wanted:
            return closing
        space = "" if language_of(whole) == "zh" or self._said.endswith(("]", "】")) else " "
        return space + wanted + closing

    def _end_line(self) -> str:
        held, self._held = self._held, ""
        if self._opening:
            repeated = self._led and bool(found := _numbers(held)) and self._given >= set(found)
            self._said = ""
            return "" if repeated else held
        if not self._led:
            return held
        body = held.rstrip()
        ended = self._close(body) + held[len(body) :]
        self._said, self._pending = "", []
        return ended


def _numbers(text: str) -> list[int]:
    """Of the markers in a text, each once."""
    return list(dict.fromkeys(number for match in _MARKER.finditer(text) for number in numbers_of(match[1])))


def trailing(text: str) -> str:
    """The whole text with such markers behind what they vouch for; a text without them as it is."""
    markers = LeadingMarkers()
    return markers.feed(text) + markers.finish()
