"""Rows of a column → paragraphs, headings, list items, code and footnotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.layout.captions import is_figure_caption, is_table_caption
from ingest.layout.lines import placed_lines
from ingest.layout.runs import Rect, Row
from ingest.layout.text import join_lines
from rag.documents import Box, ElementKind, Line, Span

_MARK = re.compile(
    r"^(?:[•●○◦▪■□▶►‣∙·➢➤✓✔❖]\s*|[-–—*]\s+|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)、]\s+|（[一二三四五六七八九十\d]+）)(?=\S)"
)
_BULLET = re.compile(r"^[•●○◦▪■□▶►‣∙·➢➤✓✔❖–—*-]\s*")
_END = re.compile(r"[.!?:;。！？：；]['\"”’)\]]*$")
_NOT_HEADING = re.compile(r"[.,;。，；]['\"”’)\]]*$")
_FOOTNOTE = re.compile(r"^(?:\d{1,3}|[*†‡§]+)\s*\S")
_ODD = frozenset("ｴ･ÿüØðl")
_LEADER = re.compile(r" … \d{1,4}$")
_LETTERS = re.compile(r"[^\W\d_]")

LARGER = 1.12
"""A line whose font is larger than the body's by this factor can be a heading."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text of one kind; `boxes` are in reading order, one for each column it runs through."""

    kind: ElementKind
    text: str
    boxes: tuple[Rect, ...]
    level: int | None = None
    lines: tuple[tuple[int, Rect], ...] = ()
    """Where each line ends in the text, and its place."""
    cells: tuple[tuple[Span | None, ...], ...] = ()
    """Of a table, left and right of the cells of each row."""

    @property
    def left(self) -> float:
        return min(box.left for box in self.boxes)

    @property
    def top(self) -> float:
        return self.boxes[0].top

    @property
    def right(self) -> float:
        return max(box.right for box in self.boxes)

    @property
    def bottom(self) -> float:
        return self.boxes[0].bottom


def blocks_of(
    rows: Sequence[Row],
    *,
    body_size: float,
    body_bold: bool = False,
    page_height: float = 0.0,
    larger: float = LARGER,
) -> list[Block]:
    """Blocks of one column. `body_size` is the font size of most of the document's text; lines `larger` times that can
    be headings."""
    if not rows:
        return []
    column = Rect.around(rows)
    usual = _usual_gap(rows)
    groups: list[list[Row]] = [[rows[0]]]
    for previous, row in pairwise(rows):
        if _starts_block(groups[-1], previous, row, column, usual):
            groups.append([])
        groups[-1].append(row)
    return [_block(group, body_size, body_bold, page_height, larger) for group in groups]


def continues(before: Block, after: Block) -> bool:
    """Whether a paragraph goes on at the top of the next column."""
    if before.kind not in ("paragraph", "list") or after.kind != "paragraph" or _END.search(before.text):
        return False
    if min(len(before.text), len(after.text)) < 40:
        return False
    return after.text[:1].islower() or (not before.text[-1:].isascii() and not after.text[:1].isascii())


def merged(before: Block, after: Block) -> Block:
    text = join_lines([before.text, after.text])
    shift = len(text) - len(after.text)
    lines = (*before.lines[:-1], *((min(end, shift), box) for end, box in before.lines[-1:]))
    lines += tuple((end + shift, box) for end, box in after.lines)
    return replace(before, text=text, boxes=before.boxes + after.boxes, lines=lines)


def element_lines(block: Block, number: int, width: float, height: float, grown: float = 0.0) -> tuple[Line, ...]:
    """The lines of a block on a page, each `grown` by points; none where its text is not the one that they were read from."""
    if not block.lines or block.lines[-1][0] != len(block.text):
        return ()
    placed = ((end, box.grown(grown).clipped(width, height)) for end, box in block.lines)
    cells = block.cells if len(block.cells) == len(block.lines) else ((),) * len(block.lines)
    return tuple(
        Line(end, Box(number, *(round(side, 2) for side in (box.left, box.top, box.right, box.bottom))), spans)
        for (end, box), spans in zip(placed, cells, strict=True)
    )


def _usual_gap(rows: Sequence[Row]) -> float:
    gaps = [
        below.top - above.bottom
        for above, below in pairwise(rows)
        if abs(above.size - below.size) < 0.5 and below.top - above.bottom < above.height
    ]
    return median(gaps) if gaps else 0.0


def _starts_block(group: list[Row], previous: Row, row: Row, column: Rect, usual: float) -> bool:
    size = max(previous.size, row.size)
    if abs(previous.size - row.size) > max(0.6, 0.05 * size) or previous.bold != row.bold or previous.mono != row.mono:
        return _restyled(previous, row)
    if row.top - previous.bottom > usual + 0.35 * size:
        return True
    if row.mono:
        return False
    if row.bold and _ended_early(previous, row, column):
        return True
    if _marked(row) and not _wraps(previous, row, column):
        return True
    if _marked(group[0]):
        # Lines of a list item stand under its text; one that goes back to the mark's left edge is a new paragraph.
        back = row.left <= group[0].left + 0.3 * size < _text_left(group[0], group)
        ended = bool(_END.search(previous.text)) or _next_word_fits(previous, row, column)
        return row.left < group[0].left - 0.5 * size or (back and ended)
    short = previous.right < column.right - 0.2 * column.width
    if short and _END.search(previous.text):
        return True
    indented = 0.8 * size < row.left - previous.left < 5 * size
    return indented and bool(_END.search(previous.text))


def _restyled(previous: Row, row: Row) -> bool:
    """Whether a change of style is a new block; not where a bold or small word ends a line in the middle of a sentence."""
    if abs(previous.size - row.size) > 0.5 or previous.mono != row.mono:
        return True
    return not (
        row.text[:1].islower() and not _END.search(previous.text) and row.top - previous.bottom < 0.4 * row.size
    )


def _ended_early(previous: Row, row: Row, column: Rect) -> bool:
    """Whether the next word would have fitted on the line before: two headings, not one of two lines."""
    if abs((previous.left + previous.right) - (row.left + row.right)) < 8:
        return False  # centred lines are broken by sense
    if row.text[:1].islower():
        return False
    return _next_word_fits(previous, row, column)


def _next_word_fits(previous: Row, row: Row, column: Rect) -> bool:
    """Whether the first word of a row would have found place at the end of the row before."""
    word = row.text.split(" ", 1)[0]
    width = (row.right - row.left) * len(word) / max(len(row.text), 1)
    return previous.right + width + row.size < column.right


def _wraps(previous: Row, row: Row, column: Rect) -> bool:
    """A line that begins with "a. " or "5. " only because the sentence was broken there."""
    full = previous.right > column.right - 0.08 * column.width
    return full and not _END.search(previous.text) and not _BULLET.match(row.text) and row.left <= previous.left + 1


def _text_left(first: Row, group: list[Row]) -> float:
    if len(group) > 1:
        return group[1].left
    return first.runs[1].left if len(first.runs) > 1 else first.left + first.size


def _block(group: list[Row], body_size: float, body_bold: bool, page_height: float, larger: float) -> Block:
    made = _kind_of(group, body_size, body_bold, page_height, larger)
    return replace(made, lines=placed_lines([(row.text, row) for row in group], made.text))


def _kind_of(group: list[Row], body_size: float, body_bold: bool, page_height: float, larger: float) -> Block:
    box = Rect.around(group)
    if all(row.mono for row in group) and len(group) > 1:
        return Block("code", "\n".join(_indented(row, box) for row in group), (box,))
    if len(group) > 1 and sum(1 for row in group if is_contents_line(row)) > 0.6 * len(group):
        return Block("list", "\n".join(row.text for row in group), (box,))
    text = join_lines(row.text for row in group)
    if is_figure_caption(text) or is_table_caption(text):
        return Block("caption", text, (box,))
    size = median(row.size for row in group)
    level = _heading_level(group, text, size, body_size, body_bold, larger)
    if level is not None:
        return Block("heading", text, (box,), level)
    if size < 0.87 * body_size and _FOOTNOTE.match(text) and box.top > 0.5 * page_height > 0:
        return Block("footnote", text, (box,))
    if _marked(group[0]):
        return Block("list", _BULLET.sub("- ", _odd_mark(text, group[0])), (box,))
    return Block("paragraph", text, (box,))


def _marked(row: Row) -> bool:
    return bool(_MARK.match(row.text)) or _odd_sign(row)


def _odd_sign(row: Row) -> bool:
    """A bullet in a symbol font without encoding: one strange sign by itself at the start of a line."""
    sign, _, rest = row.text.partition(" ")
    return sign in _ODD and bool(rest)


def _odd_mark(text: str, row: Row) -> str:
    return "• " + text[1:].lstrip() if _odd_sign(row) else text


def is_contents_line(row: Row) -> bool:
    """A line of a table of contents: a title, then far to the right, or after dots, the number of its page."""
    if _LEADER.search(row.text):
        return True
    return (
        len(row.runs) > 1
        and row.runs[-1].text.isdigit()
        and row.runs[-1].left - row.runs[-2].right > 3 * row.size
        and not row.runs[0].text.isdigit()
    )


def _indented(row: Row, box: Rect) -> str:
    return " " * round((row.left - box.left) / max(0.6 * row.size, 1.0)) + row.text


def _heading_level(
    group: list[Row], text: str, size: float, body_size: float, body_bold: bool, larger: float
) -> int | None:
    if (
        len(group) > 4
        or is_contents_line(group[-1])
        or len(text) > 200
        or len(_LETTERS.findall(text)) < 2
        or _NOT_HEADING.search(text)
        or _BULLET.match(text)
    ):
        return None
    ratio = size / body_size if body_size else 1.0
    if ratio >= larger:
        return 1 if ratio >= 1.7 else 2 if ratio >= 1.35 else 3
    if ratio > 0.93 and not body_bold and len(group) <= 2 and len(text) <= 120 and all(row.bold for row in group):
        return 4
    return None
