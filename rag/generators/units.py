"""What the extractive generator may quote: sentences, list items and rows of tables, cleaned for reading."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answers import Passage
from rag.documents import ImageChunk
from rag.language import language_of
from rag.words import sentence_spans

_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_FOOTNOTE = re.compile(r"[\[【]\s*\d{1,3}(?:\s*[,，–-]\s*\d{1,3})*\s*[\]】]")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![A-Za-z0-9*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![A-Za-z0-9*])")
_CONTINUED = re.compile(r"(?:,|\b(?:the|an?|of|and|or|to|in|for|with|by|from|that|which|on|at|as|is|are|was|were))$")
_BULLET = re.compile(r"^\s*(?:[-*+•·▪◦●○]|\(?\d{1,2}[.)、])\s+")
_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
_TERMINAL = re.compile(r"[.!?。！？；;:：][\"'”’」』)）]*$")


PICTURE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Unit:
    """One quotable piece of passage `number`, the `place`-th in it. `row` says that it is a row of a table."""

    number: int
    place: int
    text: str
    headings: str = ""
    row: bool = False


def units_of(passage: Passage) -> list[Unit]:
    """The units of one passage in order; of a picture one, which names it."""
    if isinstance(passage.hit.chunk, ImageChunk):
        return [Unit(passage.number, 0, _picture(passage.hit.document.name, passage.hit.chunk), row=True)]
    headings = " ".join((passage.hit.document.name, *passage.hit.chunk.headings))
    found: list[tuple[str, bool]] = []
    prose: list[str] = []
    table: list[str] = []
    for line in [*passage.text.splitlines(), ""]:
        if line.lstrip().startswith("|"):
            found.extend((text, False) for text in _sentences(prose))
            prose = []
            table.append(line)
        else:
            found.extend((text, True) for text in table_rows(table))
            table = []
            prose.append(line)
    found.extend((text, True) for text in table_rows(table))
    found.extend((text, False) for text in _sentences(prose))
    return [Unit(passage.number, place, text, headings, row) for place, (text, row) in enumerate(found)]


def _picture(name: str, chunk: ImageChunk) -> str:
    """The picture's file and what is known of it: "photos/1.jpg: banana, fruit; 香蕉、水果"."""
    shown = [
        clean(" ".join(e.text.split())) for e in chunk.entries if e.kind in ("caption", "description", "label", "ocr")
    ]
    text = "; ".join(dict.fromkeys(shown))
    return f"{name}: {_cut(text)}" if text else name


def _cut(text: str) -> str:
    """At most PICTURE_CHARACTERS, and no half word at its end: the check of the citation would look for it in vain."""
    if len(text) <= PICTURE_CHARACTERS:
        return text
    kept = text[:PICTURE_CHARACTERS]
    whole = kept.rpartition(" ")[0] if text[PICTURE_CHARACTERS : PICTURE_CHARACTERS + 1].isalnum() else kept
    return f"{whole if len(whole) > PICTURE_CHARACTERS // 2 else kept}…"


def table_rows(lines: list[str]) -> list[str]:
    """Rows of a Markdown table as `column: value` phrases: a row alone does not say what its cells are."""
    rows = [
        [clean(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in lines
        if not _RULE.match(line)
    ]
    if not rows:
        return []
    header, *body = rows
    if not body:
        return [", ".join(cell for cell in header if cell)]
    phrases = []
    for row in body:
        label = "，" if language_of(" ".join(row)) == "zh" else ", "
        pairs = _form(row) or [
            f"{name}: {cell}" if name and name.casefold() != cell.casefold() else cell
            for name, cell in zip(header + [""] * len(row), row, strict=False)
            if cell
        ]
        if pairs:
            phrases.append(label.join(pairs))
    return phrases


def _form(row: list[str]) -> list[str]:
    """`Age:`, `32` of a form's row as `Age: 32`; empty for a row without names of its own."""
    if not any(cell.endswith((":", "：")) for cell in row):
        return []
    pairs: list[str] = []
    for cell in filter(None, row):
        if pairs and pairs[-1].endswith((":", "：")) and not cell.endswith((":", "：")):
            pairs[-1] += f" {cell}"
        else:
            pairs.append(cell)
    return [pair for pair in pairs if not pair.endswith((":", "："))]


def clean(text: str) -> str:
    """Without Markdown's signs and without footnote numbers, which would read as citations."""
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _EMPHASIS.sub(r"\2", text)
    text = _ITALIC.sub(r"\1", text)
    return " ".join(_BULLET.sub("", text).lstrip("#> ").split())


def _sentences(lines: list[str]) -> list[str]:
    text = _FOOTNOTE.sub("", _join_wrapped(lines))
    pieces = [clean(text[start:end]) for start, end in sentence_spans(text)]
    return [piece for piece in pieces if any(character.isalnum() for character in piece)]


def _join_wrapped(lines: list[str]) -> str:
    """Undoes hard line breaks inside sentences, which text from PDF pages and plain-text files has."""
    joined = ""
    for line in lines:
        stripped = line.strip()
        open_sentence = joined and not joined.endswith("\n") and not _TERMINAL.search(joined)
        last_line = joined.rpartition("\n")[2]
        if stripped and open_sentence and not _BULLET.match(line) and _continues(last_line, stripped):
            joined += stripped if language_of(last_line) == "zh" else f" {stripped}"
        else:
            joined += ("\n" if joined else "") + stripped
    return joined


def _continues(last: str, following: str) -> bool:
    # A capital after a line that could end there is more likely a new heading or cell than the rest of a sentence.
    if language_of(following) == "zh":
        return len(last) >= 20
    return following[0].islower() or _CONTINUED.search(last) is not None
