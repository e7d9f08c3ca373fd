"""Rows of a sheet or a CSV file as elements: titles above a table, its header row again in every part, notes below it.

Rows are taken as they come, so that a sheet of any length needs the memory of one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.parsers.tables_md import markdown_table
from rag.documents import Element

PART_ROWS = 200
"""Rows of one table element; a longer table becomes several, each under the same header."""
PART_CHARACTERS = 100_000
MAX_HEADER_ROWS = 4
_YEAR = re.compile(r"(?:1[89]|20|21)\d\d")
_FIGURE = re.compile(r"[-+−(]?[$€£¥￥]?\s?\d[\d.,\s]*\s?[%‰]?\)?|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`cells` from the first column on, empty ones as empty strings. `spans` says that one cell covers several columns.
    `after_gap` says that empty rows stand above."""

    cells: Sequence[str]
    spans: bool = False
    after_gap: bool = False

    @property
    def filled(self) -> list[int]:
        return [index for index, text in enumerate(self.cells) if text]


def sheet_elements(rows: Iterable[SheetRow]) -> Iterator[Element]:
    """The elements of one sheet, a part at a time. Empty rows are not given, but told by `after_gap`."""
    run = _Run()
    for row in rows:
        yield from run.take(row)
    yield from run.end_block()


class _Run:
    """The block of rows being read, and the header that it, or a block after a gap, stands under."""

    def __init__(self) -> None:
        self._rows: list[SheetRow] = []
        self._size = 0
        self._header: list[SheetRow] = []
        self._begun = False
        """Whether a part of this block was given out already."""

    def take(self, row: SheetRow) -> Iterator[Element]:
        if row.after_gap:
            yield from self.end_block()
        self._rows.append(row)
        self._size += sum(map(len, row.cells))
        if len(self._rows) >= PART_ROWS or self._size >= PART_CHARACTERS:
            yield from self._part(last=False)

    def end_block(self) -> Iterator[Element]:
        yield from self._part(last=True)
        self._begun = False

    def _part(self, *, last: bool) -> Iterator[Element]:
        rows, self._rows, self._size = self._rows, [], 0
        if not rows:
            return
        if not self._begun and not self._continues(rows[0]):
            titles = 0
            while titles < len(rows) and len(rows[titles].filled) == 1:
                titles += 1
            if text := "\n".join(_only(row) for row in rows[:titles]):
                yield Element("paragraph", text)
            rows = rows[titles:]
            if not rows:
                return
            self._header = _header(rows)
            rows = rows[len(self._header) :] if self._header[0] is rows[0] else rows
        self._begun = True
        notes: list[SheetRow] = []
        wide = max(len(row.filled) for row in (*self._header, *rows)) >= 3
        while last and wide and rows and rows[-1].filled == [0] and len(rows[-1].cells[0]) >= 20:
            notes.insert(0, rows.pop())
        if rows or not last or not notes:
            table = markdown_table([row.cells for row in (*self._header, *rows)], len(self._header))
            if table:
                yield Element("table", table)
        if notes:
            yield Element("paragraph", "\n".join(_only(row) for row in notes))

    def _continues(self, first: SheetRow) -> bool:
        """Whether a block after a gap goes on under the header above: data rows within its columns."""
        if not self._header:
            return False
        columns = {index for row in self._header for index in row.filled}
        filled = first.filled
        return len(filled) >= 2 and set(filled) <= columns and any(_is_figure(first.cells[index]) for index in filled)


def _header(rows: Sequence[SheetRow]) -> list[SheetRow]:
    """The header rows of a block; letters of the columns where the first row is data already."""
    filled = rows[0].filled
    figures = [index for index in filled if _is_figure(rows[0].cells[index])]
    if 2 * len(figures) > len(filled):
        return [SheetRow([column_letters(index) for index in range(len(rows[0].cells))])]
    count = 1
    while count < min(len(rows) - 1, MAX_HEADER_ROWS) and rows[count - 1].spans:
        count += 1
    return list(rows[:count])


def _only(row: SheetRow) -> str:
    return " ".join(text for text in row.cells if text)


def _is_figure(text: str) -> bool:
    """A number or a date, not a year: years head columns."""
    return bool(_FIGURE.fullmatch(text)) and not _YEAR.fullmatch(text)


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
