"""Scanned pages: found by what they lack, read by OCR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from ingest.layout.ocr import LARGER, is_substantial, runs_of
from ingest.layout.pixel_lines import drawn_lines
from ingest.layout.repeats import Repeats
from ingest.layout.runs import Rect, rows
from ingest.parsers.pdf_layout import Style, box_on, lay_out
from ingest.parsers.pdf_pictures import crop
from ingest.parsers.pdf_tables import find_tables
from ingest.parsers.pdf_text import TextPage
from ingest.render import draw, png
from rag.documents import Element, ImageData
from rag.protocols import Ocr

DPI = 150
"""Enough for 8-point print; 200 takes 1.6 times as long and read no more on the scans at hand."""
FEW_CHARACTERS = 40


def looks_scanned(page: TextPage, pictures: Sequence[Rect]) -> bool:
    """Nearly no text, and pictures over half the page; or drawn outlines instead of text."""
    characters = sum(len(run.text) for run in page.runs)
    area = page.width * page.height
    if characters > FEW_CHARACTERS or area <= 0:
        return page.garbled and area > 0
    if sum(box.area for box in pictures) >= 0.5 * area:
        return True
    return characters == 0 and len(page.shapes) >= 200


def read_scan(
    page: TextPage, drawn: Any, ocr: Ocr | None, warnings: list[str]
) -> tuple[list[Element], Literal["digital", "ocr"]]:
    """Paragraphs read by OCR; the page as one figure where there is no OCR or next to nothing to read."""
    whole = Rect(0.0, 0.0, page.width, page.height)
    if ocr is None:
        warnings.append(f"Page {page.number} is a scan and was not read: no OCR is active.")
        return [_figure(page, drawn, whole)], "digital"
    picture = draw(drawn, DPI / 72)
    lines = ocr.read(ImageData(png(picture), "image/png", picture.width, picture.height))
    runs = runs_of(lines, points_per_pixel=page.width / picture.width)
    if not is_substantial(lines):
        return [_figure(page, drawn, whole)], "digital"
    numbers = Repeats(page_count=1)
    runs = [run for row in rows(runs) if not numbers.is_furniture(row, page.height) for run in row.runs]
    scanned = replace(
        page, rules=tuple(drawn_lines(picture, page.width / picture.width)), shapes=(), tables=(), tags=None
    )
    tables, flowing = find_tables(scanned, runs)
    sizes = Counter[float]()
    for run in runs:
        sizes[run.size] += len(run.text)
    style = Style(sizes.most_common(1)[0][0] if sizes else 10.0, larger=LARGER)
    return lay_out(page, flowing, tables, [], style), "ocr"


def _figure(page: TextPage, drawn: Any, whole: Rect) -> Element:
    return Element("figure", "", page.number, (box_on(page.number, whole),), image=crop(drawn, whole, DPI / 72))
