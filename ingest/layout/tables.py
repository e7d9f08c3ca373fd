"""Tables: a grid of cell texts → GitHub-flavoured Markdown, and ruled lines → such a grid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.layout.runs import Rect, Run, rows
from ingest.layout.text import clean, join_lines

_BEFORE = frozenset({"$", "€", "£", "¥", "(", "$("})
_AFTER = frozenset({")", "%", ")%"})
_LOOSE = re.compile(r"(?<=[\d%]) (?=[)%])|(?<=[$€£¥]) (?=[\d(])")

Grid = list[list[str]]
MAX_HEADER = 4

_FIGURES = re.compile(r"^[-–—+±<>≥≤~$€£¥*()\s]*[\d.,]+[\d.,%*()\s]*$|^[-–—*]+$|^\(?[XN]/?A?\)?$")


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight horizontal or vertical line."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def horizontal(self) -> bool:
        return self.right - self.left >= self.bottom - self.top


@dataclass(frozen=True, slots=True)
class FoundTable:
    grid: Grid
    box: Rect
    runs: frozenset[int]
    """Indices of the runs that stand in its cells."""


def to_markdown(grid: Grid) -> str:
    """The first row is the header. Cells lose line breaks and keep pipes escaped; empty rows and columns are dropped."""
    width = max((len(row) for row in grid), default=0)
    padded = with_signs([[_cell(text) for text in row] + [""] * (width - len(row)) for row in grid])
    padded = [row for row in padded if any(row)]
    used = [i for i in range(width) if any(row[i] for row in padded)]
    if not padded or not used:
        return ""
    lines = ["| " + " | ".join(row[i] for i in used) + " |" for row in padded]
    lines.insert(1, "|" + " --- |" * len(used))
    return "\n".join(lines)


def with_signs(grid: Grid) -> Grid:
    """Columns that hold nothing but currency signs, brackets or per cent signs joined to the figures they belong to."""
    made = [list(row) for row in grid]
    width = len(made[0]) if made else 0
    for column in range(width):
        for signs, step in ((_BEFORE, 1), (_AFTER, -1)):
            other = column + step
            if 0 <= other < width and _is_sign_column(made, column, other, signs):
                for row in made:
                    pair = (row[column], row[other]) if step > 0 else (row[other], row[column])
                    row[other] = ("" if row[column] in signs else " ").join(filter(None, pair))
                    row[column] = ""
                break
    return [[_LOOSE.sub("", text) for text in row] for row in made]


def _is_sign_column(grid: Grid, column: int, other: int, signs: frozenset[str]) -> bool:
    """Whether a column has signs and nothing else, except where the column beside it is empty (a heading over both)."""
    cells = [(row[column], row[other]) for row in grid if row[column]]
    return any(cell in signs for cell, _ in cells) and all(cell in signs or not beside for cell, beside in cells)


def is_plausible(grid: Grid, *, ruled: bool = False) -> bool:
    """Whether a grid reads as a table rather than as columns of prose. Lines drawn around cells are proof enough of
    intent; without them cells have to be short or figures."""
    filled = [cell for row in grid for cell in row if cell.strip()]
    columns = max((sum(1 for cell in row if cell.strip()) for row in grid), default=0)
    if len(grid) < 2 or columns < 2 or len(filled) < 4:
        return False
    slots = len(grid) * max(len(row) for row in grid)
    if ruled:
        return len(filled) >= 0.3 * slots  # the grid lines of a chart make cells too, nearly all of them empty
    figures = sum(1 for cell in filled if _FIGURES.match(cell.strip()))
    if figures >= 0.4 * len(filled):
        return True
    length = sum(len(cell) for cell in filled) / len(filled)
    return length <= 28 and len(grid) >= 3 and len(filled) >= 0.5 * slots


def fold_header(grid: Grid, starts: Sequence[Sequence[int]]) -> Grid:
    """Several header rows as one: a cell above several columns is said in each of them ("2023 Revenue", "2023 Cost").

    `starts[row][column]` is the column in which the cell that covers this slot begins. Header rows are the first row and
    those below it as long as the row above has a cell over several columns.
    """
    depth = 1
    while depth < min(MAX_HEADER, len(grid) - 1) and _spans(grid[depth - 1], starts[depth - 1]):
        depth += 1
    if depth == 1:
        return grid
    header = []
    for column in range(len(grid[0])):
        parts: list[str] = []
        for row in range(depth):
            text = grid[row][starts[row][column]]
            if text and text not in parts:
                parts.append(text)
        header.append(" ".join(parts))
    return [header, *grid[depth:]]


def _spans(row: Sequence[str], starts: Sequence[int]) -> bool:
    return any(start != column and row[start] for column, start in enumerate(starts))


def _body(anchors: Sequence[Sequence[tuple[int, int]]]) -> tuple[int, int]:
    """First and last row of the table proper: a title or notes inside its frame are one cell over all columns."""
    first, last = 0, len(anchors)
    while last - first > 2 and len(set(anchors[first])) == 1:
        first += 1
    while last - first > 2 and len(set(anchors[last - 1])) == 1:
        last -= 1
    return first, last


def ruled_tables(rules: Sequence[Rule], runs: Sequence[Run]) -> list[FoundTable]:
    """Tables drawn with horizontal and vertical lines."""
    found = []
    for component in _components(
        [rule for rule in rules if max(rule.right - rule.left, rule.bottom - rule.top) >= 6.0]
    ):
        columns = _edges([(rule.left + rule.right) / 2 for rule in component if not rule.horizontal])
        lines = _edges([(rule.top + rule.bottom) / 2 for rule in component if rule.horizontal])
        if len(columns) < 3 or len(lines) < 3:
            continue
        box = Rect(columns[0], lines[0], columns[-1], lines[-1])
        anchors = _anchors(component, columns, lines)
        first, last = _body(anchors)
        box = Rect(box.left, lines[first], box.right, lines[last])
        cells: dict[tuple[int, int], list[Run]] = {}
        used = set()
        for index, run in enumerate(runs):
            y = (run.top + run.bottom) / 2
            if not (box.left - 2 <= run.left + 2 <= box.right and box.top <= y <= box.bottom):
                continue
            used.add(index)
            line = _slot(lines, y)
            for part in _split(run, [edge for i, edge in enumerate(columns) if i > 0 and _is_edge(anchors[line], i)]):
                x = part.left + min(2.0, (part.right - part.left) / 2)
                cells.setdefault(anchors[line][_slot(columns, x)], []).append(part)
        grid = [
            [cell_text(cells.get((row, column), [])) for column in range(len(columns) - 1)]
            for row in range(first, last)
        ]
        kept = [row for row in range(len(grid)) if any(grid[row])]
        starts = [[column for _, column in anchors[first + row]] for row in kept]
        grid = fold_header([grid[row] for row in kept], starts)
        if is_plausible(grid, ruled=True) and not _rules_miss_rows(cells):
            found.append(FoundTable(grid, box, frozenset(used)))
    return found


def _is_edge(row: Sequence[tuple[int, int]], column: int) -> bool:
    """Whether a vertical line separates this column from the one before it."""
    return column < len(row) and row[column] != row[column - 1]


def _split(run: Run, edges: Sequence[float]) -> list[Run]:
    """A run that goes across a line between cells, cut at the space next to that line: close cells are read as one."""
    for edge in edges:
        if not run.left + 3 < edge < run.right - 3 or " " not in run.text:
            continue
        each = (run.right - run.left) / len(run.text)
        spaces = [i for i, sign in enumerate(run.text) if sign == " "]
        cut = min(spaces, key=lambda i: abs(run.left + (i + 0.5) * each - edge))
        if abs(run.left + (cut + 0.5) * each - edge) <= max(2 * run.size, 0.2 * (run.right - run.left)):
            first = replace(run, text=run.text[:cut], right=edge - 1.0)
            rest = replace(run, text=run.text[cut + 1 :], left=edge + 1.0)
            return [first, *_split(rest, edges)]
    return [run]


def _anchors(
    component: Sequence[Rule], columns: Sequence[float], lines: Sequence[float]
) -> list[list[tuple[int, int]]]:
    """For each slot of the grid the first slot of its cell: slots without a line between them are one merged cell."""
    level = [rule for rule in component if rule.horizontal]
    upright = [rule for rule in component if not rule.horizontal]
    anchors: list[list[tuple[int, int]]] = []
    for row in range(len(lines) - 1):
        anchors.append([])
        y = (lines[row] + lines[row + 1]) / 2
        for column in range(len(columns) - 1):
            x = (columns[column] + columns[column + 1]) / 2
            if column and not any(
                abs(rule.left - columns[column]) <= 5 and rule.top <= y <= rule.bottom for rule in upright
            ):
                anchors[row].append(anchors[row][column - 1])
            elif row and not any(abs(rule.top - lines[row]) <= 5 and rule.left <= x <= rule.right for rule in level):
                anchors[row].append(anchors[row - 1][column])
            else:
                anchors[row].append((row, column))
    return anchors


def _rules_miss_rows(cells: Mapping[tuple[int, int], Sequence[Run]]) -> bool:
    """Whether lines were drawn around columns only: one grid row in which several cells hold many lines of figures."""
    stacked: dict[int, int] = {}
    for (row, _), runs in cells.items():
        texts = [line.text for line in rows(runs)]
        if len(texts) >= 4 and sum(1 for text in texts if _FIGURES.match(text)) >= 0.7 * len(texts):
            stacked[row] = stacked.get(row, 0) + 1
    return any(count >= 2 for count in stacked.values())


def cell_text(runs: Sequence[Run]) -> str:
    return join_lines(row.text for row in rows(runs))


def _cell(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace("|", "\\|")


def _slot(edges: Sequence[float], value: float) -> int:
    return min(max(sum(1 for edge in edges if edge <= value) - 1, 0), len(edges) - 2)


def _edges(values: Sequence[float], tolerance: float = 4.0) -> list[float]:
    """Positions of lines; both sides of a thick line, or the borders of two cells that meet, are one."""
    edges: list[list[float]] = []
    for value in sorted(values):
        if edges and value - edges[-1][-1] <= tolerance:
            edges[-1].append(value)
        else:
            edges.append([value])
    return [sum(edge) / len(edge) for edge in edges]


def _components(rules: Sequence[Rule], tolerance: float = 3.0) -> list[list[Rule]]:
    """Lines that touch each other. Horizontal meets vertical only: two neighbouring charts do not become a table."""
    if len(rules) > 2000:
        return []  # a drawing, not a table; and the comparison below is quadratic
    parent = list(range(len(rules)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    upright = [i for i, rule in enumerate(rules) if not rule.horizontal]
    level = [i for i, rule in enumerate(rules) if rule.horizontal]
    for i in upright:
        for j in level:
            a, b = rules[i], rules[j]
            if (
                a.left - tolerance <= b.right
                and b.left - tolerance <= a.right
                and a.top - tolerance <= b.bottom
                and b.top - tolerance <= a.bottom
            ):
                parent[root(i)] = root(j)
    groups: dict[int, list[Rule]] = {}
    for i, rule in enumerate(rules):
        groups.setdefault(root(i), []).append(rule)
    return [group for group in groups.values() if len(group) >= 4]
