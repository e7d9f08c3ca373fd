"""The body of a Word document as elements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ingest.parsers.docx_styles import Styles
from ingest.parsers.docx_tables import Cell, expand
from ingest.parsers.formulas import latex_of_omml
from ingest.parsers.ooxml import DGM, MC, WP, A, C, M, Package, R, V, W
from ingest.parsers.ooxml_charts import chart_table
from ingest.parsers.pictures import alternative_text, image_data
from ingest.parsers.prose import with_captions
from ingest.parsers.tables_md import markdown_table
from rag.documents import Element
from rag.errors import CorruptFile

_SKIPPED = frozenset(
    {
        f"{W}del",
        f"{W}moveFrom",
        f"{W}instrText",
        f"{W}delText",
        f"{W}rt",
        f"{W}pPr",
        f"{W}rPr",
        f"{MC}Fallback",
        f"{W}sdtPr",
        f"{W}delInstrText",
    }
)
_CONTAINERS = frozenset(
    {
        f"{W}sdt",
        f"{W}sdtContent",
        f"{W}ins",
        f"{W}moveTo",
        f"{W}customXml",
        f"{W}smartTag",
        f"{MC}AlternateContent",
        f"{MC}Choice",
    }
)


_SPACE = re.compile(r"[ \t\u00a0]+")
MIN_BROKEN = 50
"""Characters of a paragraph that can be one line of a longer one: converters from PDF end a paragraph at every line."""


class _Inside:
    """What a paragraph holds beside its text."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.elements: list[Element] = []


class BodyReader:
    """Reads one document; `title` is its title paragraph, `left_out` counts what could not be read."""

    def __init__(self, package: Package, main_part: str) -> None:
        self._package = package
        self._part = main_part
        self._styles = Styles(package, main_part)
        self._notes = {kind: self._read_notes(kind) for kind in ("footnote", "endnote")}
        self.title = ""
        self.left_out: Counter[str] = Counter()

    def read(self) -> Iterator[Element]:
        body = self._package.xml(self._part).find(f"{W}body")
        if body is None:
            raise CorruptFile(
                f"{self._package.source.name} has no body.", "Open it in Word, save it again, and ingest that."
            )
        yield from with_captions(_joined(self._blocks(body)))

    def _blocks(self, parent: Any) -> Iterator[Element]:
        items: list[str] = []
        after: list[Element] = []
        for node in _flat(parent):
            if node.tag == f"{W}tbl":
                yield from _flush(items, after)
                yield from self._table(node)
            elif node.tag == f"{W}p":
                inside = _Inside()
                text = _SPACE.sub(_white, "".join(self._text(node, inside))).strip()
                properties = node.find(f"{W}pPr")
                kind, level = self._styles.kind(properties)
                number = self._styles.number(properties) if text else None
                attached = [*inside.elements, *(Element("footnote", note) for note in inside.notes)]
                if number is not None and kind == "body":
                    depth, marker = number
                    lines = text.replace("\n", "\n" + "  " * (depth + 1))
                    items.append(f"{'  ' * depth}{marker + ' ' if marker else ''}{lines}")
                    after.extend(attached)
                    continue
                if text or attached:
                    yield from _flush(items, after)
                if text and kind != "toc":
                    yield self._paragraph(text, kind, level, number)
                yield from attached
        yield from _flush(items, after)

    def _paragraph(self, text: str, kind: str, level: int, number: tuple[int, str] | None) -> Element:
        if kind in ("heading", "title"):
            text = " ".join(text.split())
            if kind == "title":
                self.title = self.title or text
            marker = number[1] if number is not None and number[1] != "-" else ""
            return Element("heading", f"{marker} {text}".strip(), level=level)
        return Element("caption" if kind == "caption" else "paragraph", text)

    def _text(self, node: Any, inside: _Inside) -> Iterator[str]:
        """The visible text of inline content, in order; pictures, text boxes and notes go to `inside`."""
        for child in node:
            tag = child.tag
            if tag == f"{W}t":
                yield child.text or ""
            elif tag in _SKIPPED or not isinstance(tag, str):
                continue
            elif tag in (f"{W}tab", f"{W}ptab"):
                yield "\t"
            elif tag in (f"{W}br", f"{W}cr"):
                yield "\n" if child.get(f"{W}type") != "page" else " "
            elif tag == f"{W}noBreakHyphen":
                yield "-"
            elif tag == f"{W}sym":
                yield _symbol(child.get(f"{W}char", ""))
            elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
                note = self._notes["footnote" if tag == f"{W}footnoteReference" else "endnote"].get(
                    child.get(f"{W}id", "")
                )
                if note:
                    inside.notes.append(note)
            elif tag in (f"{W}drawing", f"{W}pict", f"{W}object"):
                inside.elements.extend(self._drawing(child))
            elif tag in (f"{M}oMath", f"{M}oMathPara"):
                formula = latex_of_omml(child)
                yield f" {formula} " if formula else ""
            else:
                yield from self._text(child, inside)

    def _drawing(self, node: Any) -> Iterator[Element]:
        described = next(node.iter(f"{WP}docPr"), None)
        alt = _alt(described)
        for blip in node.iter(f"{A}blip"):
            yield from self._picture(blip.get(f"{R}embed") or blip.get(f"{R}link"), alt)
        for data in node.iter(f"{V}imagedata"):
            shape = data.getparent()
            yield from self._picture(data.get(f"{R}id"), alternative_text(shape.get("alt") or data.get("title")))
        for chart in node.iter(f"{C}chart"):
            if part := self._target(chart.get(f"{R}id")):
                title, table = chart_table(self._package.xml(part))
                if title or alt:
                    yield Element("caption", title or alt)
                if table:
                    yield Element("table", table)
        for diagram in node.iter(f"{DGM}relIds"):
            if part := self._target(diagram.get(f"{R}dm")):
                points = [
                    "".join(t.text or "" for t in point.iter(f"{A}t")).strip()
                    for point in self._package.xml(part).iter(f"{DGM}pt")
                ]
                if lines := [f"- {point}" for point in points if point]:
                    yield Element("list", "\n".join(lines))
        for box in node.iter(f"{W}txbxContent"):
            # The old form of a box repeats the new one; a box within a box is read with its parent.
            if not any(parent.tag in (f"{MC}Fallback", f"{W}txbxContent") for parent in _parents(box, node)):
                yield from self._blocks(box)

    def _target(self, identifier: str | None) -> str | None:
        relationship = self._package.relationships(self._part).get(identifier or "")
        return (
            relationship.target
            if relationship is not None and not relationship.external and self._package.has(relationship.target)
            else None
        )

    def _picture(self, identifier: str | None, alt: str) -> Iterator[Element]:
        part = self._target(identifier)
        if part is None:
            self.left_out["a picture that is not inside the file"] += 1
            if alt:
                yield Element("figure", alt)
            return
        found = image_data(self._package.read(part), self._package.source.limits)
        if not isinstance(found, str):
            yield Element("figure", alt, image=found)
        elif found:
            self.left_out[f"a picture that {found}"] += 1
            if alt:
                yield Element("figure", alt)

    def _table(self, table: Any) -> Iterator[Element]:
        rows = [row for row in _flat(table) if row.tag == f"{W}tr"]
        cells = [[cell for cell in _flat(row) if cell.tag == f"{W}tc"] for row in rows]
        if sum(map(len, cells)) <= 1 or (
            max(map(len, cells)) == 1
            and any(next(cell.iter(f"{W}tbl"), None) is not None for row in cells for cell in row)
        ):
            # A frame around text, drawn as a table.
            for row in cells:
                for cell in row:
                    yield from self._blocks(cell)
            return
        beside: list[Element] = []
        grid = [[Cell.of(cell, self._cell_text(cell, beside)) for cell in row] for row in cells]
        header_rows = 0
        while header_rows < len(rows) and rows[header_rows].find(f"{W}trPr/{W}tblHeader") is not None:
            header_rows += 1
        before = [_before(row) for row in rows]
        if markdown := markdown_table(expand(grid, before), header_rows or 1):
            yield Element("table", markdown)
        yield from beside

    def _cell_text(self, cell: Any, beside: list[Element]) -> str:
        """A cell's paragraphs and nested tables as text; its pictures and notes go beside the table."""
        parts: list[str] = []
        for element in self._blocks(cell):
            if element.kind in ("figure", "footnote"):
                beside.append(element)
            elif element.kind == "table":
                lines = [line.strip("| ").replace(" | ", ", ").replace("\\|", "|") for line in element.text.split("\n")]
                parts.append("; ".join(line for index, line in enumerate(lines) if index != 1))
            else:
                parts.append(element.text)
        return "\n".join(parts)

    def _read_notes(self, kind: str) -> dict[str, str]:
        part = self._package.related(self._part, f"{kind}s")
        if part is None:
            return {}
        notes: dict[str, str] = {}
        for note in self._package.xml(part).iter(f"{W}{kind}"):
            if note.get(f"{W}type") in (None, "normal"):
                text = " ".join("".join(t.text or "" for t in p.iter(f"{W}t")) for p in note.iter(f"{W}p"))
                notes[note.get(f"{W}id", "")] = " ".join(text.split())
        return notes


def _flat(parent: Any) -> Iterator[Any]:
    """Children, looking through content controls, tracked insertions and alternatives."""
    for child in parent:
        if child.tag in _CONTAINERS:
            yield from _flat(child)
        elif child.tag not in _SKIPPED:
            yield child


def _flush(items: list[str], after: list[Element]) -> Iterator[Element]:
    if items:
        yield Element("list", "\n".join(items))
    yield from after
    items.clear()
    after.clear()


def _joined(elements: Iterator[Element]) -> Iterator[Element]:
    """Paragraphs that a converter broke in the middle of a sentence, whole again."""
    last: Element | None = None
    for element in elements:
        if last is not None and last.kind == element.kind == "paragraph" and _is_broken(last.text, element.text):
            last = Element("paragraph", f"{last.text} {element.text}")
            continue
        if last is not None:
            yield last
        last = element
    if last is not None:
        yield last


def _is_broken(first: str, second: str) -> bool:
    """Whether the second paragraph goes on in the middle of a sentence of the first."""
    return (
        len(first) >= MIN_BROKEN
        and second[:1].islower()
        and (first[-1].isalnum() or first[-1] in ",-’'")
        and "\t" not in second[:6]
    )


def _white(match: re.Match[str]) -> str:
    return "\t" if "\t" in match.group() else " " * min(2, len(match.group()))


def _alt(described: Any) -> str:
    return alternative_text(described.get("descr") or described.get("title")) if described is not None else ""


def _symbol(code: str) -> str:
    try:
        character = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    # Symbol fonts live in the private area, where a code means nothing without its font.
    return "" if "\ue000" <= character <= "\uf8ff" or "\ud800" <= character <= "\udfff" else character


def _before(row: Any) -> int:
    node = row.find(f"{W}trPr/{W}gridBefore")
    value = node.get(f"{W}val", "0") if node is not None else "0"
    return min(63, int(value)) if value.isdecimal() else 0


def _parents(node: Any, stop: Any) -> Iterator[Any]:
    for parent in node.iterancestors():
        if parent is stop:
            return
        yield parent
