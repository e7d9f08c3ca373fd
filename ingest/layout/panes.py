"""Parts of a page in which a table is looked for: running text beside it must not become a column of it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ingest.layout.aligned import is_number
from ingest.layout.order import reading_order
from ingest.layout.runs import Rect, Run, rows

LINES = 6
"""From so many lines on text in a column of its own is told from the cells of a table."""
FULL = 0.8
"""Share of the column's width from which a line fills it."""
LETTERS = 26
"""Characters of most lines of prose, in a narrow column too; cells have fewer."""


def panes(runs: Sequence[Run], page_width: float) -> list[list[Run]]:
    """The columns of a page by themselves where one of them is running text, everything else together."""
    columns = _with_numbers(reading_order(runs, page_width))
    boxes = [Rect.around(column) for column in columns]
    beside = [[other for other in boxes if other is not box and _are_beside(box, other)] for box in boxes]
    prose = {id(box) for box, column in zip(boxes, columns, strict=True) if _is_prose(column)}
    together: list[Run] = []
    alone: list[list[Run]] = []
    for box, column, others in zip(boxes, columns, beside, strict=True):
        if others and (id(box) in prose or any(id(other) in prose for other in others)):
            alone.append(column)
        else:
            together += column
    return [part for part in (together, *alone) if part]


def _with_numbers(columns: Sequence[list[Run]]) -> list[list[Run]]:
    """Columns of numbers go with what stands to their left: their labels."""
    made: list[list[Run]] = []
    for column in columns:
        box = Rect.around(column)
        others = [Rect.around(other) for other in made]
        beside = [i for i, other in enumerate(others) if _are_beside(box, other) and other.right <= box.left]
        if beside and 2 * sum(is_number(run.text) for run in column) >= len(column):
            made[max(beside, key=lambda i: others[i].right)] += column
        else:
            made.append(list(column))
    return made


def _are_beside(a: Rect, b: Rect) -> bool:
    return min(a.bottom, b.bottom) > max(a.top, b.top) and (a.right <= b.left or b.right <= a.left)


def _is_prose(column: Sequence[Run]) -> bool:
    """Lines in one piece that reach from one side of the column to the other; labels of a table end where they end."""
    lines = rows(column)
    width = max(line.right for line in lines) - min(line.left for line in lines)
    whole = [line for line in lines if len(line.runs) == 1]
    full = [line for line in whole if line.right - line.left >= FULL * width]
    letters = [sum(1 if sign.isascii() else 2 for sign in line.text) for line in whole]
    return len(whole) >= LINES and 2 * len(full) > len(lines) and median(letters) >= LETTERS
