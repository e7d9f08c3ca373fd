"""Tables of a tagged PDF (ISO 32000-2, 14.8): the tags name each cell's text, so that nothing has to be guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ingest.layout.runs import Rect, Run
from ingest.layout.tables import FoundTable, Grid, cell_text, fold_header

_CELLS = frozenset({"TD", "TH"})
MAX_DEPTH = 60


def tagged_tables(tree: Any, runs: Sequence[Run]) -> list[FoundTable]:
    """Tables with at least two rows and two columns whose cells name runs of this page."""
    by_mark: dict[int, list[int]] = {}
    for index, run in enumerate(runs):
        if run.mark is not None:
            by_mark.setdefault(run.mark, []).append(index)
    found = []
    for table in _named(tree.roots if tree is not None else (), "Table"):
        grid: Grid = []
        starts: list[list[int]] = []
        used: set[int] = set()
        for row in _named(table.children, "TR"):
            cells: list[str] = []
            begins: list[int] = []
            for cell in row.children:
                if cell.type in _CELLS:
                    indices = [i for mark in _marks(cell) for i in by_mark.get(mark, ())]
                    used.update(indices)
                    begins += [len(cells)] * _span(cell)
                    cells += [cell_text([runs[i] for i in indices])] + [""] * (_span(cell) - 1)
            if any(cells):
                grid.append(cells)
                starts.append(begins)
        if len(grid) < 2 or max(sum(1 for cell in row if cell) for row in grid) < 2:
            continue
        if all(len(row) == len(grid[0]) for row in grid) and len(set(starts[0])) > 1:
            grid = fold_header(grid, starts)
        found.append(FoundTable(grid, Rect.around(runs[i] for i in used), frozenset(used)))
    return found


def _named(elements: Sequence[Any], name: str, depth: int = 0) -> Iterator[Any]:
    """Elements of that type, from outside in; tables in the cells of a table are left to the outer one."""
    for element in elements:
        if element.type == name:
            yield element
        elif depth < MAX_DEPTH:
            yield from _named(element.children, name, depth + 1)


def _marks(element: Any, depth: int = 0) -> Iterator[int]:
    yield from element.marked_content_ids
    if depth < MAX_DEPTH:
        for child in element.children:
            yield from _marks(child, depth + 1)


def _span(cell: Any) -> int:
    value = (cell.attributes or {}).get("ColSpan", 1)
    return min(max(int(value), 1), 50) if isinstance(value, int | float) else 1
