"""The shapes of a slide as elements in reading order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from ingest.parsers.formulas import latex_of_omml
from ingest.parsers.ooxml import DGM, MC, A, M, P, R
from ingest.parsers.ooxml_charts import chart_table
from ingest.parsers.pictures import alternative_text, image_data
from ingest.parsers.prose import with_captions
from ingest.parsers.reading_order import reading_order
from ingest.parsers.tables_md import markdown_table
from ingest.protocols import Limits
from rag.documents import Box, Element, Page

POINT = 12_700
"""English metric units in a point."""
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the shapes of a group lie on the slide: `x * scale_x + left`, in English metric units."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def inside(self, group: Any) -> _Frame:
        transform = group._element.find(f"{P}grpSpPr/{A}xfrm")
        if transform is None or transform.find(f"{A}chExt") is None or group.width is None:
            return self
        offset, extent = transform.find(f"{A}chOff"), transform.find(f"{A}chExt")
        wide, high = int(extent.get("cx")) or 1, int(extent.get("cy")) or 1
        scale_x, scale_y = group.width / wide, group.height / high
        left, top = group.left - int(offset.get("x")) * scale_x, group.top - int(offset.get("y")) * scale_y
        return _Frame(
            self.scale_x * scale_x,
            self.scale_y * scale_y,
            self.scale_x * left + self.left,
            self.scale_y * top + self.top,
        )


class SlideReader:
    """Reads one slide; `left_out` counts what could not be read."""

    def __init__(self, slide: Any, page: Page, limits: Limits) -> None:
        self._slide = slide
        self._page = page
        self._limits = limits
        self.left_out: Counter[str] = Counter()

    def read(self) -> Iterator[Element]:
        titles: list[Element] = []
        placed: list[tuple[Box, list[Element]]] = []
        loose: list[Element] = []
        for shape, frame in self._shapes(self._slide.shapes, _Frame()):
            kind = _placeholder(shape)
            if kind in _FURNITURE:
                continue
            box = self._box(shape, frame)
            elements = [
                replace(element, page=self._page.number, boxes=(box,) if box else ())
                for element in self._elements(shape, kind)
            ]
            if elements and elements[0].kind == "heading":
                titles.extend(elements)
            elif elements and box:
                placed.append((box, elements))
            else:
                loose.extend(elements)
        yield from titles
        yield from with_captions(element for group in reading_order(placed) for element in group)
        loose.extend(Element("paragraph", text, page=self._page.number) for text in self._alternatives())
        yield from loose
        if self._slide.has_notes_slide and (frame := self._slide.notes_slide.notes_text_frame) is not None:
            notes = frame.text.replace("\v", "\n").strip()
            if notes:
                yield Element("paragraph", notes, page=self._page.number)

    def _shapes(self, shapes: Any, frame: _Frame) -> Iterator[tuple[Any, _Frame]]:
        for shape in shapes:
            if shape._element.tag == f"{P}grpSp":
                yield from self._shapes(shape.shapes, frame.inside(shape))
            else:
                yield shape, frame

    def _box(self, shape: Any, frame: _Frame) -> Box | None:
        if None in (shape.left, shape.top, shape.width, shape.height):
            return None
        left, right = sorted((shape.left, shape.left + shape.width))
        top, bottom = sorted((shape.top, shape.top + shape.height))

        def x(value: float) -> float:
            return min(max((value * frame.scale_x + frame.left) / POINT, 0.0), self._page.width)

        def y(value: float) -> float:
            return min(max((value * frame.scale_y + frame.top) / POINT, 0.0), self._page.height)

        return Box(self._page.number, x(left), y(top), x(right), y(bottom))

    def _elements(self, shape: Any, kind: str) -> Iterator[Element]:
        if getattr(shape, "has_table", False):
            if table := _table(shape.table):
                yield Element("table", table)
        elif getattr(shape, "has_chart", False):
            title, table = chart_table(shape.chart._chartSpace)
            if caption := title or _alt(shape):
                yield Element("caption", caption)
            if table:
                yield Element("table", table)
        elif shape._element.tag == f"{P}pic":
            yield from self._picture(shape)
        elif shape._element.tag == f"{P}graphicFrame":
            yield from self._diagram(shape)
        elif shape.has_text_frame:
            yield from _text(shape.text_frame, kind)

    def _picture(self, shape: Any) -> Iterator[Element]:
        alt = _alt(shape)
        blip = next(shape._element.iter(f"{A}blip"), None)
        identifier = blip.get(f"{R}embed") if blip is not None else None
        if identifier is None:
            self.left_out["a picture that is not inside the file"] += 1
            found: Any = ""
        else:
            found = image_data(shape.part.related_part(identifier).blob, self._limits)
        if not isinstance(found, str):
            yield Element("figure", alt, image=found)
            return
        if found:
            self.left_out[f"a picture that {found}"] += 1
        if alt:
            yield Element("figure", alt)

    def _diagram(self, shape: Any) -> Iterator[Element]:
        """SmartArt keeps its words in a part of their own."""
        for node in shape._element.iter(f"{DGM}relIds"):
            root = etree.fromstring(
                shape.part.related_part(node.get(f"{R}dm")).blob,
                etree.XMLParser(resolve_entities=False, no_network=True),
            )
            points = (
                " ".join("".join(t.text or "" for t in point.iter(f"{A}t")).split()) for point in root.iter(f"{DGM}pt")
            )
            if lines := [f"- {point}" for point in points if point]:
                yield Element("list", "\n".join(lines))

    def _alternatives(self) -> Iterator[str]:
        """Text of shapes in forms that only newer programs know (formulas, 3D models)."""
        for node in self._slide.shapes._spTree.iter(f"{MC}Choice"):
            for paragraph in node.iter(f"{A}p"):
                if text := " ".join("".join(_written(paragraph)).split()):
                    yield text


def _written(node: Any) -> Iterator[str]:
    """Text and formulas, in their order."""
    for child in node:
        if child.tag in (f"{M}oMath", f"{M}oMathPara"):
            yield f" {latex_of_omml(child)} "
        elif child.tag == f"{A}t":
            yield child.text or ""
        elif isinstance(child.tag, str):
            yield from _written(child)


def _placeholder(shape: Any) -> str:
    node = next(shape._element.iter(f"{P}ph"), None)
    return "" if node is None else str(node.get("type", "body"))


def _text(frame: Any, kind: str) -> Iterator[Element]:
    paragraphs = [
        (paragraph.level, paragraph.text.replace("\v", "\n").replace("\u00a0", " ").strip())
        for paragraph in frame.paragraphs
    ]
    paragraphs = [(level, text) for level, text in paragraphs if text]
    if not paragraphs:
        return
    if kind in _TITLES:
        yield Element("heading", " ".join(" ".join(text.split()) for _, text in paragraphs), level=1)
    elif len(paragraphs) == 1:
        yield Element("paragraph", paragraphs[0][1])
    elif kind in ("body", "obj") or any(level for level, _ in paragraphs):
        lines = (f"{'  ' * level}- {text}".replace("\n", "\n" + "  " * (level + 1)) for level, text in paragraphs)
        yield Element("list", "\n".join(lines))
    else:
        yield Element("paragraph", "\n".join(text for _, text in paragraphs))


def _table(table: Any) -> str:
    rows = [["" for _ in table.columns] for _ in table.rows]
    for i, row in enumerate(table.rows):
        for j, cell in enumerate(row.cells):
            if cell.is_spanned or j >= len(rows[i]):
                continue
            text = cell.text.replace("\v", "\n").strip()
            down, across = (cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1)
            for down_by in range(min(down, len(rows) - i)):
                for across_by in range(min(across, len(rows[i]) - j)):
                    rows[i + down_by][j + across_by] = text
    return markdown_table(rows)


def _alt(shape: Any) -> str:
    node = next(shape._element.iter(f"{P}cNvPr"), None)
    return alternative_text(node.get("descr")) if node is not None else ""
