"""Where a quote stands on its page: the lines that hold it, instead of the whole passage.

The elements of the passage's pages are searched for the quote, white space and case aside. Where the parser knew the lines of the element, their boxes
are the citation's; else the element's; where the quote is not found (a passage put together otherwise than the page), the passage's stay.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.answers import Citation
from rag.documents import Box, Element
from rag.protocols import Library


def locate(citations: Sequence[Citation], library: Library) -> tuple[Citation, ...]:
    """The citations, each with the page and the boxes of its quote. A quote that stands several times is looked for inside the
    passage's own boxes first."""
    read: dict[tuple[str, frozenset[int]], list[Element]] = {}
    return tuple(_located(citation, library, read) for citation in citations)


def _located(citation: Citation, library: Library, read: dict[tuple[str, frozenset[int]], list[Element]]) -> Citation:
    boxes = lines_of(citation.quote, citation.boxes, citation.document.id, library, read)
    return replace(citation, page=boxes[0].page, boxes=boxes) if boxes else citation


def lines_of(
    quote: str,
    within: Sequence[Box],
    document_id: str,
    library: Library,
    read: dict[tuple[str, frozenset[int]], list[Element]] | None = None,
) -> tuple[Box, ...]:
    """The boxes of a quote among what stands in the boxes of its passage; empty where it is not found. `read` keeps pages that were read."""
    pages = frozenset(box.page for box in within)
    if not pages or not quote.strip():
        return ()
    read = {} if read is None else read
    key = document_id, pages
    if key not in read:
        read[key] = library.elements(*key)
    return standing(quote, [element for element in read[key] if _meets(element.boxes, within)])


def standing(quote: str, elements: Sequence[Element]) -> tuple[Box, ...]:
    """The boxes of the lines that hold a quote, in order; of all elements that it reaches over. Empty where it is not found."""
    wanted = "".join(_signs(quote))
    texts = ["".join(_signs(element.text)) for element in elements]
    start = "".join(texts).find(wanted) if wanted else -1
    if start < 0:
        return ()
    stop, begins = start + len(wanted), 0
    found: list[Box] = []
    for element, text in zip(elements, texts, strict=True):
        first, last = max(0, start - begins), min(len(text), stop - begins)
        if first < last:
            found += _lines(element, first, last) or element.boxes
        begins += len(text)
    return tuple(dict.fromkeys(found))


def _lines(element: Element, first: int, last: int) -> list[Box]:
    """Of the lines that have a sign from number `first` to before `last`, without white space."""
    if not element.lines or element.lines[-1].end != len(element.text):
        return []
    found, seen, begins = [], 0, 0
    for line in element.lines:
        signs = sum(1 for _ in _signs(element.text[begins : line.end]))
        if seen < last and seen + signs > first:
            found.append(line.box)
        seen, begins = seen + signs, line.end
    return found


def _signs(text: str) -> Iterator[str]:
    """What can be seen of a text, as it is compared: passages have their ligatures and invisible signs taken out, elements have them."""
    for sign in unicodedata.normalize("NFKC", text).casefold():
        if not sign.isspace() and unicodedata.category(sign) != "Cf":
            yield sign


def _meets(one: Sequence[Box], other: Sequence[Box]) -> bool:
    return any(
        a.page == b.page and a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
        for a in one
        for b in other
    )
