"""Lines that OCR read → runs of text in points, to be laid out like those of a digital page."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout.runs import Run
from ingest.layout.text import clean
from rag.protocols import OcrLine

MIN_CONFIDENCE = 0.5


def runs_of(lines: Sequence[OcrLine], *, points_per_pixel: float) -> list[Run]:
    """Runs without style. A line's size is taken from its height and rounded to half steps, because detected boxes
    of one font differ by a pixel or two."""
    found = []
    for line in lines:
        text = clean(line.text)
        if not text or line.confidence < MIN_CONFIDENCE:
            continue
        box = line.box
        left, top, right, bottom = (value * points_per_pixel for value in (box.left, box.top, box.right, box.bottom))
        found.append(Run(text, left, top, right, bottom, _size(bottom - top)))
    return found


def _size(height: float) -> float:
    """Boxes of OCR hold a line with about a third more than its font size."""
    return max(round(2 * height / 1.3) / 2, 1.0)
