"""Tables of words with nothing drawn around them: lines whose pieces stand under each other in at least three columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ingest.layout.aligned import is_number
from ingest.layout.banded import row_cells
from ingest.layout.captions import is_figure_caption, is_table_caption
from ingest.layout.cells import Span, column_of, columns_of, pieces, row_groups
from ingest.layout.runs import Rect, Row, Run, rows
from ingest.layout.tables import FoundTable, Grid, is_plausible

MIN_COLUMNS = 3
MIN_ROWS = 3
FAR = 2.2
"""Sizes of the font: lines further apart are not of one table."""
SAME = 2.0
"""Points by which the edges of texts in one column may differ."""
ALIGNED = 0.7
"""Share of the texts of a column that begin, end or have their middle in one place."""


def spaced_tables(runs: Sequence[Run]) -> list[FoundTable]:
    index_of = {id(run): index for index, run in enumerate(runs)}
    found = []
    for lines in _regions(rows(runs)):
        columns = columns_of(lines)
        held = [run for line in lines for run in line.runs]
        if len(columns) < MIN_COLUMNS or not _stand_under_each_other(held, columns) or _is_list(held, columns):
            continue
        grid: Grid = [row_cells(group, columns) for group in row_groups(held, columns, is_number)]
        if len(grid) >= MIN_ROWS and is_plausible(grid):
            found.append(FoundTable(grid, Rect.around(held), frozenset(index_of[id(run)] for run in held)))
    return found


def _regions(lines: Sequence[Row]) -> list[list[Row]]:
    """Lines in succession that keep at least three columns free of each other; a line in one piece goes on a cell."""
    found: list[list[Row]] = []
    region: list[Row] = []
    for line in lines:
        if region and not _goes_on(region, line):
            found.append(region)
            region = []
        if region or len(pieces(line)) >= MIN_COLUMNS:
            region.append(line)
    return [_trimmed(part) for part in [*found, region] if len(part) >= MIN_ROWS]


def _goes_on(region: Sequence[Row], line: Row) -> bool:
    if line.top - region[-1].bottom > FAR * line.size or is_table_caption(line.text) or is_figure_caption(line.text):
        return False
    columns = columns_of(region)
    said = pieces(line)
    if len(said) == 1:
        return (
            sum(1 for left, right in columns if right > said[0][0] and left < said[0][1]) == 1 and len(line.text) <= 40
        )
    return len(columns_of([*region, line])) >= max(MIN_COLUMNS, len(columns) - 1)


def _trimmed(lines: list[Row]) -> list[Row]:
    last = len(lines)
    while last and len(pieces(lines[last - 1])) == 1 and lines[last - 1].left <= lines[0].left + SAME:
        last -= 1
    return lines[:last]


def _stand_under_each_other(runs: Sequence[Run], columns: Sequence[Span]) -> bool:
    """Whether most of each column's texts have an edge or their middle in common."""
    good = 0
    for column in range(len(columns)):
        held = [run for run in runs if column_of(run, columns) == column]
        best = max((_most_in_one_place([place(run) for run in held]) for place in (_left, _right, _centre)), default=0)
        good += len(held) >= MIN_ROWS and best >= ALIGNED * len(held)
    return good >= len(columns) - 1 and good >= MIN_COLUMNS


def _most_in_one_place(places: Sequence[float]) -> int:
    ordered = sorted(places)
    return max((bisect_right(ordered, place + SAME) - i for i, place in enumerate(ordered)), default=0)


def _left(run: Run) -> float:
    return run.left


def _right(run: Run) -> float:
    return run.right


def _centre(run: Run) -> float:
    return (run.left + run.right) / 2


def _is_list(runs: Sequence[Run], columns: Sequence[Span]) -> bool:
    """Marks and texts beside each other."""
    first = [run.text for run in runs if column_of(run, columns) == 0]
    return sum(1 for text in first if len(text) <= 3 and not text.isalnum()) > 0.8 * len(first)
