"""Text as it was meant: lines joined, hyphens at line ends taken out, ligatures and odd spaces written plainly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from ingest.cleaning.invisible import LIGATURES

_PLAIN = str.maketrans(
    {
        **LIGATURES,
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u3000": " ",
        "\u200b": "",
        "\ufeff": "",
        "\ufffe": "-",  # PDFium's sign for a hyphen at a line end
        "\ufffd": "",
    }
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff]")
_SPACES = re.compile(r"[ \t]{2,}")
_LEADER = re.compile(r"(?:\s?[.·…_‧]){4,}\s*")
_WIDE = r"\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_WIDE_END = re.compile(rf"[{_WIDE}]$")
_WIDE_START = re.compile(rf"^[{_WIDE}]")
_BROKEN = re.compile(r"([^\W\d_]{2,})[-\u00ad\u2010]$")


class Piece(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def left(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def size(self) -> float: ...


def clean(text: str) -> str:
    """Ligatures, odd spaces and control characters written plainly; dot leaders shortened; one line stays one line."""
    plain = _CONTROL.sub("", text.translate(_PLAIN).replace("\r", " ").replace("\n", " "))
    return _SPACES.sub(" ", _LEADER.sub(" … ", plain)).strip()


def glue(pieces: Sequence[Piece]) -> str:
    """Pieces of one line, left to right, with a space wherever the page shows one."""
    text = ""
    end: float | None = None
    for piece in pieces:
        if end is not None and _spaced(text, piece, piece.left - end):
            text += " "
        text += piece.text
        end = piece.right
    return clean(text)


def join_lines(lines: Iterable[str]) -> str:
    """Lines of one paragraph as running text: `inter-` + `national` is one word, Chinese lines meet without a space."""
    text = ""
    for line in (line.strip() for line in lines):
        if not line:
            continue
        broken = _BROKEN.search(text)
        if broken and line[0].islower():
            # A hyphen before a small letter nearly always comes from breaking the line. A compound that has one of
            # its own ("long-term") loses it: the words are still found, since both forms share their stems.
            text = text[:-1] + line
        elif not text or (_WIDE_END.search(text) and _WIDE_START.match(line)):
            text += line
        elif text.endswith("\u00ad"):
            text = text[:-1] + line
        else:
            text += " " + line
    return text.replace("\u00ad", "")


def _spaced(text: str, piece: Piece, gap: float) -> bool:
    if _WIDE_END.search(text) and _WIDE_START.match(piece.text):
        return gap > 0.8 * piece.size
    return gap > 0.12 * piece.size
