"""Which tables a page has, from all that speaks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.layout.aligned import aligned_tables
from ingest.layout.banded import banded_tables
from ingest.layout.charts import chart_regions, without_charts
from ingest.layout.panes import panes
from ingest.layout.runs import Rect, Run, inside, overlap
from ingest.layout.spaced import spaced_tables
from ingest.layout.tables import FoundTable, is_plausible, ruled_tables
from ingest.parsers.pdf_tags import tagged_tables
from ingest.parsers.pdf_text import TextPage


def find_tables(page: TextPage, runs: Sequence[Run]) -> tuple[list[FoundTable], list[Run]]:
    """Tables of a page, best evidence first (tags, lines, columns of numbers, alignment), and the runs that are in none."""
    index_of = {id(run): index for index, run in enumerate(runs)}
    charts = chart_regions(page.shapes, page.rules, runs)
    candidates = tagged_tables(page.tags, runs)
    if not candidates:
        candidates = [table for table in ruled_tables(page.rules, runs) if not _in_chart(table.box, charts)]
    taken = {i for table in candidates for i in table.runs}
    free = without_charts([run for i, run in enumerate(runs) if i not in taken], charts)
    parts = panes(free, page.width)
    numbers = [table for part in parts for table in _renumbered(aligned_tables(part), part, index_of)]
    banded = _renumbered(banded_tables(page.rules, page.shapes, free), free, index_of)
    candidates += [table for table in _larger(numbers, banded) if not _is_in(table.box, candidates)]
    taken = {i for table in candidates for i in table.runs}
    for part in parts:
        left = [run for run in part if index_of[id(run)] not in taken]
        found = _renumbered(spaced_tables(left), left, index_of)
        candidates += [table for table in found if not _is_in(table.box, candidates)]
    taken = {i for table in candidates for i in table.runs}
    for grid, box in page.tables:
        if not is_plausible(grid) or _is_in(box, candidates, 0.2) or _in_chart(box, charts):
            continue
        indices = frozenset(i for i, run in enumerate(runs) if i not in taken and inside(run, box.grown(1.0)))
        if indices:
            candidates.append(FoundTable(grid, box, indices))
            taken |= indices
    return candidates, [run for i, run in enumerate(runs) if i not in taken]


def _renumbered(tables: Sequence[FoundTable], part: Sequence[Run], index_of: Mapping[int, int]) -> list[FoundTable]:
    """Tables of some runs with their indices among all runs."""
    return [replace(table, runs=frozenset(index_of[id(part[i])] for i in table.runs)) for table in tables]


def _in_chart(box: Rect, charts: Sequence[Rect]) -> bool:
    """Whether a good part of it is a chart."""
    for chart in charts:
        width = min(box.right, chart.right) - max(box.left, chart.left)
        height = min(box.bottom, chart.bottom) - max(box.top, chart.top)
        if max(width, 0.0) * max(height, 0.0) > 0.3 * box.area:
            return True
    return False


def _is_in(box: Rect, tables: Sequence[FoundTable], share: float = 0.1) -> bool:
    return any(overlap(box, table.box) > share for table in tables)


def _larger(numbers: Sequence[FoundTable], banded: Sequence[FoundTable]) -> list[FoundTable]:
    """Of two readings of one place the one that explains more of it: financial reports shade every second row and draw a line under
    every total, so that bands are pieces of a table; two tables side by side are one to who looks at the numbers only."""
    banded = [table for table in banded if sum(_is_within(other.box, table.box) for other in numbers) <= 1]
    kept = []
    for table in numbers:
        within = [other for other in banded if overlap(table.box, other.box) > 0.1]
        apart = any(a.box.right < b.box.left for a in within for b in within)
        if not within or not (_covers(within, table) if apart else max(len(o.runs) for o in within) > len(table.runs)):
            kept.append(table)
    return kept + [table for table in banded if not _is_in(table.box, kept)]


def _is_within(inner: Rect, outer: Rect) -> bool:
    sideways = inner.left >= outer.left - 5 and inner.right <= outer.right + 5
    return sideways and overlap(inner, outer) > 0.1


def _covers(parts: Sequence[FoundTable], table: FoundTable) -> bool:
    held = frozenset(index for part in parts for index in part.runs)
    return len(table.runs & held) >= 0.9 * len(table.runs)
