"""Excel workbooks (ECMA-376 part 1, SpreadsheetML): each sheet under a heading, its tables row by row, as people see them.

The rows of a sheet are streamed: a workbook needs the memory of its shared strings and of one part of a table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.containers import XLSX
from ingest.parsers.ooxml import AGAIN, Package, R
from ingest.parsers.pictures import alternative_text, image_data
from ingest.parsers.prose import clean_lines
from ingest.parsers.sheets import SheetRow, sheet_elements
from ingest.parsers.xlsx_cells import MAX_MERGE_COLUMNS, Format, Merge, formats, merges, position
from ingest.protocols import ParsedPage, Source
from ingest.safe_xml import SAFE_XML
from rag.documents import Element
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How a workbook writes a character that XML cannot hold."""
MAX_COLUMNS = 16_384
MAX_CELL = 32_767
"""Characters; Excel's own limits."""


class XlsxParser:
    """XLSX, XLSM and their templates. A sheet has no pages; its name is a heading."""

    media_types = frozenset({XLSX})
    version = "xlsx-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Parts of sheets in order. Raises CorruptFile, EmptyFile, LimitExceeded (`rows`)."""
        with Package(source) as package:
            book = _Book(package)
            title, metadata = package.properties()
            anything = False
            for elements in book.parts():
                fresh = not anything
                yield ParsedPage(
                    None,
                    elements,
                    title=title if fresh else "",
                    metadata=metadata if fresh else {},
                    warnings=book.warned(),
                )
                anything = True
            if not anything:
                raise EmptyFile(f"{source.name} has no cell with content.", "Check that the right file was saved.")


class _Book:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.main_part()
        root = package.xml(self._main)
        properties = root.find("{*}workbookPr")
        self._base_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self._sheets = list(root.iter("{*}sheet"))
        styles = package.related(self._main, "styles")
        self._formats = formats(package.xml(styles)) if styles else []
        strings = package.related(self._main, "sharedStrings")
        self._strings = [_text(node) for node in _stream(package, strings, "si")] if strings else []
        self._rows_left = package.source.limits.rows
        self._warnings: list[str] = []
        self._unsolved = 0
        """Formulas of a sheet whose value nobody stored: spreadsheet programs do, other programs that write workbooks do not."""

    def warned(self) -> tuple[str, ...]:
        said, self._warnings = tuple(self._warnings), []
        return said

    def parts(self) -> Iterator[tuple[Element, ...]]:
        """The elements of the workbook, a part of a sheet at a time, the sheet's heading with its first part."""
        relationships = self._package.relationships(self._main)
        for sheet in self._sheets:
            target = relationships.get(
                sheet.get(f"{R}id") or sheet.get("{http://purl.oclc.org/ooxml/officeDocument/relationships}id") or ""
            )
            name = " ".join((sheet.get("name") or "Sheet").split())
            if target is None or target.kind != "worksheet" or not self._package.has(target.target):
                continue
            hidden = sheet.get("state") in ("hidden", "veryHidden")
            lead: tuple[Element, ...] = (Element("heading", f"{name} (hidden sheet)" if hidden else name, level=1),)
            for element in self._sheet(target.target, name):
                yield (*lead, element)
                lead = ()

    def _sheet(self, part: str, name: str) -> Iterator[Element]:
        yield from sheet_elements(self._rows(part, name))
        if comments := self._comments(part):
            yield Element("list", "\n".join(comments))
        yield from self._pictures(part)

    def _rows(self, part: str, name: str) -> Iterator[SheetRow]:
        spans = _Spans(merges(self._package.blocks(part)))
        last, unnumbered = -1, 0
        self._unsolved = 0
        for node in _stream(self._package, part, "row"):
            if not len(node):
                # Programs write hundreds of thousands of formatted but empty rows.
                unnumbered += 1
                continue
            given = node.get("r") or ""
            number = int(given) - 1 if given.isdecimal() and len(given) < 9 else last + unnumbered + 1
            unnumbered = 0
            cells = self._cells(node)
            wide = spans.apply(number, cells)
            width = max((column for column, text in cells.items() if text), default=-1) + 1
            if not width:
                continue
            self._rows_left -= 1
            if self._rows_left < 0:
                raise LimitExceeded(
                    f"{self._package.source.name} has more than {self._package.source.limits.rows:,} rows with content "
                    f"(reached in the sheet {name}).",
                    "Split it, or raise `ingest.limits.rows`.",
                )
            # The first row of a sheet begins a block anyway.
            yield SheetRow([cells.get(column, "") for column in range(width)], wide, 0 <= last < number - 1)
            last = number
        if self._unsolved:
            many = f"{self._unsolved} formulas are" if self._unsolved > 1 else "1 formula is"
            self._warnings.append(
                f"{many} without a stored value in the sheet {name} and read as written: open the file in a spreadsheet program and save it."
            )

    def _cells(self, row: Any) -> dict[int, str]:
        found: dict[int, str] = {}
        column = -1
        for node in row.iterchildren("{*}c"):
            place = position(node.get("r") or "")
            column = place[1] if place else column + 1
            if column < MAX_COLUMNS and (text := self._cell(node)):
                found[column] = text
        return found

    def _cell(self, node: Any) -> str:
        kind = node.get("t") or "n"
        if kind == "inlineStr":
            inline = node.find("{*}is")
            return _text(inline) if inline is not None else ""
        value = node.findtext("{*}v") or ""
        if not value:
            formula = node.findtext("{*}f")
            self._unsolved += formula is not None
            return f"={formula}"[:MAX_CELL] if formula else ""
        if kind == "s":
            return self._strings[int(value)] if value.isdecimal() and int(value) < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if kind == "n":
            return self._number(value, node.get("s") or "0")
        return " ".join(value[:MAX_CELL].split())

    def _number(self, value: str, style: str) -> str:
        try:
            number = float(value)
            shown = self._formats[int(style)] if style.isdecimal() and int(style) < len(self._formats) else Format()
            return shown.show(number, self._base_1904)
        except (ValueError, OverflowError):
            return value.strip()[:MAX_CELL]

    def _comments(self, part: str) -> list[str]:
        """Notes on cells: "B4: why this figure"."""
        comments = self._package.related(part, "comments")
        if comments is None:
            return []
        nodes = self._package.xml(comments).iter("{*}comment")
        return [f"- {node.get('ref') or ''}: {text}" for node in nodes if (text := _text(node))]

    def _pictures(self, part: str) -> Iterator[Element]:
        drawing = self._package.related(part, "drawing")
        if drawing is None:
            return
        named = self._package.relationships(drawing)
        for picture in self._package.xml(drawing).iter("{*}pic"):
            blip = next(picture.iter("{*}blip"), None)
            target = named.get(blip.get(f"{R}embed") or "") if blip is not None else None
            if target is None or target.external or not self._package.has(target.target):
                continue
            about = next(picture.iter("{*}cNvPr"), None)
            alt = alternative_text(about.get("descr")) if about is not None else ""
            found = image_data(self._package.read(target.target), self._package.source.limits)
            if not isinstance(found, str):
                yield Element("figure", alt, image=found)
            elif found:
                self._warnings.append(f"A picture of a sheet {found}.")


class _Spans:
    """Merged ranges, as the rows pass by: their text stands in every place they cover, a wide title once."""

    def __init__(self, merges_: list[Merge]) -> None:
        self._by_top: dict[int, list[Merge]] = defaultdict(list)
        for merge in merges_:
            if merge.right - merge.left < MAX_MERGE_COLUMNS:
                self._by_top[merge.top].append(merge)
        self._open: list[tuple[Merge, str]] = []

    def apply(self, row: int, cells: dict[int, str]) -> bool:
        """Fills the row in place. Whether a cell of it covers several columns while others stand beside it."""
        if not (self._by_top or self._open):
            return False
        self._open = [(merge, text) for merge, text in self._open if merge.bottom >= row]
        begun = [(merge, cells.get(merge.left, "")) for merge in self._by_top.pop(row, ())]
        if len(cells) <= 1 and not self._open:
            self._open.extend((merge, text) for merge, text in begun if merge.left == merge.right and text)
            return False
        wide = False
        for merge, text in (*self._open, *begun):
            if text:
                cells.update(dict.fromkeys(range(merge.left, merge.right + 1), text))
                wide = wide or (merge.right > merge.left and merge.top == row)
        self._open.extend((merge, text) for merge, text in begun if merge.bottom > row and text)
        return wide


def _text(node: Any) -> str:
    """The text of a string with runs, without its phonetic reading."""
    parts = [t.text or "" for t in node.iter("{*}t") if etree.QName(t.getparent()).localname != "rPh"]
    text = "".join(parts)[:MAX_CELL]
    if "_x" in text:
        text = clean_lines(_ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text))
    return " ".join(text.split())


def _stream(package: Package, part: str, tag: str) -> Iterator[Any]:
    """Elements of a part one by one; each is gone when the next one comes."""
    with package.open(part) as stream:
        nodes = etree.iterparse(
            stream,
            tag=f"{{*}}{tag}",
            **SAFE_XML,
        )
        try:
            for _, node in nodes:
                yield node
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise CorruptFile(f"{package.source.name} is damaged inside ({part}: {error}).", AGAIN) from error
