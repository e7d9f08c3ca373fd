"""The order in which a person reads boxes that lie freely on a slide: recursive XY cuts along the widest gap.

Nagy and Seth, "Hierarchical representation of optically scanned documents", ICPR 1984. The widest gap decides, because
three cards side by side are read one by one, and rows of a label with its text are read row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rag.documents import Box

T = TypeVar("T")
MIN_GAP = 1.0


def reading_order(items: Sequence[tuple[Box, T]]) -> list[T]:
    """The items of one page in reading order; overlapping boxes from the top left."""
    if len(items) <= 1:
        return [item for _, item in items]
    rows = _gap([(box.top, box.bottom) for box, _ in items])
    columns = _gap([(box.left, box.right) for box, _ in items])
    if max(rows[0], columns[0]) < MIN_GAP:
        ordered = sorted(items, key=lambda pair: (round(pair[0].top / 12), pair[0].left, pair[0].top))
        return [item for _, item in ordered]
    if rows[0] >= columns[0]:
        first = [pair for pair in items if pair[0].bottom <= rows[1]]
        second = [pair for pair in items if pair[0].bottom > rows[1]]
    else:
        first = [pair for pair in items if pair[0].right <= columns[1]]
        second = [pair for pair in items if pair[0].right > columns[1]]
    return reading_order(first) + reading_order(second)


def _gap(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """The widest empty stripe between spans: its width, and where it begins."""
    best = 0.0, 0.0
    reached = None
    for start, end in sorted(spans):
        if reached is not None and start - reached > best[0]:
            best = start - reached, reached
        reached = end if reached is None else max(reached, end)
    return best
