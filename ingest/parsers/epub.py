"""Books in EPUB 2 and 3 (W3C EPUB 3.3): chapters in the order of the spine, with their pictures and tables."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from ingest.parsers.epub_package import Book, Item
from ingest.parsers.html import inner_page
from ingest.parsers.pictures import image_data, linked_picture
from ingest.parsers.prose import with_captions
from ingest.protocols import ParsedPage, Source
from rag.documents import Element, ImageData
from rag.errors import CorruptFile, EmptyFile

_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


class EpubParser:
    """`application/epub+zip`: one part for each chapter. A chapter without a heading of its own gets that of the contents."""

    media_types = frozenset({"application/epub+zip"})
    version = "epub-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Chapters in order. Raises CorruptFile, EncryptedFile, EmptyFile, LimitExceeded."""
        try:
            yield from _chapters(source)
        except (etree.XMLSyntaxError, RecursionError) as error:
            raise CorruptFile(
                f"{source.name} is damaged inside ({error}).", "Get the book again, or convert it anew."
            ) from error


def _chapters(source: Source) -> Iterator[ParsedPage]:
    with Book(source) as book:
        anything = False
        for item in book.spine:
            if item.media_type not in _PAGES or "nav" in item.properties:
                continue
            warnings: list[str] = []
            data = book.read(item.path)
            if data is None:
                yield ParsedPage(None, (), warnings=(f"The chapter {item.path} is missing or damaged.",))
                continue
            find = partial(_picture, book, item, source)
            elements = with_captions(inner_page(data, source, warnings, find, "utf-8" if _is_utf8(data) else ""))
            elements = _headed(elements, book.contents.get(item.path, ""))
            if elements or warnings:
                fresh = not anything
                title, metadata = (book.title, book.metadata) if fresh else ("", {})
                yield ParsedPage(None, tuple(elements), title=title, metadata=metadata, warnings=tuple(warnings))
                anything = anything or bool(elements)
        if not anything:
            raise EmptyFile(f"{source.name} has no chapter with text.", "Check that it is the right file.")


def _headed(elements: list[Element], title: str) -> list[Element]:
    """The chapter under its name in the table of contents, when it begins without a heading."""
    if not elements or not title:
        return elements
    first = next((e for e in elements if e.kind != "figure"), elements[0])
    if first.kind == "heading":
        return elements
    if first.text == title:
        # Many books only style a paragraph.
        return [replace(e, kind="heading", level=1) if e is first else e for e in elements]
    return [Element("heading", title, level=1), *elements]


def _picture(book: Book, item: Item, source: Source, link: str) -> ImageData | str:
    if link[:5].lower() == "data:":
        return linked_picture(source, link)
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return "has an unreadable address"
    if parts.scheme or parts.netloc:
        return "is on the network, and nothing is fetched"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(item.path), unquote(parts.path)))
    data = book.read(path)
    return image_data(data, source.limits) if data else "is not in the book"


def _is_utf8(data: bytes) -> Any:
    """XHTML is UTF-8 unless it says otherwise."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
