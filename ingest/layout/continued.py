"""Tables that go on at the top of the next page without their headings: they get those of the page before.

Without them the first row of figures would be taken for the headings, and be said above every other row of that page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from rag.documents import Element
from rag.tables import is_figure, row_cells

ALIGNED = 6.0
"""Points by which the edges of the two parts may differ. Numbers set the right edge; a shorter one may stand a little further in."""
MOSTLY = 0.6
"""Share of a column's cells that are figures, from which its heading is expected to be words."""

_MARK = "headings "
_GOES_ON = re.compile(r"^(?:[，。、；：）,.;:)●•·]|[a-z])")
_YEAR = re.compile(r"^(?:FY\s?)?(?:19|20)\d\d$")


@dataclass(frozen=True, slots=True)
class Headings:
    """Of the table at the end of a page."""

    row: str
    columns: int
    figures: frozenset[int]
    """Columns of figures, whose headings are words."""
    left: float
    right: float


def headings_at_end(elements: Sequence[Element]) -> Headings | None:
    """What a table on the next page would go on with; None where this page does not end with one. Footnotes stand below tables."""
    body = [element for element in elements if element.kind != "footnote"]
    if not body or body[-1].kind != "table" or not body[-1].boxes:
        return None
    table = body[-1]
    rows = [row_cells(line) for line in table.text.split("\n")]
    if len(rows) < 3:
        return None
    head, cells = rows[0], rows[2:]
    figures = frozenset(
        column
        for column in range(len(head))
        if not is_figure(head[column])
        and sum(is_figure(row[column]) for row in cells if column < len(row)) >= MOSTLY * len(cells)
    )
    return Headings(table.text.split("\n", 1)[0], len(head), figures, table.boxes[0].left, table.boxes[-1].right)


def continued(elements: Sequence[Element], before: Headings | None) -> list[Element]:
    """The elements of the next page; a table at its top whose first row cannot be headings goes on with those of the page before."""
    if before is None or not elements or elements[0].kind != "table":
        return list(elements)
    table = elements[0]
    first, *rest = table.text.split("\n")
    cells = row_cells(first)
    if len(cells) != before.columns or first == before.row or not _below_each_other(table, before):
        return list(elements)
    if not _has_figures(cells, before) and not _is_torn(cells, before):
        return list(elements)
    text = "\n".join([before.row, *rest[:1], first, *rest[1:]])
    # The row that stood above the rule stands below it: together they are as long as before.
    lines = tuple(replace(line, end=line.end + len(before.row) + 1) for line in table.lines)
    return [replace(table, text=text, lines=lines), *elements[1:]]


def _has_figures(cells: Sequence[str], before: Headings) -> bool:
    """Where the headings have words and their columns figures. A year is a figure that heads columns."""
    said = [cells[column] for column in before.figures if cells[column]]
    return bool(said) and all(map(is_figure, said)) and not all(_YEAR.match(text) for text in said)


def _is_torn(cells: Sequence[str], before: Headings) -> bool:
    """The rest of a row that the page's end cut, or a row with cells left empty, where each column has its heading. An empty corner
    alone says nothing, unless the other cells go on in the middle of a text."""
    if not all(row_cells(before.row)) or all(cells):
        return False
    return not all(cells[1:]) or any(_GOES_ON.match(text) for text in cells[1:])


def remembered(headings: Headings | None) -> str:
    """For whoever goes on behind this page after a kill."""
    return _MARK + json.dumps(None if headings is None else asdict(headings) | {"figures": sorted(headings.figures)})


def recalled(kept: Iterable[str]) -> Headings | None:
    """Out of all that was remembered, in order: the last ones count."""
    last = None
    for text in kept:
        if text.startswith(_MARK):
            last = json.loads(text.removeprefix(_MARK))
    return None if last is None else Headings(**last | {"figures": frozenset(last["figures"])})


def _below_each_other(table: Element, before: Headings) -> bool:
    if not table.boxes:
        return False
    left, right = table.boxes[0].left, table.boxes[-1].right
    return abs(left - before.left) <= ALIGNED and abs(right - before.right) <= 4 * ALIGNED
