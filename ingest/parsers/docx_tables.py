"""Merged cells of Word tables, expanded into every place they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.parsers.ooxml import W

MAX_SPAN = 63
"""Word's own limit of columns."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`continues` says that the cell is the lower part of a vertical merge."""

    text: str
    span: int
    continues: bool

    @classmethod
    def of(cls, node: Any, text: str) -> Cell:
        properties = node.find(f"{W}tcPr")
        span = properties.find(f"{W}gridSpan") if properties is not None else None
        merge = properties.find(f"{W}vMerge") if properties is not None else None
        width = span.get(f"{W}val", "1") if span is not None else "1"
        return cls(
            text,
            max(1, min(MAX_SPAN, int(width))) if width.isdecimal() else 1,
            merge is not None and merge.get(f"{W}val", "continue") == "continue",
        )


def expand(rows: Sequence[Sequence[Cell]], before: Sequence[int]) -> list[list[str]]:
    """Rows of texts in grid columns; `before[i]` columns are skipped at the start of row i."""
    grid: list[list[str]] = []
    for cells, skipped in zip(rows, before, strict=True):
        row = [""] * skipped
        for cell in cells:
            column = len(row)
            above = grid[-1][column] if grid and column < len(grid[-1]) else ""
            text = (above if not cell.text else cell.text) if cell.continues else cell.text
            whole = len(cells) == 1 and cell.span > 1
            # A title over the whole width is said once.
            row.extend([text] + [""] * (cell.span - 1) if whole else [text] * cell.span)
        grid.append(row)
    return grid
