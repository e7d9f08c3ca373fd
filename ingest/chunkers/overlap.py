"""What a chunk repeats of the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.chunkers.units import Unit
from rag.words import sentence_spans


def last_sentences(units: Sequence[Unit], overlap: int) -> list[Unit]:
    """The last whole sentences of a chunk's last unit, up to `overlap` tokens; tokens by their share of the characters."""
    if not overlap or not units or units[-1].heading:
        return []
    last = units[-1]
    rate = last.tokens / max(1, len(last.text))
    start = None
    for begin, _ in reversed(sentence_spans(last.text)):
        if (len(last.text) - begin) * rate > overlap:
            break
        start = begin
    if start is None:
        return []
    text = last.text[start:]
    return [replace(last, text=text, tokens=round(len(text) * rate), repeated=True)]


def last_tokens(units: Sequence[Unit], overlap: int) -> list[Unit]:
    """The last `overlap` tokens of a chunk, wherever they begin, to a whole word; by their share of the characters."""
    taken: list[Unit] = []
    left = overlap
    for unit in reversed(units):
        if left <= 0 or unit.heading or unit.repeated:
            break
        if unit.tokens <= left:
            taken.insert(0, replace(unit, repeated=True))
            left -= unit.tokens
            continue
        text = unit.text[len(unit.text) - int(len(unit.text) * left / unit.tokens) :]
        if text and not text[0].isspace() and text[0] < "\u2e80":
            text = text.partition(" ")[2]
        text = text.strip()
        if text:
            taken.insert(0, replace(unit, text=text, tokens=left, repeated=True))
        break
    return taken
