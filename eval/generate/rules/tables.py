"""Cells of tables: row header × column header, and the value beside a label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.wording import bare, has_letters, is_number, length, lowered, say

_NOTHING = re.compile(r"^[\s\-–—*.…/\\()]*(?:\(?X\)?|n/?a|none|无)?[\s\-–—*.…]*$", re.IGNORECASE)
_CAPTION = re.compile(r"^(?:Table|Exhibit|表)\s*[\dA-Z]+(?:[.\-]\d+)*\s*[.:：、]?\s*(?P<rest>\S.*)$", re.MULTILINE)
_RULE = re.compile(r"^\s*\|?\s*:?-{3,}")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d(?:\s?年)?")
_ASKS_EN = re.compile(r"(?:what|how|why|when|where|who|which|is|are|does|can)\b", re.IGNORECASE)
_ASKS_ZH = re.compile(r"吗[？?]?$|[？?]$|^(?:是否|能否|如何|为什么|怎样)")
_CELLS = 30
"""Words of an answer that is still a cell and no text of its own."""


@dataclass(frozen=True, slots=True)
class _Row:
    cells: tuple[str, ...]
    span: tuple[int, int]


def tables(passage: SourcePassage) -> Iterator[Candidate]:
    rows = _rows(passage.text)
    if len(rows) < 2:
        return
    if labels := list(_labels(rows)):
        yield from _label_questions(passage, labels)
        return
    header, *body = rows
    place = _place(passage)
    if not place or not _clean_header(header.cells) or not 2 <= len(header.cells) <= 8:
        return
    named = Counter(row.cells[0].casefold() for row in body if row.cells)
    for row in body:
        name = _tidy(row.cells[0])
        if re.search(r"\w{4,}[.;。；]$", row.cells[0]):
            continue  # a sentence
        if len(row.cells) != len(header.cells) or named[row.cells[0].casefold()] > 1 or not _is_name(name):
            continue
        for column, value in zip(header.cells[1:], row.cells[1:], strict=True):
            value, column = _tidy(value), _tidy(column)
            if (
                _NOTHING.match(value)
                or length(value) > _CELLS
                or value in {column, name}
                or not _is_name(column, year=True)
                # A table of two columns may be the rest of one from the page before: its header is then a row.
                or (len(header.cells) == 2 and length(column) > 2 and not _ASKS_EN.match(column))
            ):
                continue
            key, heading = _asked(column, value, passage.language)
            # A row that is half a sentence is set off from the question's own words.
            named_row = f"“{name}”" if passage.language != "zh" and len(name.split()) > 3 else name
            question = say(passage.language, key, place=place, row=named_row, column=heading)
            yield Candidate(question, value, "table", passage, row.span, variables=(name, heading))


def _label_questions(passage: SourcePassage, labels: list[tuple[str, str, _Row]]) -> Iterator[Candidate]:
    place = bare(passage.headings[-1]) if passage.headings else ""
    under = "label.under" if place and place != passage.called else "label"
    for label, value, row in labels:
        if not _NOTHING.match(value) and length(value) <= _CELLS and not value.endswith((":", "：")):
            question = say(passage.language, under, label=label, place=place, called=passage.called)
            yield Candidate(question, value, "table", passage, row.span, variables=(label,))


def _labels(rows: list[_Row]) -> Iterator[tuple[str, str, _Row]]:
    """`| Aircraft: | Cessna | Engines: | 1 |`: a form, where a cell that ends in a colon names the next one."""
    cells = [cell for row in rows for cell in row.cells[::2] if cell]
    if len(cells) < 3 or sum(cell.endswith((":", "：")) for cell in cells) < 0.7 * len(cells):
        return
    for row in rows:
        for label, value in zip(row.cells[::2], row.cells[1::2], strict=False):
            if label.endswith((":", "：")) and has_letters(label) and length(label) <= 8:
                yield _tidy(label.rstrip(":：")), _tidy(value), row


def _rows(text: str) -> list[_Row]:
    found: list[_Row] = []
    at = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if stripped.startswith("|") and stripped.endswith("|") and not _RULE.match(stripped):
            cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", stripped[1:-1]))
            found.append(_Row(cells, (at, at + len(line.rstrip("\n")))))
        at += len(line)
    return found


def _asked(column: str, value: str, language: str) -> tuple[str, str]:
    """How a column is asked for, and how it is called in the question."""
    if _YEAR.fullmatch(column) and is_number(value):
        return "cell.year", column
    if language == "zh":
        if _ASKS_ZH.search(column):
            return "cell.asks", column.rstrip("？?")
        return ("cell.count" if is_number(value) else "cell"), column
    if _ASKS_EN.match(column) or "(" in column or any(character.isdigit() for character in column):
        return "cell.asks", column
    counted = value.replace(",", "").isdigit() and column.endswith("s") and not column.endswith("ss")
    return ("cell.count" if counted else "cell"), lowered(column)


def _place(passage: SourcePassage) -> str:
    """What the table is called: its caption, else its heading; the document's name is added where that says little."""
    before = passage.text.partition("|")[0]
    captioned = list(_CAPTION.finditer(before))
    own = captioned[-1]["rest"].strip().rstrip(".。") if captioned else ""
    if not 0 < length(own) <= 25:
        own = bare(passage.headings[-1]) if passage.headings else ""
    if own == passage.called or not own or length(own) >= 4:
        return say(passage.language, "place", own=own or passage.called)
    return say(passage.language, "place.in", own=own, called=passage.called)


def _clean_header(cells: tuple[str, ...]) -> bool:
    filled = [cell for cell in cells[1:] if cell]
    lowercase = [cell.casefold() for cell in filled]
    return (
        len(filled) == len(cells) - 1 and len(set(lowercase)) == len(lowercase) and all(length(c) <= 10 for c in filled)
    )


def _is_name(text: str, *, year: bool = False) -> bool:
    if year and _YEAR.fullmatch(text):
        return True
    return has_letters(text) and 0 < length(text) <= 10 and not re.search(r"^\d+[.、]|[:：]$|\.\.\.|[\[\]【】]|…", text)


def _tidy(cell: str) -> str:
    return " ".join(cell.replace("\\|", "|").replace("<br>", " ").split()).strip(" .…*_`").strip()
