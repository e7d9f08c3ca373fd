"""How much of a table came back: cells of the truth that stand in the table found, in their row and column.

GriTS (Smock, Pesala and Abraham 2022, arXiv:2203.12555), for cell texts that have to be equal: rows and columns of both tables are put side by
side by the longest common subsequence, and a cell counts where row and column meet. Recall and precision are over cells with text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from benchmarks.table_pages import Rows

_DASH = re.compile("[\u2010-\u2015\u2212]")

Grid = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Score:
    """Cells found in their place, cells of the truth, cells found."""

    right: int = 0
    wanted: int = 0
    found: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.wanted + other.wanted, self.found + other.found)

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def f1(self) -> float:
        total = self.wanted + self.found
        return 2 * self.right / total if total else 1.0


def score_page(truths: Sequence[tuple[Rows, int]], found: Sequence[Grid]) -> Score:
    """Each table found is held against the truth that it has most in common with; one that is left over is all wrong."""
    left = [plain(grid) for grid in found]
    total = Score()
    for rows, headers in truths:
        ways = writings(rows, headers)
        best = max(
            ((score(way, grid), index) for way in ways for index, grid in enumerate(left)),
            key=lambda pair: (pair[0].f1, -pair[1]),
            default=(Score(0, cells_in(ways[0]), 0), -1),
        )
        if best[0].right == 0:
            total += Score(0, cells_in(ways[0]), 0)
            continue
        total += best[0]
        left.pop(best[1])
    return total + Score(0, 0, sum(map(cells_in, left)))


def score(truth: Grid, found: Grid) -> Score:
    rows = _aligned(truth, found, lambda a, b: _common(a, b))
    columns = _aligned(list(zip(*truth, strict=True)), list(zip(*found, strict=True)), lambda a, b: _common(a, b))
    right = sum(
        1
        for (r, other_r), (c, other_c) in product(rows, columns)
        if truth[r][c] and truth[r][c] == found[other_r][other_c]
    )
    return Score(right, cells_in(truth), cells_in(found))


def writings(rows: Rows, headers: int) -> Sequence[Grid]:
    """The ways in which the same table is rightly written without merged cells: what a cell over several slots says stands in the first
    of them or in each, and several header rows stay or become one, a heading over several columns said in each."""
    each = _filled(rows, everywhere=True)
    ways: list[list[list[str]]] = [_filled(rows, everywhere=False), each]
    if headers > 1:
        for body in list(ways):
            said = [
                list(dict.fromkeys(filter(None, (each[r][c] for r in range(headers))))) for c in range(len(rows[0]))
            ]
            ways.append([["".join(parts) for parts in said], *body[headers:]])
    return ways


def plain(grid: Grid) -> Grid:
    """Rows of one length; texts without spaces, full-width forms as ASCII, dashes of one kind: what a line break in a cell becomes, or which
    dash a font means, is not what is measured."""
    width = max((len(row) for row in grid), default=0)
    return [[_plain(text or "") for text in row] + [""] * (width - len(row)) for row in grid]


def cells_in(grid: Grid) -> int:
    return sum(1 for row in grid for text in row if text)


def _plain(text: str) -> str:
    return _DASH.sub("-", "".join(unicodedata.normalize("NFKC", text).split()))


def _filled(rows: Rows, *, everywhere: bool) -> list[list[str]]:
    made = [["" for _ in row] for row in rows]
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell is None:
                continue
            made[r][c] = _plain(cell.text)
            if everywhere:
                for down, right in product(range(cell.rows), range(cell.columns)):
                    made[r + down][c + right] = _plain(cell.text)
    return made


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence of cells with text."""
    before = [0] * (len(b) + 1)
    for x in a:
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x and x == y else max(before[j + 1], row[j]))
        before = row
    return before[-1]


def _aligned(
    a: Sequence[Sequence[str]], b: Sequence[Sequence[str]], alike: Callable[[Sequence[str], Sequence[str]], int]
) -> list[tuple[int, int]]:
    """Pairs of indices in order, so that what the pairs have in common is most."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    same = [[alike(x, y) for y in b] for x in a]
    for i, j in product(range(len(a)), range(len(b))):
        best[i + 1][j + 1] = max(best[i][j + 1], best[i + 1][j], best[i][j] + same[i][j])
    pairs: list[tuple[int, int]] = []
    i, j = len(a), len(b)
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
    return pairs[::-1]
