"""Lines that OCR read → runs of text in points, to be laid out like those of a digital page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ingest.layout.runs import Run
from ingest.layout.text import clean
from rag.protocols import OcrLine

MIN_CONFIDENCE = 0.5


def runs_of(lines: Sequence[OcrLine], *, points_per_pixel: float) -> list[Run]:
    """Runs without style. A line's size is taken from its height; boxes of one font differ by a pixel or two, and by
    whether a line has letters that reach below it, so that sizes near the usual one are taken for it."""
    found = []
    for line in lines:
        text = clean(line.text)
        if not text or line.confidence < MIN_CONFIDENCE:
            continue
        box = line.box
        left, top, right, bottom = (value * points_per_pixel for value in (box.left, box.top, box.right, box.bottom))
        found.append(Run(text, left, top, right, bottom, _size(bottom - top)))
    usual = median(run.size for run in found) if found else 0.0
    return [replace(run, size=usual) if abs(run.size - usual) <= 0.18 * usual else run for run in found]


def _size(height: float) -> float:
    """Boxes of OCR hold a line with about a third more than its font size."""
    return max(round(2 * height / 1.3) / 2, 1.0)
