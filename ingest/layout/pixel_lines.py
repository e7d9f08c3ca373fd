"""Lines that are drawn on a picture of a page: long thin runs of dark pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.layout.tables import Rule

MIN_LENGTH = 28.0
"""Points: longer than any stroke of a letter; the side of a small cell."""
MAX_THICKNESS = 4.0
"""Points: what is thicker is a bar or a picture."""
SOLID = 0.95
"""Share of a line's pixels that are dark: a scan breaks it here and there."""
DARK = 0.72
"""Of the paper's brightness."""
MAX_LINES = 1500
"""More than a page of tables has: the texture of a photograph."""


def drawn_lines(picture: Any, points_per_pixel: float) -> list[Rule]:
    """Horizontal and vertical lines of a PIL picture, in points from its top left corner; none where it is full of them."""
    grey = np.asarray(picture.convert("L"), np.uint8)
    paper = float(np.percentile(grey[::4, ::4], 80))
    dark = grey < DARK * paper
    level = [(left, top, right, bottom) for top, bottom, left, right in _runs(dark, points_per_pixel)]
    upright = [(left, top, right, bottom) for left, right, top, bottom in _runs(dark.T, points_per_pixel)]
    found = [Rule(*(float(value) * points_per_pixel for value in line)) for line in (*level, *upright)]
    return found if len(found) <= MAX_LINES else []


def _runs(dark: npt.NDArray[np.bool_], scale: float) -> list[tuple[int, int, int, int]]:
    """First and last row, first and last column of each horizontal line."""
    length = max(8, round(MIN_LENGTH / scale))
    if dark.shape[1] <= length:
        return []
    sums = np.zeros((dark.shape[0], dark.shape[1] + 1), np.int32)
    np.cumsum(dark, axis=1, out=sums[:, 1:])
    solid = (sums[:, length:] - sums[:, :-length]) >= SOLID * length
    open_: list[list[int]] = []
    done: list[tuple[int, int, int, int]] = []
    thick = max(2, round(MAX_THICKNESS / scale))
    for y in np.flatnonzero(solid.any(axis=1)):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], solid[y].view(np.int8), [0]))))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            left, right = int(start), int(stop) - 1 + length
            near = next((line for line in open_ if y - line[1] <= 2 and line[2] <= right and line[3] >= left), None)
            if near is None:
                open_.append([int(y), int(y), left, right])
            else:
                near[1], near[2], near[3] = int(y), min(near[2], left), max(near[3], right)
        done += [(a, b, c, d) for a, b, c, d in open_ if y - b > 2 and b - a < thick]
        open_ = [line for line in open_ if y - line[1] <= 2]
    return done + [(a, b, c, d) for a, b, c, d in open_ if b - a < thick]
