"""Ligatures that came out as signs: «o@ice» for «office».

Some writers of PDF number the glyphs of an embedded font as they come and say for each which letters it stands for, but for ligatures without a
letter of their own (ff, ffi, tt) they say nothing. Readers then show the number: whatever sign has it. Neither names nor tables of the font tell
what such a glyph is; its shape does. A ligature is as wide as its letters and its ink lies where theirs would: a sign that stands between letters of a
word and has that width and that box is the ligature.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.parsers.pdf_again import SecondReading
from ingest.parsers.pdf_text import TextPage

_SUSPECT = re.compile(r"(?<=[A-Za-z])(?:[!\"#$%()*+;<=>?@\[\\\]^`{|}~](?=[a-z])|[#$<=>@\\^`{|~](?=\W|$))")
"""Signs that stand in words by right (- ' . / : _ & ,) are left alone."""
LIGATURES = ("ff", "ffi", "ffl", "tt", "ft", "fi", "fl", "ti")
"""The first that fits is taken: ordered by how often they stand in words."""
SAME = 0.01
"""Of the width: it is told to a thousandth of the letters' size."""
CLOSE = 0.02
"""Of the width: joined letters end a little otherwise than single ones."""


@dataclass(frozen=True, slots=True)
class _Glyph:
    """Lengths in points; the box of its ink is measured from the place on the line where it begins."""

    font: str
    size: float
    width: float
    """From its beginning to that of the next glyph."""
    left: float
    right: float
    bottom: float
    top: float


def with_ligatures(page: TextPage, second: SecondReading) -> TextPage:
    """The page with such signs replaced. The caller holds the lock."""
    if not any(_SUSPECT.search(run.text) for run in page.runs) or second.page is None:
        return page
    reading = second.text
    text = "".join(chr(_raw().FPDFText_GetUnicode(reading, at)) for at in range(reading.count_chars()))
    words = dict(_mended_words(text, reading))
    if not words:
        return page

    def mend(text: str) -> str:
        return re.sub(r"\S+", lambda match: words.get(match.group(), match.group()), text)

    tables = tuple(([[mend(cell) for cell in row] for row in grid], place) for grid, place in page.tables)
    return replace(page, runs=tuple(replace(run, text=mend(run.text)) for run in page.runs), tables=tables)


def _mended_words(text: str, reading: Any) -> Iterator[tuple[str, str]]:
    letters: dict[tuple[str, float, str], _Glyph] = {}
    for word in re.finditer(r"\S+", text):
        found = list(_SUSPECT.finditer(word.group()))
        if not found:
            continue
        if not letters:
            letters = _letters(text, reading)
        mended = list(word.group())
        for sign in found:
            meant = _ligature(_glyph(reading, word.start() + sign.start()), letters)
            if meant is None:
                break
            mended[sign.start()] = meant
        else:
            yield word.group(), "".join(mended)


def _letters(text: str, reading: Any) -> dict[tuple[str, float, str], _Glyph]:
    """One glyph of each letter that ligatures are made of, by font and size."""
    found: dict[tuple[str, float, str], _Glyph] = {}
    for at, letter in enumerate(text):
        if letter in "ftil":
            glyph = _glyph(reading, at)
            found.setdefault((glyph.font, glyph.size, letter), glyph)
    return found


def _ligature(sign: _Glyph, letters: dict[tuple[str, float, str], _Glyph]) -> str | None:
    for name in LIGATURES:
        parts = [letters.get((sign.font, sign.size, letter)) for letter in name]
        if all(part is not None for part in parts) and _fits(sign, [part for part in parts if part is not None]):
            return name
    return None


def _fits(sign: _Glyph, parts: Sequence[_Glyph]) -> bool:
    """Whether the sign is as wide as the letters, and its ink lies where theirs would."""
    width = sum(part.width for part in parts)
    before = width - parts[-1].width
    differences = (
        sign.left - parts[0].left,
        sign.right - before - parts[-1].right,
        sign.top - max(part.top for part in parts),
        sign.bottom - min(part.bottom for part in parts),
    )
    return abs(sign.width - width) <= SAME * width and max(map(abs, differences)) <= CLOSE * width


def _glyph(reading: Any, at: int) -> _Glyph:
    """Of the character at that place."""
    raw = _raw()
    name, width = ctypes.create_string_buffer(256), ctypes.c_float()
    raw.FPDFText_GetFontInfo(reading, at, name, len(name), ctypes.c_int())
    font = raw.FPDFTextObj_GetFont(raw.FPDFText_GetTextObject(reading, at))
    raw.FPDFFont_GetGlyphWidth(font, raw.FPDFText_GetUnicode(reading, at), 1.0, width)
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    raw.FPDFText_GetCharBox(reading, at, left, right, bottom, top)
    raw.FPDFText_GetCharOrigin(reading, at, x, y)
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(reading, at, matrix)
    size = raw.FPDFText_GetFontSize(reading, at) * abs(matrix.a)
    return _Glyph(
        name.value.decode("utf-8", "replace"),
        round(size, 2),
        width.value * size,
        left.value - x.value,
        right.value - x.value,
        bottom.value - y.value,
        top.value - y.value,
    )


def _raw() -> Any:
    from pypdfium2 import raw

    return raw
