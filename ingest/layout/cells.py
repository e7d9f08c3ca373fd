"""Rows and columns of a table that draws no box around its cells, from where its text stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from ingest.layout.runs import Row, Run, rows

Span = tuple[float, float]
"""Left and right of a column."""

GUTTER = 0.55
"""Least space between columns in font sizes: two spaces between words."""
JUMP = 0.15
"""Least difference, in font sizes, between the leading inside a cell and the distance of two rows."""
TIGHT = 0.5
"""The most that lines inside a cell are apart, in font sizes."""


def columns_of(lines: Sequence[Row]) -> list[Span]:
    """Extents of the columns, left to right: what no line with several pieces covers is between them."""
    several = [line for line in lines if len(pieces(line)) > 1]
    size = max((line.size for line in several), default=10.0)
    spans: list[list[float]] = []
    for left, right in sorted(piece for line in several for piece in pieces(line)):
        if spans and left - spans[-1][1] < GUTTER * size:
            spans[-1][1] = max(spans[-1][1], right)
        else:
            spans.append([left, right])
    return [(left, right) for left, right in spans]


def pieces(line: Row) -> list[Span]:
    """Extents of what stands together on a line."""
    found: list[list[float]] = []
    for run in line.runs:
        if found and run.left - found[-1][1] < GUTTER * line.size:
            found[-1][1] = max(found[-1][1], run.right)
        else:
            found.append([run.left, run.right])
    return [(left, right) for left, right in found]


def column_of(run: Run, columns: Sequence[Span]) -> int:
    """The column that a run shares most with; the nearest one where it shares nothing."""
    shared = [min(run.right, right) - max(run.left, left) for left, right in columns]
    return max(range(len(columns)), key=lambda i: (shared[i], -i))


def row_groups(runs: Sequence[Run], columns: Sequence[Span], is_single: Callable[[str], bool]) -> list[list[Run]]:
    """Runs by the row of the table they stand in, top to bottom: lines of one cell are closer to each other than rows are.

    Where lines are equally far apart each of them is a row. `is_single` tells texts that fill a cell alone (numbers): a group with
    two of them under each other is more than one row.
    """
    lines = rows(runs)
    if len(lines) < 2:
        return [list(line.runs) for line in lines]
    size = sorted(line.size for line in lines)[len(lines) // 2]
    gaps = _gaps(lines)
    threshold = _threshold(gaps, size)
    if threshold is None:
        return [list(line.runs) for line in lines]
    groups: list[list[Row]] = [[lines[0]]]
    for gap, line in zip(gaps, lines[1:], strict=True):
        if gap > threshold:
            groups.append([])
        groups[-1].append(line)
    made: list[list[Run]] = []
    for group in groups:
        if _is_one_row(group, columns, is_single):
            made.append([run for line in group for run in line.runs])
        else:
            made += [list(line.runs) for line in group]
    return made


def _is_one_row(lines: Sequence[Row], columns: Sequence[Span], is_single: Callable[[str], bool]) -> bool:
    """Whether lines that stand close can be those of one row: no column has two numbers, and the label goes on because it had to."""
    if len(lines) == 1:
        return True
    held: list[list[list[Run]]] = [[] for _ in columns]
    for line in lines:
        for column in {column_of(run, columns) for run in line.runs}:
            held[column].append([run for run in line.runs if column_of(run, columns) == column])
    for texts in held:
        if len(texts) > 1 and any(is_single(run.text) for runs in texts for run in runs):
            return False
    return all(_wraps(above[-1], below[0], columns[0][1]) for above, below in pairwise(held[0]))


def _wraps(above: Run, below: Run, right: float) -> bool:
    """Whether the first word of a line had no place at the end of the line above, in a column that ends there."""
    if above.text.endswith((":", "：")):
        return False
    word = below.text[0] if not below.text[0].isascii() else below.text.split(" ", 1)[0]
    width = (below.right - below.left) * len(word) / max(len(below.text), 1)
    space = 0.0 if not below.text[0].isascii() else 0.2 * below.size
    return below.text[:1].islower() or above.right + space + width > right - 0.5


def _gaps(lines: Sequence[Row]) -> list[float]:
    """Space between each line and what stands above it, from the heights of their letters: boxes of fonts differ."""
    gaps = []
    bottom = _middle(lines[0]) + lines[0].size / 2
    for line in lines[1:]:
        gaps.append(_middle(line) - line.size / 2 - bottom)
        bottom = max(bottom, _middle(line) + line.size / 2)
    return gaps


def _middle(line: Row) -> float:
    return (line.top + line.bottom) / 2


def _threshold(gaps: Sequence[float], size: float) -> float | None:
    """Between the distances of lines in a cell and those of rows; None where there is only one kind of distance."""
    ordered = sorted(max(gap, 0.0) for gap in gaps)
    jumps = [(above - below, below) for below, above in pairwise(ordered) if below <= TIGHT * size]
    wide, below = max(jumps, default=(0.0, 0.0))
    return below + wide / 2 if wide >= JUMP * size else None
