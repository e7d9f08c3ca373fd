"""PDF: text, headings, tables and figures in reading order, each with its place; scanned pages through OCR.

Text, drawn lines and tags come from liteparse; the file is checked, pictures are found and pages are drawn by PDFium.
Both read the file from disk, a batch of pages at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from ingest.layout.continued import continued, headings_at_end, recalled, remembered
from ingest.layout.drawings import drawings, labels_in
from ingest.layout.repeats import FIRST, LAST, Repeats
from ingest.layout.runs import Rect, Row, Run, inside, rows
from ingest.layout.tables import FoundTable
from ingest.parsers.pdf_again import SecondReading
from ingest.parsers.pdf_attachments import attachments
from ingest.parsers.pdf_layout import FoundFigure, Style, box_on, lay_out
from ingest.parsers.pdf_ligatures import with_ligatures
from ingest.parsers.pdf_mend import mended
from ingest.parsers.pdf_outline import Outline, document_title, metadata_of
from ingest.parsers.pdf_pictures import Picture, crop, pictures_of
from ingest.parsers.pdf_scan import looks_scanned, read_scan
from ingest.parsers.pdf_tables import find_tables
from ingest.parsers.pdf_text import TextPage, read_pages
from ingest.protocols import ParsedPage, Source
from ingest.render import PDFIUM, open_pdf
from rag.documents import Element, Page
from rag.errors import CorruptFile, EmptyFile, FileError, LimitExceeded
from rag.protocols import Ocr

DRAWING_DENSITY = 2.0
"""Pixels for each point of a drawing: its labels stay readable for people and for OCR."""


class PdfParser:
    """`ocr` reads scanned pages; without it they give their picture and a warning. `passwords` are tried on locked files."""

    def __init__(self, *, ocr: Ocr | None, passwords: Sequence[str] = ()) -> None:
        self._ocr, self._passwords = ocr, passwords

    @property
    def media_types(self) -> frozenset[str]:
        return frozenset({"application/pdf"})

    @property
    def version(self) -> str:
        return f"pdf-6+{self._ocr.name if self._ocr else 'no-ocr'}"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Pages in order. Raises EncryptedFile, CorruptFile, EmptyFile, LimitExceeded."""
        try:
            yield from self._parse(source)
        except FileError:
            raise
        except Exception as error:  # liteparse and PDFium report a broken file by many types
            raise CorruptFile(
                f"{source.name} could not be read as a PDF: {error}.",
                "Open it in a PDF viewer and save it again, or replace it.",
            ) from error

    def _parse(self, source: Source) -> Iterator[ParsedPage]:
        with open_pdf(source.path, source.name, self._passwords) as (pdf, password):
            with PDFIUM:
                count = len(pdf)
            if count > source.limits.pages:
                raise LimitExceeded(
                    f"{source.name} has {count:,} pages; at most {source.limits.pages:,} are read.",
                    "Split it, or raise the limit of pages in the settings.",
                )
            with PDFIUM:
                reading = _Reading(source, pdf, self._ocr)
                attached, left_out = attachments(pdf, source) if source.resume is None else ((), ())
            done = source.resume.page if source.resume is not None else 0
            anything = done > 0
            for batch in read_pages(source.path, count, password):
                for parsed in reading.batch(batch, done):
                    anything = anything or bool(parsed.elements)
                    if parsed.page is not None and parsed.page.number == 1:
                        parsed = replace(parsed, members=attached, warnings=(*parsed.warnings, *left_out))
                    yield parsed
            if not anything:
                where = "only page" if count == 1 else f"{count:,} pages"
                raise EmptyFile(
                    f"{source.name} has no text, and no picture that could be made out, on its {where}.",
                    "Check that it is the right file: open it in a PDF viewer.",
                )


class _Reading:
    """One pass over one file: what has been learned from the pages before."""

    def __init__(self, source: Source, pdf: Any, ocr: Ocr | None) -> None:
        self._source = source
        self._pdf = pdf
        self._ocr = ocr
        self._count = len(pdf)
        self._repeats = Repeats(self._count)
        self._sizes: Counter[tuple[float, bool]] = Counter()
        self._seen_pictures: set[str] = set(source.resume.remembered) if source.resume else set()
        self._new_pictures: list[str] = []
        self._outline = Outline(pdf)
        self._metadata = metadata_of(pdf)
        self._headings = recalled(source.resume.remembered) if source.resume else None

    def batch(self, pages: Sequence[TextPage], done: int = 0) -> Iterator[ParsedPage]:
        """Learns from all pages, and reads those after number `done`."""
        with PDFIUM:
            pages = [self._mended(page) for page in pages]
        laid = [(page, rows(_upright(page.runs))) for page in pages]
        self._repeats.learn((lines, page.height) for page, lines in laid if page.height)
        for _, lines in laid:
            for line in lines:
                self._sizes[round(2 * line.size) / 2, line.bold] += len(line.text)
        for page, lines in laid:
            if page.number <= done:
                continue
            with PDFIUM:  # not across the yield: the reader of the pages may be another thread, or never come back
                parsed = self._page(page, lines)
            yield parsed

    def _mended(self, page: TextPage) -> TextPage:
        with closing(SecondReading(self._pdf, page.number)) as second:
            return with_ligatures(mended(page, second), second)

    def _page(self, page: TextPage, lines: Sequence[Row]) -> ParsedPage:
        warnings: list[str] = []
        drawn = self._load(page.number, warnings)
        if page.error:
            warnings.append(f"The text of page {page.number} could not be read: {page.error}.")
        if drawn is not None and not page.width:
            width, height = drawn.get_size()
            page = replace(page, width=width, height=height)
        before = self._headings
        try:
            self._new_pictures = []
            elements, source = self._elements(page, lines, drawn, warnings)
            elements = continued(elements, before)
            self._headings = headings_at_end(elements)
        finally:
            if drawn is not None:
                drawn.close()
        first = page.number == 1
        return ParsedPage(
            Page(page.number, page.width, page.height, source),
            tuple(elements),
            title=document_title(self._metadata, elements) if first else "",
            metadata=self._metadata if first else {},
            page_count=self._count,
            warnings=tuple(warnings),
            remember=(*self._new_pictures, *(() if self._headings == before else (remembered(self._headings),))),
        )

    def _load(self, number: int, warnings: list[str]) -> Any | None:
        try:
            return self._pdf[number - 1]
        except Exception as error:  # the text may still be there
            warnings.append(f"Page {number} cannot be drawn: {error}.")
            return None

    def _elements(
        self, page: TextPage, lines: Sequence[Row], drawn: Any | None, warnings: list[str]
    ) -> tuple[list[Element], Any]:
        pictures, refused = pictures_of(drawn, max_pixels=self._source.limits.pixels) if drawn is not None else ([], 0)
        if refused:
            warnings.append(f"{refused} picture(s) on page {page.number} are too large and were left out.")
        if drawn is not None and looks_scanned(page, [picture.box for picture in pictures]):
            return read_scan(page, drawn, self._ocr, warnings)
        kept = [run for line in self._without_furniture(lines, page.height) for run in line.runs]
        tables, flowing = find_tables(page, kept)
        figures, flowing = self._figures(page, drawn, pictures, tables, flowing)
        elements = lay_out(page, flowing, tables, figures, self._style(page.number), kept)
        return elements + _beside(page), "digital"

    def _without_furniture(self, lines: Sequence[Row], height: float) -> list[Row]:
        """Furniture stands at the ends of a page: what repeats below other text is the heading of a table."""
        first, last = 0, len(lines)
        while first < last and self._repeats.is_furniture(lines[first], height, end=FIRST if first == 0 else None):
            first += 1
        while first < last and self._repeats.is_furniture(
            lines[last - 1], height, end=LAST if last == len(lines) else None
        ):
            last -= 1
        return list(lines[first:last])

    def _style(self, number: int) -> Style:
        (size, bold), _ = self._sizes.most_common(1)[0] if self._sizes else ((10.0, False), 0)
        return Style(size, bold, self._outline.headings(number))

    def _figures(
        self,
        page: TextPage,
        drawn: Any | None,
        pictures: Sequence[Picture],
        tables: Sequence[FoundTable],
        runs: list[Run],
    ) -> tuple[list[FoundFigure], list[Run]]:
        """Pictures and drawings with the labels inside them, and the runs that are left."""
        if drawn is None:
            return [], runs
        shown = [p for p in pictures if p.key not in self._seen_pictures and not _is_background(p.box, page, runs)]
        self._new_pictures = [picture.key for picture in shown]
        self._seen_pictures.update(self._new_pictures)
        places = [picture.box for picture in pictures] + [table.box for table in tables]
        regions = [(p.box, p.density) for p in shown]
        regions += [(box, DRAWING_DENSITY) for box in drawings(page.shapes, runs, places, page.width, page.height)]
        figures: list[FoundFigure] = []
        for box, density in regions:
            labels = labels_in(box, runs)
            taken = set(map(id, labels))
            runs = [run for run in runs if id(run) not in taken]
            text = "\n".join(row.text for row in rows(labels))
            figures.append(FoundFigure(box, crop(drawn, box, density), text))
        return figures, runs


def _upright(runs: Sequence[Run]) -> list[Run]:
    """Runs to be laid out together: without those that run up the margin, unless most of the page does."""
    upright = [run for run in runs if not run.sideways]
    return upright if 2 * sum(len(run.text) for run in upright) >= sum(len(run.text) for run in runs) else list(runs)


def _beside(page: TextPage) -> list[Element]:
    """Text that runs up or down the page (tabs, stamps, axis titles), after everything else."""
    upright = set(map(id, _upright(page.runs)))
    sideways = [run for run in page.runs if id(run) not in upright]
    if sum(len(run.text) for run in sideways) < 20:
        return []  # the tab of a chapter
    boxes = tuple(box_on(page.number, Rect.around([run]).clipped(page.width, page.height)) for run in sideways)
    return [Element("paragraph", " ".join(run.text for run in sideways), page.number, boxes)]


def _is_background(box: Rect, page: TextPage, runs: Sequence[Run]) -> bool:
    """A picture under most of a page's text is its paper."""
    covers = box.area > 0.6 * page.width * page.height
    return covers and sum(len(run.text) for run in runs if inside(run, box)) > 100
