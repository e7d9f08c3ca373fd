"""Charts and diagrams drawn with lines and shapes: regions of a page where many shapes stand together."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout.captions import REACH, is_figure_caption
from ingest.layout.runs import Rect, Run, inside, overlap

CELL = 6.0
"""Points: shapes closer than this belong together."""
MIN_WIDTH, MIN_HEIGHT = 80.0, 50.0
MIN_SHAPES = 8
FEW_SHAPES = 3
"""Enough where a caption says that here is a figure."""
MAX_SHAPES = 20_000
MAX_CELLS = 1_000_000
"""Cells of the grid that are marked on one page: a second of work; shapes beyond that are left out."""


def drawings(
    shapes: Sequence[Rect], runs: Sequence[Run], taken: Sequence[Rect], width: float, height: float
) -> list[Rect]:
    """Regions of drawings, top to bottom; `taken` are places of tables and pictures, which are none."""
    page_area = width * height
    parts = [
        shape.clipped(width, height)
        for shape in shapes[:MAX_SHAPES]
        if shape.area < 0.5 * page_area and not _is_separator(shape, width, height)
    ]
    parts = [part for part in parts if not any(inside(part, place.grown(4.0)) for place in taken)]
    captions = [run for run in runs if is_figure_caption(run.text)]
    found: list[Rect] = []
    for members in _clusters(parts):
        region = Rect.around(members)
        captioned = any(_near(region, caption) for caption in captions)
        if region.width < MIN_WIDTH or region.height < MIN_HEIGHT or region.area > 0.85 * page_area:
            continue
        if len(members) < (FEW_SHAPES if captioned else MIN_SHAPES) or _is_text_ground(region, runs):
            continue
        if all(_is_line(member) for member in members) or any(overlap(region, place) > 0.3 for place in taken):
            continue
        found.append(_with_labels(region, runs).clipped(width, height))
    return sorted(_apart(found), key=lambda region: (region.top, region.left))


def labels_in(region: Rect, runs: Sequence[Run]) -> list[Run]:
    """Runs that label a figure: short, inside it, and in another style than running text that lies over it."""
    held = [run for run in runs if inside(run, region) and not is_figure_caption(run.text)]
    prose = {(run.size, run.bold) for run in held if len(run.text) >= 40}
    lines = sum(1 for run in held if len(run.text) >= 40)
    return (
        []
        if lines >= 5
        else [run for run in held if len(run.text) < 40 and not ((run.size, run.bold) in prose and run.bold)]
    )


def _is_separator(shape: Rect, width: float, height: float) -> bool:
    """A line across the text, or a coloured bar at the page's edge."""
    if _is_line(shape) and max(shape.width, shape.height) > 0.7 * width:
        return True
    edge = shape.bottom < 0.07 * height or shape.top > 0.93 * height
    return edge or shape.width > 0.97 * width or shape.height > 0.97 * height


def _is_line(shape: Rect) -> bool:
    return min(shape.width, shape.height) < 2.5


def _clusters(parts: Sequence[Rect]) -> list[list[Rect]]:
    """Parts whose cells of a coarse grid touch; linear in the number of parts, which may be many thousands."""
    owner: dict[tuple[int, int], int] = {}
    parent = list(range(len(parts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    cells = 0
    for index, part in enumerate(parts):
        cells += int((part.width / CELL + 2) * (part.height / CELL + 2))
        if cells > MAX_CELLS:
            break
        for x in range(int((part.left - CELL / 2) // CELL), int((part.right + CELL / 2) // CELL) + 1):
            for y in range(int((part.top - CELL / 2) // CELL), int((part.bottom + CELL / 2) // CELL) + 1):
                other = owner.setdefault((x, y), index)
                if other != index:
                    parent[root(index)] = root(other)
    groups: dict[int, list[Rect]] = {}
    for index, part in enumerate(parts):
        groups.setdefault(root(index), []).append(part)
    return list(groups.values())


def _is_text_ground(region: Rect, runs: Sequence[Run]) -> bool:
    """Boxes drawn around running text: frames, coloured paragraphs, lines of a form."""
    held = [run for run in runs if inside(run, region)]
    long = [run for run in held if len(run.text) >= 40]
    covered = sum((run.right - run.left) * (run.bottom - run.top) for run in held)
    return len(long) >= 5 or covered > 0.3 * region.area


def _with_labels(region: Rect, runs: Sequence[Run]) -> Rect:
    """Axis labels and legends stand just outside the shapes."""
    for _ in range(2):
        near = region.grown(14.0)
        labels = [
            run for run in runs if len(run.text) <= 30 and overlap(run, near) > 0.5 and not is_figure_caption(run.text)
        ]
        region = Rect.around([region, *labels])
    return region


def _near(region: Rect, caption: Run) -> bool:
    below, above = caption.top - region.bottom, region.top - caption.bottom
    return min(caption.right, region.right) > max(caption.left, region.left) and max(below, above) <= REACH


def _apart(regions: list[Rect]) -> list[Rect]:
    """Overlapping regions put together."""
    merged: list[Rect] = []
    for region in regions:
        joined = region
        while hit := next((other for other in merged if overlap(joined, other) > 0.05), None):
            merged.remove(hit)
            joined = Rect.around([joined, hit])
        merged.append(joined)
    return merged
