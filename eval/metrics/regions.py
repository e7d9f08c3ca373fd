"""How far two regions of pages are the same: a region is one or more boxes, and boxes of one region may overlap.

    IoU = |A ∩ B| / |A ∪ B|          cover = |A ∩ B| / |B|

Intersection over union as in Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge" (IJCV 2010), over the exact area
of the boxes' union, page by page. Passages are larger than the words that a label surrounds, so that IoU is low for a citation
that is right; `cover`, the share of the label that the citation shows, is the measure for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.documents import Box

Rectangle = tuple[float, float, float, float]


def iou(first: Sequence[Box], second: Sequence[Box]) -> float:
    """In [0, 1]; 0 where both are empty or without area."""
    union = _area((*first, *second))
    return min(1.0, _common(first, second) / union) if union else 0.0


def cover(cited: Sequence[Box], labelled: Sequence[Box]) -> float:
    """Share of the labelled region that lies in the cited one, in [0, 1]."""
    whole = _area(labelled)
    return min(1.0, _common(cited, labelled) / whole) if whole else 0.0


def _common(first: Sequence[Box], second: Sequence[Box]) -> float:
    overlaps = (
        Box(a.page, max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom))
        for a in first
        for b in second
        if a.page == b.page and a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
    )
    return _area(overlaps)


def _area(boxes: Iterable[Box]) -> float:
    """Of the union, in square points."""
    pages: dict[int, list[Rectangle]] = {}
    for box in boxes:
        pages.setdefault(box.page, []).append((box.left, box.top, box.right, box.bottom))
    return sum(map(_union, pages.values()))


def _union(rectangles: Sequence[Rectangle]) -> float:
    """In vertical strips between neighbouring edges: in each, the length of the union of intervals times its width."""
    edges = sorted({x for left, _, right, _ in rectangles for x in (left, right)})
    total = 0.0
    for start, end in pairwise(edges):
        spans = sorted((top, bottom) for left, top, right, bottom in rectangles if left <= start and end <= right)
        height, reached = 0.0, float("-inf")
        for top, bottom in spans:
            height += max(0.0, bottom - max(top, reached))
            reached = max(reached, bottom)
        total += height * (end - start)
    return total
