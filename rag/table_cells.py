"""A stored table as cells: text, which of them are headings of a row or a column, and where each stands; and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from rag.documents import Box, Element
from rag.tables import is_figure, row_texts

Heading = Literal["", "col", "row"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`heading` is what it names: its column, its row, or nothing. `box` is None where the parser did not know its place."""

    text: str
    heading: Heading = ""
    box: Box | None = None


def cells_of(table: Element) -> list[list[Cell]]:
    """The rows of an element of kind `table`, the headings of its columns first; empty for text that is no table.

    The first column names the rows where it has words.
    """
    texts = [row_texts(line) for n, line in enumerate(table.text.split("\n")) if n != 1 and line.startswith("|")]
    boxes = [line.cell_boxes for line in table.lines] if len(table.lines) == len(texts) else []
    named = any(row and row[0] and not is_figure(row[0]) for row in texts[1:])
    return [
        [
            Cell(text, "col" if r == 0 else "row" if c == 0 and named else "", _at(boxes, r, c))
            for c, text in enumerate(row)
        ]
        for r, row in enumerate(texts)
    ]


def _at(boxes: Sequence[Sequence[Box | None]], row: int, column: int) -> Box | None:
    return boxes[row][column] if row < len(boxes) and column < len(boxes[row]) else None


def html_of(rows: Sequence[Sequence[Cell]]) -> str:
    """A `<table>` whose headings are `<th scope>`; text of documents is escaped. Empty without rows."""
    if not rows:
        return ""
    head, *body = ["".join(map(_html, row)) for row in rows]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _html(cell: Cell) -> str:
    text = escape(cell.text)
    return f'<th scope="{cell.heading}">{text}</th>' if cell.heading else f"<td>{text}</td>"
