"""Tables in a picture file: lines that OCR read and lines that are drawn, laid out as on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingest.layout.ocr import runs_of
from ingest.layout.paragraphs import Block
from ingest.layout.pixel_lines import drawn_lines
from ingest.layout.runs import Rect
from ingest.layout.tables import to_markdown
from ingest.parsers.pdf_tables import find_tables
from ingest.parsers.pdf_text import TextPage
from rag.protocols import OcrLine

PRINT = 10.0
"""Points of usual print. What the layout of a page knows of distances holds for letters of this size."""

FEW = 6
"""Lines below which a picture has no table."""


def picture_tables(
    lines: Sequence[OcrLine], picture: Any, width: float, height: float
) -> tuple[list[Block], list[OcrLine]]:
    """Tables of a picture of that size in pixels, and the lines that stand in none of them. `picture` is the PIL picture, of any size."""
    kept = [line for line in lines if runs_of([line], points_per_pixel=1.0)]
    if len(kept) < FEW:
        return [], list(lines)
    sizes = sorted(run.size for run in runs_of(kept, points_per_pixel=1.0))
    scale = PRINT / sizes[len(sizes) // 2]
    runs = runs_of(kept, points_per_pixel=scale)
    rules = tuple(drawn_lines(picture, width * scale / picture.width))
    page = TextPage(1, width * scale, height * scale, tuple(runs), rules, (), ())
    tables, left = find_tables(page, page.runs)
    free = {id(run) for run in left}
    blocks = [Block("table", to_markdown(table.grid), (_scaled(table.box, 1 / scale),)) for table in tables]
    return [block for block in blocks if block.text], [
        line for line, run in zip(kept, runs, strict=True) if id(run) in free
    ]


def _scaled(box: Rect, by: float) -> Rect:
    return Rect(box.left * by, box.top * by, box.right * by, box.bottom * by)
