"""Headings above the columns of a table: what one over several columns says is said in each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.layout.cells import GUTTER, Span
from ingest.layout.runs import Row, Run
from ingest.layout.text import glue, join_lines

TIGHT = 0.35
"""The most, in font sizes, that the lines of one heading are apart."""
ALIGNED = 2.5
"""Points by which the edges or middles of a heading and its column may differ."""


@dataclass(slots=True)
class _Heading:
    """A heading of one or several lines."""

    pieces: list[list[Run]]

    @property
    def span(self) -> Span:
        runs = [run for piece in self.pieces for run in piece]
        return min(run.left for run in runs), max(run.right for run in runs)

    @property
    def top(self) -> float:
        return min(run.top for run in self.pieces[0])

    @property
    def bottom(self) -> float:
        return max(run.bottom for run in self.pieces[-1])

    @property
    def text(self) -> str:
        return join_lines(glue(piece) for piece in self.pieces)


def heading_cells(
    lines: Sequence[Row], columns: Sequence[Span], is_label: Callable[[Span], bool], *, leaves: bool = False
) -> list[str]:
    """One heading for the labels and one for each column, from the lines above the body. `leaves` says that the lowest row is known to be
    headings of single columns."""
    levels = _levels(_headings(lines))
    label: list[str] = []
    parts: list[list[str]] = [[] for _ in columns]
    for level in levels:
        label += [heading.text for heading in level if is_label(heading.span)]
        over = [heading for heading in level if not is_label(heading.span)]
        spans = [heading.span for heading in over]
        last = leaves and level is levels[-1]
        for heading, covered in zip(over, covered_columns(spans, columns, last=last), strict=True):
            for column in covered:
                if heading.text not in parts[column]:
                    parts[column].append(heading.text)
    return [join_lines(label), *(join_lines(texts) for texts in parts)]


def _headings(lines: Sequence[Row]) -> list[_Heading]:
    """Lines that go on right below, in the same place, are one heading."""
    made: list[_Heading] = []
    for line in lines:
        for piece in _pieces(line):
            span, size = (piece[0].left, piece[-1].right), piece[0].size
            near = [
                heading
                for heading in made
                if _shared(heading.span, span) > 0 and _leading(heading.pieces[-1], piece) <= TIGHT * size
            ]
            if len(near) == 1 and _is_aligned(span, near[0].span) and _is_alone(near[0], line):
                near[0].pieces.append(piece)
            else:
                made.append(_Heading([piece]))
    return made


def _is_alone(heading: _Heading, line: Row) -> bool:
    """Whether one piece only of a line stands below a heading."""
    return sum(1 for piece in _pieces(line) if _shared(heading.span, (piece[0].left, piece[-1].right)) > 0) == 1


def _leading(above: Sequence[Run], below: Sequence[Run]) -> float:
    """Space between the letters of two lines."""
    middles = [(piece[0].top + piece[0].bottom) / 2 for piece in (above, below)]
    return middles[1] - middles[0] - (above[0].size + below[0].size) / 2


def _levels(headings: Sequence[_Heading]) -> list[list[_Heading]]:
    """Headings side by side, top to bottom."""
    levels: list[list[_Heading]] = []
    for heading in sorted(headings, key=lambda heading: heading.bottom):
        level = levels[-1] if levels else []
        if level and heading.top < max(other.bottom for other in level) - 0.3 * heading.pieces[0][0].size:
            level.append(heading)
        else:
            levels.append([heading])
    return [sorted(level, key=lambda heading: heading.span) for level in levels]


def covered_columns(over: Sequence[Span], columns: Sequence[Span], *, last: bool = False) -> list[list[int]]:
    """Which columns each heading of a line is for: the one it is aligned with; those that are nearer to it than to its neighbours when it
    stands in the middle of them; else the one below it. In the `last` line above the body each is for one column."""
    if not over:
        return []
    middles = [(left + right) / 2 for left, right in columns]
    centres = [(left + right) / 2 for left, right in over]
    groups: list[list[int]] = [[] for _ in over]
    for column, middle in enumerate(middles):
        groups[min(range(len(over)), key=lambda i: abs(centres[i] - middle))].append(column)
    pitch = (middles[-1] - middles[0]) / max(len(columns) - 1, 1)
    few = 3 * len(over) <= len(columns)
    found = []
    for span, centre, group in zip(over, centres, groups, strict=True):
        nearest = max(range(len(columns)), key=lambda i: (_shared(span, columns[i]), -abs(middles[i] - centre)))
        off_group = _off_middle(centre, [columns[i] for i in group], pitch)
        off_column = abs(middles[nearest] - centre)
        alone = last or (_is_aligned(span, columns[nearest]) and off_group > (0.15 if few else 0.1) * pitch)
        spans = len(group) > 1 and off_group < 0.5 * pitch and (few or off_group < off_column - 0.1 * pitch)
        found.append(group if spans and not alone else [nearest])
    return found


def _off_middle(centre: float, group: Sequence[Span], pitch: float) -> float:
    """How far a heading is from the middle of some columns. Where texts end at the right of their cells, or begin at the left, the middle
    of the cells is not that of the texts."""
    if not group:
        return float("inf")
    (left, first_end), (last_start, right) = group[0], group[-1]
    ways = (left + right, first_end - pitch + right, left + last_start + pitch)
    return min(abs(centre - way / 2) for way in ways)


def is_first_column(span: Span, columns: Sequence[Span]) -> bool:
    """Whether it stands above the first column and none of the others."""
    return _shared(span, columns[0]) > 0 and (len(columns) < 2 or span[1] < columns[1][0])


def _is_aligned(span: Span, column: Span) -> bool:
    ways = (span[0] - column[0], span[1] - column[1], (span[0] + span[1] - column[0] - column[1]) / 2)
    return _shared(span, column) > 0 and min(map(abs, ways)) <= ALIGNED


def _shared(a: Span, b: Span) -> float:
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def _pieces(line: Row) -> list[list[Run]]:
    found: list[list[Run]] = []
    for run in line.runs:
        if found and run.left - found[-1][-1].right < GUTTER * line.size:
            found[-1].append(run)
        else:
            found.append([run])
    return found
