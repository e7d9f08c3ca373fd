"""What liteparse reads from a PDF, batch by batch: runs of text, drawn lines, tables, the tag tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.layout.runs import Rect, Run
from ingest.layout.tables import Grid, Rule
from ingest.layout.text import clean

BATCH = 16
"""Pages read at a time: what repeats is seen within a batch, and memory is bounded by it."""

_BOLD = re.compile(r"bold|black|heavy|demi|[-_,]bd\b", re.IGNORECASE)
_MONO = re.compile(r"mono|courier|consol|menlo|typewriter|(?<!uni)code|cmtt", re.IGNORECASE)

MIN_SIZE = 2.5
"""Points: smaller text cannot be read by a person, only put there for machines (place holders, hidden instructions)."""


@dataclass(frozen=True, slots=True)
class TextPage:
    """Page `number` of a PDF as displayed, lengths in points from its top left corner."""

    number: int
    width: float
    height: float
    runs: tuple[Run, ...]
    rules: tuple[Rule, ...]
    shapes: tuple[Rect, ...]
    tables: tuple[tuple[Grid, Rect], ...]
    """Guessed from the alignment of text: cells and place."""
    tags: Any = None
    """The page's structure tree, where the PDF is tagged."""
    error: str = ""
    garbled: bool = False
    """Whether most of the text layer is signs without meaning (fonts without a usable encoding)."""


def read_pages(path: Path, page_count: int, password: str = "") -> Iterator[list[TextPage]]:
    """Batches of pages in order; `password` opens the file where it is locked. Raises liteparse's ParseError where the file cannot be opened."""
    from liteparse import LiteParse

    parser = LiteParse(
        ocr_enabled=False,
        output_format="markdown",
        extract_blocks=True,
        extract_links=False,
        extract_structure_tree=True,
        extract_text_metadata=True,
        extract_vector_graphics=True,
        skip_diagonal_text=True,
        continue_on_page_error=True,
        max_pages=page_count,
        password=password or None,
        quiet=True,
    )
    with _with_suffix(path) as named:
        for batch in parser.parse_batches(str(named), BATCH):
            pages = {page.page_num: _page(page) for page in batch.result.pages}
            for error in batch.result.page_errors:
                pages[error.page_num] = TextPage(error.page_num, 0, 0, (), (), (), (), None, error.message)
            yield [
                pages.get(number) or TextPage(number, 0, 0, (), (), (), (), None, "the page could not be read")
                for number in range(batch.start_page, batch.end_page + 1)
            ]


@contextmanager
def _with_suffix(path: Path) -> Iterator[Path]:
    """liteparse goes by the suffix, and an upload is kept under its hash, without one: a link gives it one."""
    if path.suffix.lower() == ".pdf":
        yield path
        return
    with TemporaryDirectory(prefix="tuwen-pdf-") as folder:
        link = Path(folder) / "document.pdf"
        link.symlink_to(path.resolve())
        yield link


def _page(page: Any) -> TextPage:
    whole = Rect(0.0, 0.0, page.width, page.height)
    graphics = page.vector_graphics
    return TextPage(
        page.page_num,
        page.width,
        page.height,
        tuple(run for item in page.text_items if (run := _run(item, whole)) is not None),
        tuple(
            Rule(min(line.x1, line.x2), min(line.y1, line.y2), max(line.x1, line.x2), max(line.y1, line.y2))
            for line in (graphics.lines if graphics else ())
            if line.stroke or _visible(line.fill_color)
        ),
        tuple(
            Rect(shape.bbox[0], shape.bbox[1], shape.bbox[0] + shape.bbox[2], shape.bbox[1] + shape.bbox[3])
            for shape in (graphics.shapes if graphics else ())
            if shape.stroke or _visible(shape.fill_color)
        ),
        tuple(table for block in page.blocks or () if block.kind == "table" and (table := _table(block)) is not None),
        page.structure_tree,
        garbled=_garbled("".join(item.text for item in page.text_items)),
    )


def _garbled(text: str) -> bool:
    signs = text.split()
    total = sum(map(len, signs))
    broken = sum(
        1 for sign in text if sign == "\ufffd" or "\ue000" <= sign <= "\uf8ff" or (sign < " " and sign not in "\t\n\r")
    )
    return total >= 20 and broken > 0.3 * total


def _visible(colour: str | None) -> bool:
    """Whether a filling shows: neither transparent nor white."""
    return colour is not None and not colour.startswith("00") and colour.lower() != "ffffffff"


def _run(item: Any, page: Rect) -> Run | None:
    text = clean(item.text)
    size = float(item.font_height or item.font_size or item.height or 0.0)
    left, top, right, bottom = item.x, item.y, item.x + item.width, item.y + item.height
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    if not text or max(size, item.height) < MIN_SIZE or min(item.width, item.height) < 0:
        return None
    if not (page.left <= middle_x <= page.right and page.top <= middle_y <= page.bottom):
        return None
    name = item.font_name or ""
    sideways = abs((item.rotation or 0.0) % 180 - 90) < 20
    bold = bool(_BOLD.search(name)) or (item.font_weight or 0) >= 690
    return Run(text, left, top, right, bottom, size, bold, bool(_MONO.search(name)), item.mcid, sideways)


def _table(block: Any) -> tuple[Grid, Rect] | None:
    lines = ([block.header] if block.header else []) + list(block.rows or [])
    if block.bbox is None:
        return None
    box = Rect(block.bbox.x, block.bbox.y, block.bbox.x + block.bbox.width, block.bbox.y + block.bbox.height)
    return [[clean(cell.text) for cell in line] for line in lines], box
