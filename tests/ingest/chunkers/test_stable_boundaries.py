"""One changed paragraph of a long text changes a few chunks where boundaries are stable."""

from __future__ import annotations

import random
from statistics import median

from ingest.chunkers.headings import HeadingChunker
from ingest.protocols import ParsedPage
from rag.documents import Document, Element, Page
from rag.fakes import HashingTextEncoder

PAGES = 200


def _words(draw: random.Random, count: int) -> str:
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(count))


def _pages(seed: int, changed: int | None) -> list[ParsedPage]:
    """A text without any heading, where nothing but the text itself can hold the boundaries."""
    draw = random.Random(seed)
    pages = []
    for number in range(1, PAGES + 1):
        texts = [". ".join(_words(draw, draw.randint(8, 20)) for _ in range(draw.randint(2, 8))) for _ in range(4)]
        if number == changed:
            texts[1] = f"{_words(random.Random(-seed), 40)}. {texts[1]}"
        elements = tuple(Element("paragraph", text, number) for text in texts)
        pages.append(ParsedPage(Page(number, 100, 100), elements, page_count=PAGES))
    return pages


def test_one_paragraph_of_200_pages() -> None:
    document = Document("d", "c", "n.pdf", "application/pdf", "0" * 64, 1, title="A title")
    chunker = HeadingChunker(count_tokens=HashingTextEncoder().count_tokens, max_tokens=300, stable=True)
    changed = []
    for seed in range(5):
        old = {chunk.text for chunk in chunker.chunk(document, _pages(seed, None))}
        new = [chunk.text for chunk in chunker.chunk(document, _pages(seed, 20 + 30 * seed))]
        changed.append(sum(text not in old for text in new))
        assert len(new) > 150
    assert min(changed) >= 1
    assert median(changed) <= 3
    assert sum(count <= 5 for count in changed) >= 4
