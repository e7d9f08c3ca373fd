"""What stands on each page of an example file, read by the plainest means there is for its format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
from docx import Document
from lxml import html
from pptx import Presentation

from examples.builder.drawn_text import IN_FILE, IN_PICTURE

CORPUS = Path(__file__).resolve().parents[2] / "examples" / "corpus"


def pages_of(name: str) -> dict[int | None, str]:
    """Page number, None for formats without pages, to text."""
    path = CORPUS / name
    if name in IN_FILE:
        return dict(IN_FILE[name])
    match path.suffix:
        case ".pdf":
            return {
                number: page.get_textpage().get_text_bounded() + IN_PICTURE.get(name, {}).get(number, "")
                for number, page in enumerate(pypdfium2.PdfDocument(path), start=1)
            }
        case ".docx":
            return {None: "\n".join(_words_of_docx(path))}
        case ".pptx":
            return {
                number: "\n".join(_words_of_slide(slide))
                for number, slide in enumerate(Presentation(str(path)).slides, start=1)
            }
        case ".html":
            return {None: html.fromstring(path.read_bytes()).text_content()}
        case ".md":
            return {None: path.read_text(encoding="utf-8")}
    raise AssertionError(f"no reader for {name}")


def holds(text: str, needed: str) -> bool:
    """Whatever the case, the width and the line ends; a figure has to stand by itself (not `18` inside `1,182`)."""
    signs = r"\s*".join(re.escape(sign) for sign in _folded(needed) if not sign.isspace())
    return re.search(rf"(?<![\d.,]){signs}(?!\d|[.,]\d)", _folded(text)) is not None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _words_of_docx(path: Path) -> Iterator[str]:
    document = Document(str(path))
    yield from (paragraph.text for paragraph in document.paragraphs)
    for table in document.tables:
        for row in table.rows:
            yield from (cell.text for cell in row.cells)


def _words_of_slide(slide: Any) -> Iterator[str]:
    for shape in slide.shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if getattr(shape, "has_table", False):
            yield from (cell.text for row in shape.table.rows for cell in row.cells)
        if getattr(shape, "has_chart", False):
            plot = shape.chart.plots[0]
            yield from (str(category) for category in plot.categories)
            yield from (f"{value:g}" for series in plot.series for value in series.values)
    yield slide.notes_slide.notes_text_frame.text
