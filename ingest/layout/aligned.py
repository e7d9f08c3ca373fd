"""Tables of figures without lines: labels on the left, columns of numbers that stand below each other.

The shape of financial statements and statistical tables. Their cells are found by the numbers themselves, so that
labels of any length, missing cells and rows that are only a heading keep their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.layout.captions import is_figure_caption, is_table_caption
from ingest.layout.runs import Rect, Row, Run, rows
from ingest.layout.tables import FoundTable, Grid
from ingest.layout.text import glue, join_lines

_NUMBER = re.compile(
    r"^(?:[$€£¥¥￥*†<>≥≤~±+\s]|HK|US|RMB)*[-–—(]*\s*[$€£¥]?\s*\d[\d,.]*\s*[%)x*†]*(?:\s?(?:%|pts?|bps?|pp))?\)?$|^[-–—*]{1,6}$"
    r"|^\(?(?:[XD]|NM|N/?[AM]|n/?[am])\)?$|^[-–—]\s*%$|^[$€£¥]\s*[-–—]$",
)
_ATTACHED = re.compile(r"^(?:[$€£¥(]{1,2}|[%)]{1,2})$")
_YEAR = re.compile(r"^(?:FY\s*)?(?:19|20)\d\d[*†]?$")
MIN_ROWS = 3
LABEL_GAP = 14.0
"""Points between two runs left of the numbers from which they are not one label."""


@dataclass(frozen=True, slots=True)
class _Line:
    row: Row
    label: tuple[Run, ...]
    numbers: tuple[Run, ...]

    @property
    def is_data(self) -> bool:
        return bool(self.numbers)


def aligned_tables(runs: Sequence[Run]) -> list[FoundTable]:
    """Tables with at least two columns of numbers and three rows with two numbers each."""
    index_of = {id(run): index for index, run in enumerate(runs)}
    all_rows = rows(runs)
    lines = [_line(row) for row in all_rows]
    found = []
    for first, last in _regions(lines):
        body = [line for line in lines[first : last + 1] if line is not None]
        columns = _columns(body)
        if len(columns) < 2 or sum(1 for line in body if len(line.numbers) >= 2) < MIN_ROWS:
            continue
        header_rows = all_rows[_header_start(all_rows, first, columns) : first]
        while len(body) > MIN_ROWS and _is_years(body[0]):
            header_rows.append(body.pop(0).row)
        grid: Grid = [_header(header_rows, columns), *_wrapped([_cells(line, columns) for line in body])]
        if not any(grid[0]):
            grid = grid[1:]
        used = [run for row in [*header_rows, *(line.row for line in body)] for run in row.runs]
        found.append(FoundTable(grid, Rect.around(used), frozenset(index_of[id(run)] for run in used)))
    return found


def _is_years(line: _Line) -> bool:
    """Years above the columns look like data."""
    return bool(line.numbers) and not line.label and all(_YEAR.match(run.text) for run in line.numbers)


def _wrapped(cells: Sequence[list[str]]) -> Grid:
    """A label that goes on in small letters on the row of its numbers is one label."""
    made: Grid = []
    for row in cells:
        above = made[-1] if made else None
        if above and not any(above[1:]) and len(above[0]) > 30 and row[0][:1].islower():
            row = [join_lines([above[0], row[0]]), *row[1:]]
            made.pop()
        made.append(row)
    return made


def is_number(text: str) -> bool:
    return bool(_NUMBER.match(text.strip()))


def _line(row: Row) -> _Line | None:
    """Label and numbers of a row; None where the row is something else."""
    numbers = [run for run in row.runs if is_number(run.text) or _ATTACHED.match(run.text)]
    if row.runs and row.runs[0] in numbers and len(numbers) < len(row.runs):
        numbers = numbers[1:] if not _ATTACHED.match(row.runs[0].text) else numbers  # "2023 was a year …"
    if not any(is_number(run.text) for run in numbers):
        numbers = []
    edge = min((run.left for run in numbers), default=float("inf"))
    label = [run for run in row.runs if run not in numbers]
    if any(run.left > edge for run in label):
        return None
    if any(right.left - left.right > LABEL_GAP for left, right in pairwise(label)):
        return None
    if numbers and label and edge - label[-1].right < 3.0 and len(numbers) == 1:
        return None  # a number inside a sentence
    return _Line(row, tuple(label), tuple(numbers))


def _regions(lines: Sequence[_Line | None]) -> list[tuple[int, int]]:
    """First and last data row of each run of rows that can be one table."""
    regions: list[tuple[int, int]] = []
    start: int | None = None
    last = 0
    for index, line in enumerate(lines):
        if start is not None:
            previous = lines[index - 1]
            far = line is None or previous is None or line.row.top - previous.row.bottom > 2.2 * line.row.size
            if far or _breaks(line, index - last):
                regions.append((start, last))
                start = None
        if line is not None and line.is_data:
            start = index if start is None else start
            last = index
    if start is not None:
        regions.append((start, last))
    return regions


def _breaks(line: _Line | None, since: int) -> bool:
    """Whether a row without numbers ends the table: prose, or the fourth such row in succession."""
    if line is None or line.is_data:
        return line is None
    text = line.row.text
    return since > 3 or len(text) > 110 or is_table_caption(text) or is_figure_caption(text)


def _columns(body: Sequence[_Line]) -> list[tuple[float, float]]:
    """Extents of the columns of numbers, left to right."""
    spans = sorted((run.left, run.right) for line in body for run in line.numbers if is_number(run.text))
    merged: list[list[float]] = []
    counts: list[int] = []
    for left, right in spans:
        if merged and left < merged[-1][1] - 0.5:
            merged[-1][1] = max(merged[-1][1], right)
            counts[-1] += 1
        else:
            merged.append([left, right])
            counts.append(1)
    return [(span[0], span[1]) for span, count in zip(merged, counts, strict=True) if count >= 2]


def _cells(line: _Line, columns: Sequence[tuple[float, float]]) -> list[str]:
    cells: list[list[Run]] = [[] for _ in columns]
    for run in line.numbers:
        cells[_nearest(run, columns)].append(run)
    return [glue(line.label), *(_value(cell) for cell in cells)]


def _value(cell: Sequence[Run]) -> str:
    return glue(cell).replace("$ ", "$").replace(" %", "%").replace(" )", ")")


def _nearest(run: Run, columns: Sequence[tuple[float, float]]) -> int:
    """A currency sign belongs to the column on its right, a per cent sign to the one on its left."""
    text = run.text.strip()
    if _ATTACHED.match(text):
        if text[0] in "$€£¥(":
            following = [i for i, (_, right) in enumerate(columns) if right > run.right]
            return following[0] if following else len(columns) - 1
        before = [i for i, (left, _) in enumerate(columns) if left < run.left]
        return before[-1] if before else 0
    middle = (run.left + run.right) / 2
    return min(range(len(columns)), key=lambda i: abs(middle - (columns[i][0] + columns[i][1]) / 2))


def _header_start(all_rows: Sequence[Row], first: int, columns: Sequence[tuple[float, float]]) -> int:
    """Index of the first row of column headings above the data."""
    start = first
    below = all_rows[first]
    left = columns[0][0] - 40.0
    for index in range(first - 1, max(first - 7, -1), -1):
        row = all_rows[index]
        over = [run for run in row.runs if run.right > left]
        beside = [run for run in row.runs if run.right <= left]
        if below.top - row.bottom > 1.6 * row.size or any(len(run.text) > 45 for run in over) or len(beside) > 2:
            break
        if is_table_caption(row.text) or any(run.left < left - 30 for run in over):
            break
        if not over:
            break
        start = index
        below = row
    return start


def _header(header_rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> list[str]:
    """One heading for each column; a heading over several columns is said in each of them."""
    left = columns[0][0] - 40.0
    label: list[str] = []
    parts: list[list[str]] = [[] for _ in columns]
    for row in header_rows:
        label += [run.text for run in row.runs if run.right <= left]
        for run, covered in _covered([run for run in row.runs if run.right > left], columns):
            for column in covered:
                if run.text not in parts[column]:
                    parts[column].append(run.text)
    return [" ".join(label), *(" ".join(texts) for texts in parts)]


def _covered(over: Sequence[Run], columns: Sequence[tuple[float, float]]) -> list[tuple[Run, list[int]]]:
    """Which columns each heading of a row is for: those that are nearer to it than to its neighbours when it stands in
    the middle of them, else the one below it."""
    if not over:
        return []
    middles = [(start + end) / 2 for start, end in columns]
    centres = [(run.left + run.right) / 2 for run in over]
    groups: list[list[int]] = [[] for _ in over]
    for column, middle in enumerate(middles):
        groups[min(range(len(over)), key=lambda i: abs(centres[i] - middle))].append(column)
    pitch = (middles[-1] - middles[0]) / max(len(columns) - 1, 1)
    found = []
    for run, centre, group in zip(over, centres, groups, strict=True):
        nearest = min(range(len(columns)), key=lambda i: abs(middles[i] - centre))
        off_group = abs(centre - (middles[group[0]] + middles[group[-1]]) / 2) if group else float("inf")
        off_column = abs(middles[nearest] - centre)
        few = 3 * len(over) <= len(columns)
        spans = len(group) > 1 and off_group < 0.5 * pitch and (few or off_group < off_column - 0.1 * pitch)
        found.append((run, group if spans else [nearest]))
    return found
