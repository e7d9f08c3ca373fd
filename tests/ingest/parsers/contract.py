"""What every parser promises, checked on its real output. Test modules load it by its path: the tests are no packages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from ingest.protocols import Limits, ParsedPage, Parser, Source
from rag.documents import Element
from rag.errors import FileError


def source(path: Path, media_type: str, *, limits: Limits | None = None, root: Path | None = None) -> Source:
    return Source(path, path.name, media_type, limits or Limits(), root)


def check_parser(parser: Parser) -> None:
    """The properties that the pipeline reads before it opens a file."""
    assert parser.media_types
    assert all("/" in media_type and media_type == media_type.lower() for media_type in parser.media_types)
    assert parser.version


def parse(parser: Parser, item: Source) -> list[ParsedPage]:
    """All pages, checked."""
    pages = list(parser.parse(item))
    check_pages(pages)
    return pages


def check_pages(pages: Sequence[ParsedPage]) -> None:
    assert pages, "a parser yields at least one page or raises"
    assert any(page.elements for page in pages), "a file without elements is an EmptyFile"
    numbers = [page.page.number for page in pages if page.page is not None]
    if numbers:
        assert len(numbers) == len(pages), "all pages are numbered or none is"
        assert numbers == list(range(1, len(pages) + 1)), f"pages are numbered in order from 1: {numbers}"
    for page in pages[1:]:
        assert not page.title, "the title stands on the first page"
        assert not page.metadata, "metadata stand on the first page"
    for page in pages:
        assert all(isinstance(warning, str) and warning for warning in page.warnings)
        if page.page_count is not None and numbers:
            assert page.page_count >= len(pages)
        for element in page.elements:
            check_element(element, page)


def check_element(element: Element, page: ParsedPage) -> None:
    if element.kind == "figure":
        assert element.image is not None or element.text or element.caption, (
            "a figure has a picture or says what it was"
        )
    else:
        assert element.text.strip(), f"an empty {element.kind}"
        assert not element.caption
    assert "\x00" not in element.text
    if element.level is not None:
        assert 1 <= element.level <= 6
    if element.kind == "table":
        check_table(element.text)
    if element.image is not None:
        assert element.image.data
        assert element.image.media_type in {"image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml"}
        assert element.image.width > 0
        assert element.image.height > 0
    if page.page is None:
        assert element.page is None
        assert not element.boxes
        return
    assert element.page == page.page.number
    for box in element.boxes:
        assert box.page == page.page.number, "boxes lie on the page of their element"
        assert box.left >= -0.01
        assert box.top >= -0.01
        assert box.right <= page.page.width + 0.01, f"{box} beyond a page {page.page.width} wide"
        assert box.bottom <= page.page.height + 0.01, f"{box} beyond a page {page.page.height} high"


def check_table(markdown: str) -> None:
    """GitHub-flavoured Markdown: header, rule, rows, all of one width."""
    lines = markdown.splitlines()
    assert len(lines) >= 2, "a table has a header row and a rule"
    widths = {_cells(line) for line in lines}
    assert len(widths) == 1, f"rows of different widths: {sorted(widths)}"
    assert set(lines[1]) <= set("|-: "), f"the second line of a table is its rule: {lines[1]!r}"


def check_refused(parser: Parser, item: Source, expected: type[FileError]) -> FileError:
    """Parsing raises exactly this error, which names the file and says what to do."""
    with pytest.raises(FileError) as caught:
        for _ in parser.parse(item):
            pass
    error = caught.value
    assert type(error) is expected, f"{type(error).__name__} instead of {expected.__name__}: {error}"
    assert item.name in error.message, f"the message does not name the file: {error.message}"
    assert error.remedy, f"no remedy: {error.message}"
    return error


def texts(pages: Iterable[ParsedPage], kind: str | None = None) -> list[str]:
    return [element.text for page in pages for element in page.elements if kind is None or element.kind == kind]


def _cells(line: str) -> int:
    assert line.startswith("|"), line
    assert line.endswith("|"), line
    return line.replace("\\|", "").count("|") - 1
