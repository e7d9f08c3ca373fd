"""Elements cut into units: the pieces that a chunk is packed from, none of them larger than a chunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from rag.documents import Box, Element
from rag.words import sentence_spans

Count = Callable[[Sequence[str]], list[int]]
Path = tuple[tuple[int, str], ...]
"""The headings above a place, outermost first: level and text."""

_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of an element. `glue` stands before it unless it begins its chunk."""

    text: str
    tokens: int
    glue: str
    path: Path
    heading: bool = False
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    repeated: bool = False
    """True for an overlap with the chunk before: it alone is no reason for a chunk."""


def tokens_of(units: Iterable[Unit]) -> int:
    return sum(unit.tokens for unit in units)


def pieces_of(element: Element) -> list[tuple[str, str]]:
    """`(glue, text)` of the natural parts of an element: sentences, or the lines of lists and code."""
    text = element.text
    if element.kind in ("list", "code", "formula"):
        spans = [match.span() for match in _LINE.finditer(text) if match.group().strip()]
    else:
        spans = sentence_spans(text)
    pieces: list[tuple[str, str]] = []
    end = 0
    for start, stop in spans:
        pieces.append((text[end:start], text[start:stop]))
        end = stop
    return pieces


def cut(text: str, tokens: int, room: int) -> list[tuple[str, str]]:
    """A text without sentence ends in about equal parts, between words where there are words."""
    parts = max(2, ceil(1.15 * tokens / max(1, room)))
    size = max(1, ceil(len(text) / parts))
    pieces: list[tuple[str, str]] = []
    start = 0
    glue = ""
    while start < len(text):
        stop = min(len(text), start + size)
        if stop < len(text):
            space = max(text.rfind(mark, start + size // 2, stop) for mark in " \n\t，、,;")
            stop = space + 1 if space > start else stop
        piece = text[start:stop]
        stripped = piece.strip()
        if stripped:
            left = len(piece) - len(piece.lstrip())
            pieces.append((glue + piece[:left], stripped))
            glue = piece[left + len(stripped) :]
        start = stop
    return pieces


def split_units(
    units: Sequence[Unit], rooms: Sequence[int], pieces: Sequence[Sequence[tuple[str, str]]], count: Count
) -> list[list[Unit]]:
    """Each unit as units of at most `rooms[i]` tokens, from its natural parts `pieces[i]`; few calls of `count`."""
    done: list[list[Unit]] = [[] for _ in units]
    work: list[tuple[int, str, str, int | None]] = [
        (index, glue if part else unit.glue, text, None)
        for index, unit in enumerate(units)
        for part, (glue, text) in enumerate(pieces[index])
    ]
    while True:
        counts = iter(count([text for _, _, text, tokens in work if tokens is None]))
        known = [(index, glue, text, next(counts) if tokens is None else tokens) for index, glue, text, tokens in work]
        if all(tokens <= rooms[index] or len(text) <= 1 for index, _, text, tokens in known):
            break
        work = []
        for index, glue, text, tokens in known:
            if tokens <= rooms[index] or len(text) <= 1:
                work.append((index, glue, text, tokens))
            else:
                parts = cut(text, tokens, rooms[index])
                work.extend((index, inner if part else glue, piece, None) for part, (inner, piece) in enumerate(parts))
    for index, glue, text, tokens in known:
        done[index].append(replace(units[index], text=text, tokens=tokens, glue=glue))
    return done
