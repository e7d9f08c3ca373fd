"""Known illnesses of small models, treated while the answer is streamed; under 0.1 ms a piece.

Held back until it is known what they are: leading markers without words, words of the wrong language, lines that may be copied from the
prompt, and open markup. A loop ends the answer. What an illness left is told by `illness` while nothing of the answer was released, so that
it can be asked for once more, and by `notes` at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rag.language import language_of
from rag.retrieval.stream_guard_copies import copied_line, may_become_copied
from rag.retrieval.stream_guard_loops import loop_start, repeated_sentence
from rag.retrieval.stream_guard_markup import inert, open_markup
from rag.words import sentence_spans

Illness = Literal["empty", "markers only", "wrong language", "copied", "marker for words"]

LOOP_NOTE = "The generator repeated itself; the answer was ended there."
COPY_NOTE = "Lines that the generator copied from its prompt were cut."
LANGUAGE_NOTE = "The answer is in another language than the question."

_MARKER = re.compile(r"[\[【［][\d\s,，、;；–—~-]*[\]】］]?")
_FOR_WORDS = re.compile(
    r"(?:\b(?:is|are|was|were|be|of|at|by|in|on|to|from|called|named|the|an?)|[是为在叫于])[\s:：]*(?:(?:,|，|、|and|和)?\s*[\[【［][\d\s,，]+[\]】］]\s*)+[.。]?$"
)
"""`The prefix is [1].`"""
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f]")
ENOUGH_HAN, ENOUGH_LATIN = 8, 60
"""Characters of the other language, none of the own among them, by which an answer is in the wrong one: a name alone is not."""
SHORT_LATIN = 30
"""The same for an answer that has ended."""
WINDOW = 1200


def marker_for_words(text: str) -> bool:
    """Whether an answer of one sentence ends with a marker where what was asked for should stand."""
    text = text.strip()
    return _FOR_WORDS.search(text) is not None and len(sentence_spans(text)) == 1


class StreamGuard:
    """Between a generator and its reader: `feed` pieces, show what comes back, stop the generator when `ended`."""

    def __init__(self, language: str, instructions: Sequence[str] = (), *, patient: bool = True) -> None:
        """`language` is the one to answer in; `instructions` are the lines of the prompt that are not to be repeated. With `patient` false
        an answer in the wrong language is let through (and noted): it has been asked for again already."""
        self._language = language
        self._instructions = tuple(line.strip() for line in instructions)
        self._patient = patient
        self._text = ""
        self._done = 0
        self._open = False
        self._end: int | None = None
        self._notes: list[str] = []
        self.illness: Illness | None = None

    @property
    def ended(self) -> bool:
        """Nothing of what else the generator says is used."""
        return self._end is not None

    @property
    def released(self) -> bool:
        """Whether the reader has seen anything."""
        return self._done > 0

    @property
    def text(self) -> str:
        """The answer as it stands: what was released, without the repetitions of a loop."""
        return inert(self._text[: self._end].strip())

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._notes))

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        if self.ended or not piece:
            return ""
        self._text += piece
        self._look_for_copies(finished=False)
        self._look_for_loops(piece)
        return self._release(finished=False)

    def finish(self) -> str:
        """What is left to be shown when the generator has said all."""
        if not self.ended:
            self._look_for_copies(finished=True)
        shown = self._release(finished=True)
        if self.illness is None:
            self._judge_whole()
        return shown

    def _judge_whole(self) -> None:
        text = self._text[: self._end]
        if not any(map(str.isalnum, _MARKER.sub("", text))):
            self.illness = "markers only" if any(map(str.isdigit, text)) else "empty"
        elif _wrong(text, self._language, finished=True):
            self._notes.append(LANGUAGE_NOTE)

    def _release(self, *, finished: bool) -> str:
        limit = len(self._text) if self._end is None else self._end
        if not self._open and not self._opens(finished=finished):
            return ""
        stop = limit
        if not finished and not self.ended:
            line = self._text.rfind("\n", 0, limit) + 1
            if line >= self._done and may_become_copied(self._text[line:limit], self._instructions):
                stop = line
            stop -= open_markup(self._text[self._done : stop])
        if stop <= self._done:
            return ""
        piece = self._text[self._done : stop]
        self._done = stop
        return inert(piece)

    def _opens(self, *, finished: bool) -> bool:
        """Whether the answer has begun, in the right language; sets `illness` where it is in the wrong one."""
        bare = _MARKER.sub("", self._text[: self._end])
        if not any(map(str.isalnum, bare)):
            return False
        if self._patient:
            if _wrong(bare, self._language, finished=finished):
                self.illness = "wrong language"
                self._end = self._done
                return False
            if not finished and not _right(bare, self._language):
                return False
        self._open = True
        self._done += len(self._text[self._done :]) - len(self._text[self._done :].lstrip())
        return True

    def _look_for_loops(self, piece: str) -> None:
        if self.ended:
            return
        begin = max(0, len(self._text) - WINDOW)
        found = loop_start(self._text[begin:])
        if found is None and any(sign in ".。！？!?；;\n" for sign in piece):
            found = repeated_sentence(self._text[begin:])
        if found is not None:
            self._end = begin + found
            while self._text[self._end : self._end + 1] in tuple(".。！？!?；;"):
                self._end += 1
            self._notes.append(LOOP_NOTE)

    def _look_for_copies(self, *, finished: bool) -> None:
        """The answer ends where a line of the prompt begins."""
        start = self._text.rfind("\n", 0, self._done) + 1
        while start < len(self._text):
            stop = self._text.find("\n", start)
            line = self._text[start : stop if stop >= 0 else len(self._text)]
            whole = finished or stop >= 0
            if start >= self._done and (whole or len(line.strip()) > 8) and copied_line(line, self._instructions):
                if any(map(str.isalnum, _MARKER.sub("", self._text[:start]))):
                    self._notes.append(COPY_NOTE)
                else:
                    self.illness = "copied"
                self._end = start
                return
            if stop < 0:
                return
            start = stop + 1


def _right(text: str, language: str) -> bool:
    """The first word is of the language."""
    if language == "zh":
        return _HAN.search(text) is not None
    return language != "en" or (_LETTER.search(text) is not None and _HAN.search(text) is None) or len(text) > 200


def _wrong(text: str, language: str, *, finished: bool) -> bool:
    han, latin = len(_HAN.findall(text)), len(_LETTER.findall(text))
    if language == "zh":
        return not han and latin >= (SHORT_LATIN if finished else ENOUGH_LATIN) and len(text.split()) >= 5
    return language == "en" and han >= ENOUGH_HAN and language_of(text) == "zh"
