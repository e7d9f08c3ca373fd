"""Elements made ready for packing: captions with their figures and tables, and the text that each contributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.cleaning.invisible import visible
from rag.documents import Element

_TABLE_CAPTION = re.compile(r"\s*(?:table|表)", re.IGNORECASE)
LONG_ALT = 600
"""Characters of alternative text above which it is a description worth reading, and goes into the text as well."""


def prepare(batch: Sequence[Element]) -> Iterator[Element]:
    """Captions found beside their figures, and caption texts as elements of their own, each once."""
    taken: set[int] = set()
    for index, element in enumerate(batch):
        if element.kind not in ("figure", "table"):
            if index not in taken:
                yield element
            continue
        before = batch[index - 1] if index else None
        after = batch[index + 1] if index + 1 < len(batch) else None
        beside = [other.text for other in (after, before) if other is not None and other.kind == "caption"]
        if element.kind == "figure" and not element.caption:
            about = [text for text in beside if not _TABLE_CAPTION.match(text)]
            element = replace(element, caption=about[0]) if about else element
        own = element.caption.strip() and all(element.caption.strip() != text.strip() for text in beside)
        caption = Element("caption", element.caption, page=element.page, boxes=element.boxes)
        if element.kind == "table":
            if after is not None and after.kind == "caption" and _TABLE_CAPTION.match(after.text):
                # Read before its table, a caption goes into the table's chunk.
                taken.add(index + 1)
                yield after
            yield from (caption, element) if own else (element,)
        else:
            yield from (element, caption) if own else (element,)


def text_of(element: Element) -> str:
    """What of an element goes into the text: of a picture only what would be lost otherwise."""
    text = visible(element.text)
    text = text.strip("\n") if element.kind == "code" else text.strip()
    if element.kind == "figure":
        lost = element.image is None or len(text) > LONG_ALT
        return text if lost and text != visible(element.caption).strip() else ""
    return text
