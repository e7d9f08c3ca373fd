"""One page's runs, tables and figures → elements in reading order. Pure: no file is touched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.layout.captions import is_figure_caption, pair
from ingest.layout.cell_spans import cell_spans
from ingest.layout.lines import drawn_rows, row_lines
from ingest.layout.order import reading_order
from ingest.layout.paragraphs import LARGER, Block, blocks_of, continues, element_lines, merged
from ingest.layout.runs import Rect, Run, rows
from ingest.layout.tables import FoundTable, to_markdown
from ingest.layout.text import clean
from ingest.parsers.pdf_text import TextPage
from rag.documents import Box, Element, ImageData, ImageEntry

LABEL = 14
"""Characters of a caption that is nothing but its number."""


@dataclass(frozen=True, slots=True)
class FoundFigure:
    """A figure with its picture, and what is written inside it as text of the PDF."""

    box: Rect
    image: ImageData
    inner_text: str = ""

    @property
    def left(self) -> float:
        return self.box.left

    @property
    def top(self) -> float:
        return self.box.top

    @property
    def right(self) -> float:
        return self.box.right

    @property
    def bottom(self) -> float:
        return self.box.bottom


@dataclass(frozen=True, slots=True)
class Style:
    """What the document's text mostly looks like, and the headings that its outline names: text → level."""

    body_size: float
    body_bold: bool = False
    outline: Mapping[str, int] | None = None
    larger: float = LARGER


def lay_out(
    page: TextPage,
    runs: Sequence[Run],
    tables: Sequence[FoundTable],
    figures: Sequence[FoundFigure],
    style: Style,
    drawn: Sequence[Run] = (),
) -> list[Element]:
    """Elements in reading order; runs that stand in tables or figures are not among `runs`. `drawn` are those that tables name
    by their indices: with them, rows have places."""
    table_blocks = [_table_block(table, drawn) for table in tables]
    placed: list[Run | Block | FoundFigure] = [*runs, *(block for block in table_blocks if block.text), *figures]
    flow: list[Block | FoundFigure] = []
    for column in reading_order(placed, page.width):
        for part in _column(column, style, page.height):
            if (
                flow
                and isinstance(part, Block)
                and isinstance(flow[-1], Block)
                and continues(flow[-1], part)
                and _other_column(flow[-1], part)
            ):
                flow[-1] = merged(flow[-1], part)
            else:
                flow.append(part)
    flow = _with_titles(flow)
    captions = [
        part for part in flow if isinstance(part, Block) and part.kind == "caption" and is_figure_caption(part.text)
    ]
    pairs = pair(figures, captions)
    caption_of = {id(figures[i]): captions[j].text for i, j in pairs.items()}
    return [_element(part, page, caption_of.get(id(part), ""), style) for part in flow]


def _table_block(table: FoundTable, drawn: Sequence[Run]) -> Block:
    text = to_markdown(table.grid)
    runs = [drawn[i] for i in sorted(table.runs)] if drawn and text else []
    placed = drawn_rows(text, runs) if runs else []
    return Block("table", text, (table.box,), lines=row_lines(text, placed), cells=cell_spans(text, placed))


def _with_titles(flow: Sequence[Block | FoundFigure]) -> list[Block | FoundFigure]:
    """A caption that is only its number ("Figure 2.") goes on in the line below it."""
    made: list[Block | FoundFigure] = []
    for part in flow:
        before = made[-1] if made else None
        if (
            isinstance(before, Block)
            and isinstance(part, Block)
            and before.kind == "caption"
            and len(before.text) <= LABEL
            and part.kind in ("heading", "paragraph")
            and len(part.text) <= 250
            and 0 <= part.top - before.bottom <= 16
        ):
            made[-1] = replace(before, text=f"{before.text} {part.text}", boxes=(Rect.around([before, part]),))
        else:
            made.append(part)
    return made


def _other_column(before: Block, after: Block) -> bool:
    return after.top < before.boxes[-1].bottom or after.left > before.boxes[-1].right


def _column(items: Sequence[Run | Block | FoundFigure], style: Style, page_height: float) -> list[Block | FoundFigure]:
    """Blocks of one column: text between tables and figures is laid out by itself."""
    parts: list[Block | FoundFigure] = []
    atoms = sorted((item for item in items if not isinstance(item, Run)), key=lambda item: item.top)
    lines = rows(item for item in items if isinstance(item, Run))
    for atom in [*atoms, None]:
        middle = (atom.top + atom.bottom) / 2 if atom is not None else float("inf")
        before = [line for line in lines if (line.top + line.bottom) / 2 < middle]
        lines = lines[len(before) :]
        parts += blocks_of(
            before,
            body_size=style.body_size,
            body_bold=style.body_bold,
            page_height=page_height,
            larger=style.larger,
        )
        if atom is not None:
            parts.append(atom)
    return parts


def _element(part: Block | FoundFigure, page: TextPage, caption: str, style: Style) -> Element:
    # Boxes of fonts end at the base line in some files: a point more holds the letters that reach below it.
    boxes = (part.box,) if isinstance(part, FoundFigure) else tuple(box.grown(1.0) for box in part.boxes)
    placed = tuple(box_on(page.number, box.clipped(page.width, page.height)) for box in boxes)
    if isinstance(part, FoundFigure):
        entries = (ImageEntry("ocr", part.inner_text, "text of the PDF"),) if part.inner_text else ()
        return Element("figure", "", page.number, placed, image=part.image, caption=caption, entries=entries)
    lines = element_lines(part, page.number, page.width, page.height, grown=1.0)
    level = (style.outline or {}).get(outline_key(part.text))
    if level is not None and part.kind in ("heading", "paragraph", "list"):
        return Element("heading", part.text, page.number, placed, level=level, lines=lines)
    return Element(part.kind, part.text, page.number, placed, level=part.level, lines=lines)


def box_on(number: int, box: Rect) -> Box:
    return Box(number, round(box.left, 2), round(box.top, 2), round(box.right, 2), round(box.bottom, 2))


def outline_key(text: str) -> str:
    """Titles of an outline and on the page differ in spaces and case only."""
    return "".join(clean(text).casefold().split())
