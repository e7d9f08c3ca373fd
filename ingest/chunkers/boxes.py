"""Few boxes instead of many: what a citation highlights."""

from __future__ import annotations

from collections.abc import Iterable

from rag.documents import Box

GAP = 24.0
"""Points between two paragraphs that are still one highlighted block; about two lines."""
MAX_PER_PAGE = 4


def merged_boxes(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Boxes in reading order, blocks that stand under each other as one; at most MAX_PER_PAGE on a page.

    Every given box lies inside one of the returned ones, on the same page.
    """
    pages: dict[int, list[Box]] = {}
    for box in boxes:
        pages.setdefault(box.page, []).append(box)
    return tuple(box for page in sorted(pages) for box in _of_page(pages[page]))


def _of_page(boxes: list[Box]) -> list[Box]:
    merged: list[Box] = []
    for box in boxes:
        if merged and _continues(merged[-1], box):
            merged[-1] = Box.around((merged[-1], box))
        else:
            merged.append(box)
    while len(merged) > MAX_PER_PAGE:
        # The neighbours whose common box grows least.
        at = min(
            range(len(merged) - 1),
            key=lambda i: _area(Box.around(merged[i : i + 2])) - _area(merged[i]) - _area(merged[i + 1]),
        )
        merged[at : at + 2] = [Box.around(merged[at : at + 2])]
    return merged


def _continues(upper: Box, lower: Box) -> bool:
    overlap = min(upper.right, lower.right) - max(upper.left, lower.left)
    narrower = min(upper.right - upper.left, lower.right - lower.left)
    return overlap >= 0.5 * narrower and lower.top >= upper.top - 1 and lower.top - upper.bottom <= GAP


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)
