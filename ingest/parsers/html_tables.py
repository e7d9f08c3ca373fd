"""HTML tables as grids: merged cells expanded into every place they cover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_SPAN = 1_000
"""The cap of the HTML standard on `colspan`; a larger one is an attack or a mistake."""
MAX_CELLS = 200_000


def grid(table: Any, text_of: Callable[[Any], str]) -> tuple[list[list[str]], int]:
    """Rows of cell texts, and how many of them are header rows. Cells of nested tables are not rows of this one."""
    rows: list[list[str]] = []
    carried: dict[int, tuple[str, int]] = {}
    header_rows = 0
    cells = 0
    for tr in _own_rows(table):
        row: list[str] = []
        column = 0
        all_headers = True
        covered = bool(carried)
        below: dict[int, tuple[str, int]] = {}

        def fill() -> None:
            nonlocal column
            while column in carried:  # noqa: B023
                text, left = carried.pop(column)  # noqa: B023
                row.append(text)  # noqa: B023
                if left > 1:
                    below[column] = text, left - 1  # noqa: B023
                column += 1

        for cell in tr:
            if cell.tag not in ("td", "th"):
                continue
            fill()
            text = text_of(cell)
            all_headers = all_headers and cell.tag == "th"
            down = _span(cell, "rowspan")
            for _ in range(_span(cell, "colspan")):
                row.append(text)
                if down > 1:
                    below[column] = text, down - 1
                column += 1
        last = max(carried, default=-1)
        while column <= last:
            if column not in carried:
                row.append("")
                column += 1
            fill()
        carried = below
        if len(row) > 1 and len(tr) == 1 and not covered and not below:
            # A title over the whole width is said once.
            row = [row[0]] + [""] * (len(row) - 1)
        cells += len(row)
        if cells > MAX_CELLS:
            break
        if row:
            in_head = tr.getparent().tag == "thead"
            if (in_head or all_headers) and header_rows == len(rows):
                header_rows += 1
            rows.append(row)
    return rows, header_rows or 1


def _own_rows(table: Any) -> list[Any]:
    return [tr for tr in table.iter("tr") if next(tr.iterancestors("table"), None) is table]


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(MAX_SPAN, int(value))) if value.isdecimal() else 1
