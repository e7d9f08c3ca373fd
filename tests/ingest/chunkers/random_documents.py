"""Documents of every kind of element, for properties that hold whatever a document looks like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

from ingest.protocols import ParsedPage
from rag.documents import Box, Document, Element, ImageData, Page

PIXELS = ImageData(b"\x89PNG picture", "image/png", 64, 48)


def count_words(texts: Sequence[str]) -> list[int]:
    """A stand-in for a tokenizer: a word is one token, a Chinese character is one."""
    return [len(re.findall(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", text)) for text in texts]


def count_characters(texts: Sequence[str]) -> list[int]:
    """The worst stand-in: separators cost, so sums of parts are too low."""
    return [len(text) for text in texts]


def document(media_type: str = "text/markdown", title: str = "Guide") -> Document:
    return Document("d1", "c", "guide.md", media_type, "0123456789abcdef", 10, title=title)


def solid(text: str) -> str:
    """Every character that is no white space."""
    return "".join(text.split())


words = st.sampled_from("alpha beta gamma. delta! 中文 句子。 数据库， x1 y-2 Überlänge | a|b".split())
texts = st.lists(words, min_size=1, max_size=60).map(" ".join)
_cells = st.text(alphabet="ab 12中。", max_size=12).map(lambda text: " ".join(text.split()))


@st.composite
def tables(draw: st.DrawFn) -> str:
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(_cells, min_size=width, max_size=width), min_size=1, max_size=12))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


@st.composite
def elements(draw: st.DrawFn) -> Element:
    kind = draw(
        st.sampled_from(
            ["heading", "paragraph", "paragraph", "list", "code", "table", "figure", "caption", "footnote", "formula"]
        )
    )
    page = draw(st.integers(1, 3))
    top = draw(st.integers(0, 700))
    boxes = (Box(page, 50, top, 300, top + 20),)
    if kind == "heading":
        return Element("heading", draw(texts)[:60].strip(), page=page, boxes=boxes, level=draw(st.integers(1, 4)))
    if kind == "table":
        return Element("table", draw(tables()), page=page, boxes=boxes)
    if kind == "figure":
        image = draw(st.sampled_from([None, PIXELS]))
        caption = draw(st.sampled_from(["", "Figure 1: an alpha", "图 2 数据"]))
        return Element("figure", draw(texts)[:40], page=page, boxes=boxes, image=image, caption=caption)
    if kind in ("list", "code"):
        return Element(kind, "\n".join(draw(st.lists(texts, min_size=1, max_size=6))), page=page, boxes=boxes)  # type: ignore[arg-type]
    return Element(kind, draw(texts), page=page, boxes=boxes)  # type: ignore[arg-type]


def _by_page(found: list[Element]) -> list[Element]:
    return sorted(found, key=lambda element: element.page or 0)


documents = st.lists(elements(), max_size=30).map(_by_page)
"""Elements on the pages 1 to 3, in order."""


def as_pages(found: Sequence[Element]) -> list[ParsedPage]:
    return [ParsedPage(Page(n, 612, 792), tuple(e for e in found if e.page == n)) for n in (1, 2, 3)]
