"""Lines that OCR read → runs of text in points, to be laid out like those of a digital page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ingest.layout.order import reading_order
from ingest.layout.paragraphs import Block, blocks_of
from ingest.layout.runs import Run, rows
from ingest.layout.text import clean
from rag.protocols import OcrLine

MIN_CONFIDENCE = 0.5
SUBSTANTIAL = 40
"""Characters read with confidence from which text in a picture is content, not the name on a shop or a shirt."""
SURE = 0.8
LARGER = 1.35
"""A line larger than the usual one by this factor can be a heading; heights of detected lines are rough."""


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


def is_substantial(lines: Sequence[OcrLine]) -> bool:
    return sum(len(line.text) for line in lines if line.confidence >= SURE) >= SUBSTANTIAL


def lay_out_lines(lines: Sequence[OcrLine], width: float, height: float) -> list[Block]:
    """Paragraphs of a picture of that size, in pixels, in reading order."""
    runs = runs_of(lines, points_per_pixel=1.0)
    sizes = Counter[float]()
    for run in runs:
        sizes[run.size] += len(run.text)
    blocks: list[Block] = []
    for column in reading_order(runs, width):
        blocks += blocks_of(rows(column), body_size=sizes.most_common(1)[0][0], page_height=height, larger=LARGER)
    return blocks


def _size(height: float) -> float:
    """Boxes of OCR hold a line with about a third more than its font size."""
    return max(round(2 * height / 1.3) / 2, 1.0)
