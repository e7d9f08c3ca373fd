"""Reading order: a page is cut into bands, and a band into columns wherever a gutter runs through all of it.

After the recursive X–Y cut (Nagy and Seth, 1984), with one change: bands are collected as long as they share a gutter,
so that a column is read to its end even where its lines stand level with those of its neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout.runs import P, Rect

MIN_GUTTER = 8.0
"""Points. Two-column papers use 12 to 24; the spaces of a justified line stay below 8."""
MIN_COLUMN = 0.18
"""Least width of a column, as a part of the page: less is list marks, line numbers or the cells of a table."""
MIN_LOOSE = 0.11
"""The same for loose text beside prose."""
MIN_LINES = 3
MAX_DEPTH = 6


def reading_order(items: Sequence[P], page_width: float) -> list[list[P]]:
    """Columns in reading order, each with its items from top to bottom. Every item is in exactly one column."""
    return _cut(list(items), page_width, 0)


def _cut(items: list[P], page_width: float, depth: int) -> list[list[P]]:
    if not items:
        return []
    if depth >= MAX_DEPTH:
        return [_sorted(items)]
    found: list[list[P]] = []
    flowing: list[P] = []
    for group in _groups(_bands(items)):
        columns = _columns(group, page_width)
        if len(columns) == 1:
            flowing += group
            continue
        if flowing:
            found.append(_sorted(flowing))
            flowing = []
        for column in columns:
            found += _cut(column, page_width, depth + 1)
    if flowing:
        found.append(_sorted(flowing))
    return found


def _sorted(items: list[P]) -> list[P]:
    return sorted(items, key=lambda item: (item.top, item.left))


def _bands(items: list[P]) -> list[list[P]]:
    """Items whose vertical extents touch. Boxes of fonts are taller than the ink, so a part of each edge is ignored."""
    bands: list[list[P]] = []
    end = float("-inf")
    for item in sorted(items, key=lambda item: item.top):
        edge = 0.15 * min(item.bottom - item.top, 20.0)
        if item.top + edge >= end:
            bands.append([])
        bands[-1].append(item)
        end = max(end, item.bottom - edge)
    return bands


def _groups(bands: list[list[P]]) -> list[list[P]]:
    groups: list[list[list[P]]] = []
    spans: list[tuple[float, float]] = []
    for band in bands:
        band_spans = _merged([(item.left, item.right) for item in band])
        together = _merged(spans + band_spans)
        split, band_split = len(spans) > 1, len(band_spans) > 1
        if groups and (len(together) > 1 or not (split or band_split)):
            groups[-1].append(band)
            spans = together
        else:
            moved = _belonging_below(groups[-1], band) if groups and split else []
            groups.append([*moved, band])
            spans = _merged([(item.left, item.right) for part in groups[-1] for item in part])
    return [[item for band in group for item in band] for group in groups if group]


def _belonging_below(group: list[list[P]], band: list[P]) -> list[list[P]]:
    """Takes from the end of a group of columns what stands alone and closer to what follows: the title of a table
    below two columns is not the end of the first of them."""
    moved: list[list[P]] = []
    while len(group) > 1 and len(_merged([(item.left, item.right) for item in group[-1]])) == 1:
        last, following = Rect.around(group[-1]), Rect.around(moved[0] if moved else band)
        if following.top - last.bottom >= last.top - Rect.around(group[-2]).bottom:
            break
        moved.insert(0, group.pop())
    return moved


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if merged and left - merged[-1][1] < MIN_GUTTER:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _columns(group: list[P], page_width: float) -> list[list[P]]:
    spans = _merged([(item.left, item.right) for item in group])
    columns = [[item for item in group if left <= (item.left + item.right) / 2 <= right] for left, right in spans]
    while len(columns) > 1:
        strong = [_is_prose(column, page_width) for column in columns]
        weak = next(
            (
                i
                for i, column in enumerate(columns)
                if not _is_column(column, page_width) and not _stands_beside_prose(i, columns, strong, page_width)
            ),
            None,
        )
        if weak is None:
            break
        other = _nearer(columns, weak)
        low, high = sorted((weak, other))
        columns[low : high + 1] = [columns[low] + columns[high]]
    return columns


def _nearer(columns: list[list[P]], index: int) -> int:
    boxes = [Rect.around(column) for column in columns]
    before = boxes[index].left - boxes[index - 1].right if index else float("inf")
    after = boxes[index + 1].left - boxes[index].right if index + 1 < len(boxes) else float("inf")
    return index - 1 if before < after else index + 1


def _is_column(items: list[P], page_width: float) -> bool:
    """Whether these items read from top to bottom by themselves: wide enough, several lines, most of them well filled."""
    box = Rect.around(items)
    if any(item.bottom - item.top > 60.0 for item in items):
        return True  # a figure or a table is a column by itself
    if box.width < MIN_COLUMN * page_width:
        return False
    if len(_bands(items)) < MIN_LINES:
        return False
    widths = sorted(span[1] - span[0] for band in _bands(items) for span in [_extent(band)])
    return widths[len(widths) // 2] >= 0.5 * box.width


def _stands_beside_prose(index: int, columns: list[list[P]], strong: list[bool], page_width: float) -> bool:
    """Loose text (labels of a chart, a margin note) beside a column of prose is not part of its lines."""
    box = Rect.around(columns[index])
    beside = [strong[i] for i in (index - 1, index + 1) if 0 <= i < len(columns)]
    return all(beside) and box.width >= MIN_LOOSE * page_width


def _is_prose(items: list[P], page_width: float) -> bool:
    box = Rect.around(items)
    bands = _bands(items)
    widths = sorted(right - left for left, right in map(_extent, bands))
    return len(bands) >= 2 * MIN_LINES and box.width >= 0.2 * page_width and widths[len(widths) // 2] >= 0.7 * box.width


def _extent(items: Sequence[P]) -> tuple[float, float]:
    return min(item.left for item in items), max(item.right for item in items)
