"""HTML: the main content of a page, without what surrounds it (lxml; nothing is fetched)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from ingest.protocols import Source
from rag.documents import Element

_SPACE = re.compile(r"\s+")


def fragment_elements(markup: str, source: Source, warnings: list[str]) -> Iterator[Element]:  # noqa: ARG001
    """The elements of a piece of HTML inside another format."""
    if re.fullmatch(r"(?s)\s*(?:<!--.*?-->\s*)*", markup):
        return
    try:
        root = lxml_html.fragment_fromstring(markup, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return
    text = _SPACE.sub(" ", root.text_content()).strip()
    if text:
        yield Element("paragraph", text)
