"""HTML: the main content of a page, without what surrounds it (lxml; nothing is fetched)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from ingest.decoding import read_text
from ingest.parsers.html_blocks import BlockReader
from ingest.parsers.html_content import main_content, strip_hidden, strip_surroundings
from ingest.parsers.pictures import FindPicture
from ingest.parsers.prose import clean_lines, source_bytes
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import CorruptFile, EmptyFile

_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]+encoding\s*=\s*[\"']([\w-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_FIELDS = {
    "description": "description",
    "author": "author",
    "keywords": "keywords",
    "date": "date",
    "article:published_time": "date",
}
MAX_FIELD = 1_000


class HtmlParser:
    """`text/html`: headings, paragraphs, lists, tables, code and figures of the main content."""

    media_types = frozenset({"text/html", "application/xhtml+xml"})
    version = "html-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        data = source_bytes(source)
        head = data[:4096]
        declared = _CHARSET.search(head) or _XML_CHARSET.search(head)
        text = read_text(data, declared.group(1).decode("ascii") if declared else "")
        if text is None:
            raise CorruptFile(
                f"{source.name} is not readable text in any known encoding.", "Save it as UTF-8 and ingest it again."
            )
        root = _parse(clean_lines(text))
        if root is None:
            raise EmptyFile(f"{source.name} holds no HTML element.", "Check that the file was copied whole.")
        metadata = _metadata(root)
        page_title = " ".join("".join(root.xpath("string((//title)[1])")).split())
        first_heading = " ".join("".join(root.xpath("string((//h1)[1])")).split())
        strip_surroundings(root)
        reader = BlockReader(source)
        elements = tuple(reader.read(main_content(root)))
        missing = summary(reader.missing)
        if _was_cut(root):
            # libxml2 stops at 256 levels; a page nested deeper than that is read for its words alone.
            elements, missing = (
                tuple(_bare(text)),
                ("The page is nested too deeply: only its text is read, without tables and pictures.",),
            )
        if not elements:
            raise EmptyFile(
                f"{source.name} shows no text without running its scripts.",
                "Open it in a browser, save it as PDF, and ingest that.",
            )
        # "Duck - Wikipedia" under the heading "Duck": the site's name says nothing about the page.
        title = first_heading if first_heading and page_title.startswith(first_heading) else page_title or first_heading
        yield ParsedPage(None, elements, title=title, metadata=metadata, warnings=missing)


def fragment_elements(markup: str, source: Source, warnings: list[str]) -> Iterator[Element]:
    """The elements of a piece of HTML inside another format."""
    if not re.sub(r"(?s)<!--.*?-->", "", markup).strip():
        return
    root = _parse(markup)
    if root is not None:
        reader = BlockReader(source)
        yield from reader.read(root)
        warnings.extend(summary(reader.missing))


def inner_page(
    data: bytes, source: Source, warnings: list[str], find: FindPicture, charset: str = ""
) -> tuple[Element, ...]:
    """The elements of a page inside another format (a chapter, a message), all of it but what is hidden or runs."""
    declared = _CHARSET.search(data[:4096]) or _XML_CHARSET.search(data[:4096])
    text = read_text(data, charset or (declared.group(1).decode("ascii") if declared else ""))
    root = _parse(clean_lines(text)) if text is not None else None
    if text is None or root is None:
        return ()
    strip_hidden(root)
    reader = BlockReader(source, find)
    elements = tuple(reader.read(root.find("body") if root.find("body") is not None else root))
    warnings.extend(summary(reader.missing))
    return tuple(_bare(text)) if _was_cut(root) else elements


def summary(missing: Counter[str]) -> tuple[str, ...]:
    """Reasons why pictures are missing, each once with its number."""
    return tuple(
        f"{count} pictures left out: each {reason}." if count > 1 else f"1 picture left out: it {reason}."
        for reason, count in missing.items()
    )


def _parse(text: str) -> Any:
    parser = lxml_html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        return lxml_html.document_fromstring(_DECLARATION.sub("", text).encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _was_cut(root: Any) -> bool:
    return any("Excessive depth" in entry.message for entry in root.getroottree().parser.error_log)


def _bare(markup: str) -> Iterator[Element]:
    """Paragraphs of a page whose tree cannot be built."""
    text = re.sub(r"(?is)<(script|style|template)\b.*?</\1\s*>|<!--.*?-->", " ", markup)
    text = re.sub(r"(?i)</?(?:p|div|h[1-6]|li|tr|br|table|section|article|pre)\b[^>]*>", "\x00", text)
    for block in re.sub(r"<[a-zA-Z/!][^>]*>", " ", text).split("\x00"):
        if words := " ".join(unescape(block).split()):
            yield Element("paragraph", words)


def _metadata(root: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = _FIELDS.get((meta.get("name") or meta.get("property") or "").lower())
        content = " ".join((meta.get("content") or "").split())
        if name and content:
            found.setdefault(name, content[:MAX_FIELD])
    return found
