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
from ingest.layout.cells import Span, row_groups
from ingest.layout.heads import heading_cells
from ingest.layout.runs import Rect, Row, Run, rows
from ingest.layout.tables import FoundTable, Grid, cell_text
from ingest.layout.text import glue, join_lines

_NUMBER = re.compile(
    r"^(?:[$€£¥¥￥*†<>≥≤~±+\s]|HK|US|RMB)*[-–—(]*\s*[$€£¥]?\s*\d[\d,.]*\s*[%)x*†]*"
    r"(?:\s?(?:%|pts?|bps?|pp|[kKmMbB]n?|[万亿千百]{1,2}[元人吨股户]?|[元人倍年月日个次吨]|个?百分点))?\)?$|^[-–—*]{1,6}$"
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
        first, last = _with_labels(lines, all_rows, first, last, columns)
        body = [line for line in lines[first : last + 1] if line is not None]
        header_rows = all_rows[_header_start(all_rows, first, columns) : first]
        heads = _heads_among(body, columns)
        header_rows, body = [*header_rows, *(line.row for line in body[:heads])], body[heads:]
        grid: Grid = [
            _header(header_rows, columns),
            *_wrapped([_cells(line, columns) for line in _grouped(body, columns)]),
        ]
        if not any(grid[0]):
            grid = grid[1:]
        used = [run for row in [*header_rows, *(line.row for line in body)] for run in row.runs]
        found.append(FoundTable(grid, Rect.around(used), frozenset(index_of[id(run)] for run in used)))
    return found


def _heads_among(body: Sequence[_Line], columns: Sequence[Span]) -> int:
    """How many of the first lines are headings: years alone look like data, and words above the numbers are of no row."""
    heads = 0
    for index, line in enumerate(body[: min(4, len(body) - MIN_ROWS)]):
        words = any(run.right > columns[0][0] and run.left > line.row.left for run in line.label)
        alone = not line.is_data and line.label and line.label[0].left > columns[0][0] - 0.5 * line.row.size
        years = bool(line.numbers) and not line.label and all(_YEAR.match(run.text) for run in line.numbers)
        if words or alone or (years and index == heads):
            heads = index + 1
    return heads


def _with_labels(
    lines: Sequence[_Line | None], all_rows: Sequence[Row], first: int, last: int, columns: Sequence[Span]
) -> tuple[int, int]:
    """The region with the lines around it that are labels only: a label of several lines, centred beside its numbers, and the name
    of a section between the headings and the first row."""
    start, end = first, last
    while start > 0 and first - start < 2 and _is_near_label(lines[start - 1], all_rows[start], columns):
        start -= 1
    while end + 1 < len(lines) and end - last < 2 and _is_near_label(lines[end + 1], all_rows[end], columns):
        end += 1
    body = [line for line in lines[start : end + 1] if line is not None]
    groups = _grouped(body, columns)
    below = 0
    while groups and not groups[-1].is_data:  # text under the table
        below += len({id(run) for run in groups.pop().label} & {id(line.label[0]) for line in body if line.label})
    above = next((i for i, group in enumerate(groups) if group.is_data), 0)
    header = all_rows[_header_start(all_rows, start, columns) : start]
    if above and not any(_header(header, columns)[1:]):
        start += above
    return start, end - below


def _is_near_label(line: _Line | None, beside: Row, columns: Sequence[Span]) -> bool:
    if line is None or line.is_data or not line.label or len(line.row.text) > 60:
        return False
    gap = max(beside.top - line.row.bottom, line.row.top - beside.bottom)
    left = is_table_caption(line.row.text) or is_figure_caption(line.row.text) or line.row.right > columns[0][0]
    return gap <= 1.2 * line.row.size and not left


def _grouped(body: Sequence[_Line], columns: Sequence[Span]) -> list[_Line]:
    """Lines of one row of the table as one: its label may take several, with the numbers beside the first, the middle or the last."""
    labels = [run for line in body for run in line.label if run.right <= columns[0][0] + 1.0]
    numbers = {id(run) for line in body for run in line.numbers}
    if not labels:
        return list(body)
    spans = [(min(run.left for run in labels), max(run.right for run in labels)), *columns]
    made = []
    for group in row_groups([run for line in body for run in line.row.runs], spans, is_number):
        box = Rect.around(group)
        row = Row(tuple(group), box.left, box.top, box.right, box.bottom)
        label = [run for line in rows(run for run in group if id(run) not in numbers) for run in line.runs]
        made.append(_Line(row, tuple(label), tuple(run for run in group if id(run) in numbers)))
    return made


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


def _columns(body: Sequence[_Line]) -> list[Span]:
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


def _cells(line: _Line, columns: Sequence[Span]) -> list[str]:
    cells: list[list[Run]] = [[] for _ in columns]
    for run in line.numbers:
        cells[_nearest(run, columns)].append(run)
    return [cell_text(line.label), *(_value(cell) for cell in cells)]


def _value(cell: Sequence[Run]) -> str:
    return glue(cell).replace("$ ", "$").replace(" %", "%").replace(" )", ")")


def _nearest(run: Run, columns: Sequence[Span]) -> int:
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


def _header_start(all_rows: Sequence[Row], first: int, columns: Sequence[Span]) -> int:
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
            if len(beside) != 1 or row.bottom < below.top - 0.5 * row.size:
                break
            continue  # the heading of the labels, in the middle beside two rows of headings
        start = index
        below = row
    return start


def _header(header_rows: Sequence[Row], columns: Sequence[Span]) -> list[str]:
    """One heading for each column; a heading over several columns is said in each of them."""
    left = columns[0][0] - 40.0
    return heading_cells(header_rows, columns, lambda span: span[1] <= left)
