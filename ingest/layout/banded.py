"""Tables with lines or coloured bands across, and none between their columns: the usual table of books, papers and slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from ingest.layout.aligned import is_number
from ingest.layout.cells import Span, column_of, columns_of, pieces, row_groups
from ingest.layout.heads import heading_cells, is_first_column
from ingest.layout.runs import Rect, Row, Run, rows
from ingest.layout.tables import FoundTable, Grid, Rule, cell_text, is_plausible

EDGE = 4.0
"""Points by which ends of lines of one table may differ."""
OVER = 8.0
"""Points by which text of a table may reach beyond its lines."""
MIN_WIDTH = 100.0
MAX_BAND = 120.0
"""Points: a coloured area higher than this is no row."""
BULLETS = ("•", "●", "○", "▪", "■", "□", "–", "- ")
PROSE = 60
"""Characters of a run across several columns from which it is a sentence."""


@dataclass(frozen=True, slots=True)
class _Band:
    """What stands between two lines."""

    top: float
    bottom: float
    lines: tuple[Row, ...]
    runs: tuple[int, ...]


def banded_tables(rules: Sequence[Rule], shapes: Sequence[Rect], runs: Sequence[Run]) -> list[FoundTable]:
    """Tables between lines of equal extent or coloured rows, two columns at least."""
    found: list[FoundTable] = []
    taken: set[int] = set()
    for left, right, heights, shaded in _frames(rules, shapes):
        for bands in _stretches(_bands(left, right, heights, shaded, runs, taken)):
            table = _table(bands, runs, Rect(left, bands[0].top, right, bands[-1].bottom))
            if table is not None:
                found.append(table)
                taken |= table.runs
    return found


def _frames(rules: Sequence[Rule], shapes: Sequence[Rect]) -> list[tuple[float, float, list[float], bool]]:
    """Left, right and heights of lines of one extent, and whether they are the edges of coloured rows."""
    rows_ = [shape for shape in _joined(shapes) if shape.width >= MIN_WIDTH and 5.0 < shape.height <= MAX_BAND]
    edges = [(shape.left, shape.right, height) for shape in rows_ for height in (shape.top, shape.bottom)]
    frames = [(left, right, heights, True) for left, right, heights in _alike(edges) if len(heights) >= 4]
    level = [rule for rule in rules if rule.horizontal and rule.right - rule.left >= MIN_WIDTH]
    frames += [
        (left, right, heights, False)
        for left, right, heights in _alike([(rule.left, rule.right, (rule.top + rule.bottom) / 2) for rule in level])
        if len(heights) >= 2
    ]
    return frames


def _alike(lines: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, list[float]]]:
    groups: list[tuple[float, float, list[float]]] = []
    for left, right, height in sorted(lines, key=lambda line: line[2]):
        for group in groups:
            if abs(group[0] - left) <= EDGE and abs(group[1] - right) <= EDGE:
                if height - group[2][-1] > 3.0:
                    group[2].append(height)
                break
        else:
            groups.append((left, right, [height]))
    return groups


def _joined(shapes: Sequence[Rect]) -> list[Rect]:
    """Coloured cells side by side as one row."""
    made: list[Rect] = []
    for shape in sorted(shapes[:2000], key=lambda shape: (round(shape.top), shape.left)):
        last = made[-1] if made else None
        if (
            last is not None
            and abs(last.top - shape.top) < 2
            and abs(last.bottom - shape.bottom) < 2
            and -2 < shape.left - last.right < 3
        ):
            made[-1] = Rect(last.left, last.top, shape.right, last.bottom)
        else:
            made.append(shape)
    return made


def _bands(
    left: float, right: float, heights: Sequence[float], shaded: bool, runs: Sequence[Run], taken: set[int]
) -> list[_Band]:
    edges = list(heights)
    if shaded:
        room = min(low - high for high, low in pairwise(heights))
        edges = [edges[0] - room, *edges, *_white_row(left, right, heights, runs)]
    bands = []
    for top, bottom in pairwise(edges):
        held = [
            i
            for i, run in enumerate(runs)
            if i not in taken
            and left - 2 <= (run.left + run.right) / 2 <= right + 2
            and top <= (run.top + run.bottom) / 2 < bottom
        ]
        if any(runs[i].left < left - OVER or runs[i].right > right + OVER for i in held):
            held = []  # text that goes on beside the lines
        bands.append(_Band(top, bottom, tuple(rows(runs[i] for i in held)), tuple(held)))
    return bands


def _white_row(left: float, right: float, heights: Sequence[float], runs: Sequence[Run]) -> list[float]:
    """Where the last row ends when it is a white one: below the lines that stand close under the last coloured row."""
    end = heights[-1]
    below = rows(run for run in runs if left - 2 <= (run.left + run.right) / 2 <= right + 2 and run.top > end - 2)
    room = min(low - high for high, low in pairwise(heights))
    for line in below:
        if (
            line.top - end > (0.5 * line.size if end > heights[-1] else room)
            or line.left < left - 2
            or line.right > right + 2
        ):
            break
        end = line.bottom
    return [end + 1.0] if end > heights[-1] else []


def _stretches(bands: Sequence[_Band]) -> list[list[_Band]]:
    """Bands in succession that can be rows of one table."""
    found: list[list[_Band]] = [[]]
    for band in bands:
        together = [line for other in [*found[-1], band] for line in other.lines]
        columns = columns_of(together)
        if not band.lines or len(columns) < 2 or _is_prose(band, columns):
            found.append([])
            continue
        found[-1].append(band)
    return [_trimmed(stretch) for stretch in found if _trimmed(stretch)]


def _trimmed(stretch: Sequence[_Band]) -> list[_Band]:
    """Without a first or last band that has one column only: text above or below the table."""
    first, last = 0, len(stretch)
    while first < last and max(len(pieces(line)) for line in stretch[first].lines) < 2:
        first += 1
    while last > first and max(len(pieces(line)) for line in stretch[last - 1].lines) < 2:
        last -= 1
    return list(stretch[first:last])


def _is_prose(band: _Band, columns: Sequence[Span]) -> bool:
    """Whether a sentence stands in it: a long piece, by itself across the space between columns or over most of their width."""
    width = columns[-1][1] - columns[0][0]
    if any(len(run.text) >= PROSE and run.right - run.left > 0.6 * width for line in band.lines for run in line.runs):
        return True
    for line in band.lines:
        said = pieces(line)
        if (
            len(said) == 1
            and len(line.text) >= PROSE
            and sum(1 for left, right in columns if right > said[0][0] and left < said[0][1]) > 1
        ):
            return True
    return False


def _table(bands: Sequence[_Band], runs: Sequence[Run], box: Rect) -> FoundTable | None:
    body = bands[1:] if len(bands) > 1 else bands
    columns = columns_of([line for band in body for line in band.lines])
    if len(columns) < 2:
        return None
    head = bands[0] if len(bands) > 1 else None
    grid: Grid = [_heads(head, columns)] if head is not None else []
    ruled_rows = len(body) > 2
    for band in body:
        held = [runs[i] for i in band.runs]
        groups = [held] if ruled_rows and _is_row(held, columns) else row_groups(held, columns, is_number)
        grid += [row_cells(group, columns) for group in groups]
    if _is_running_text(grid):
        return None
    labels = [row[0] for row in grid[head is not None :] if row[0]]
    if not labels or 2 * sum(map(is_number, labels)) > len(labels):
        return None  # the part of a table that lines were drawn under
    body_rows = grid[head is not None :]
    if 2 * sum(sum(map(bool, row)) > 1 for row in body_rows) < len(body_rows):
        return None
    used = frozenset(i for band in bands for i in band.runs)
    return FoundTable(grid, box, used) if is_plausible(grid, ruled=True) else None


def _is_running_text(grid: Grid) -> bool:
    """Whether lines of a sentence or a list were taken for rows: they go on in small letters, or begin with a mark."""
    first = [next((cell for cell in row if cell), "") for row in grid]
    goes_on = sum(1 for text in first if text[:1].islower() or text.startswith(BULLETS))
    marks = any(
        len(column) > 1
        and sum(len(text) == 1 and not text.isalnum() and text not in "-–—" for text in column) > 0.6 * len(column)
        for column in ([row[i] for row in grid if row[i]] for i in range(len(grid[0])))
    )
    return marks or goes_on > 0.3 * len(grid)


def _heads(head: _Band, columns: Sequence[Span]) -> list[str]:
    return heading_cells(head.lines, columns[1:], partial(is_first_column, columns=columns), leaves=True)


def _is_row(runs: Sequence[Run], columns: Sequence[Span]) -> bool:
    """Whether all that stands between two lines is one row: no column has two numbers under each other."""
    numbers = [column_of(run, columns) for run in runs if is_number(run.text)]
    return len(numbers) == len(set(numbers))


def row_cells(runs: Sequence[Run], columns: Sequence[Span]) -> list[str]:
    cells: list[list[Run]] = [[] for _ in columns]
    for run in runs:
        cells[column_of(run, columns)].append(run)
    return [cell_text(cell) for cell in cells]
