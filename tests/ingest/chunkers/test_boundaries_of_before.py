"""A changed paragraph moves few boundaries where those of the version before are known."""

from __future__ import annotations

import random

import pytest

from ingest.chunkers.headings import HeadingChunker
from ingest.protocols import ParsedPage, RememberingChunker
from rag.documents import AnyChunk, Document, Element, Page
from rag.fakes import HashingTextEncoder

PAGES = 200
DOCUMENT = Document("d", "c", "n.pdf", "application/pdf", "0" * 64, 1, title="A title")


def _words(draw: random.Random, count: int) -> str:
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(count))


def _pages(seed: int, changed: int | None, sentences: tuple[int, int], heading_every: int) -> list[ParsedPage]:
    draw = random.Random(seed)
    pages = []
    for number in range(1, PAGES + 1):
        texts = [
            ". ".join(_words(draw, draw.randint(8, 20)) for _ in range(draw.randint(*sentences))) for _ in range(4)
        ]
        if number == changed:
            texts[1] = f"{_words(random.Random(-seed), 10 + 40 * (seed % 4))}. {texts[1]}"
        elements = [Element("paragraph", text, number) for text in texts]
        if heading_every and number % heading_every == 0:
            elements.insert(2, Element("heading", f"Part {number}: {_words(draw, 3)}", number, level=3))
        pages.append(ParsedPage(Page(number, 100, 100), tuple(elements), page_count=PAGES))
    return pages


def _chunker() -> HeadingChunker:
    return HeadingChunker(count_tokens=HashingTextEncoder().count_tokens, max_tokens=300)


def _texts(chunks: list[AnyChunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


@pytest.mark.parametrize("sentences", [(2, 3), (2, 8), (1, 12)])
@pytest.mark.parametrize("heading_every", [0, 3])
def test_one_paragraph_of_200_pages(sentences: tuple[int, int], heading_every: int) -> None:
    chunker = _chunker()
    assert isinstance(chunker, RememberingChunker)
    for seed in range(4):
        before = _texts(list(chunker.chunk(DOCUMENT, _pages(seed, None, sentences, heading_every))))
        pages = _pages(seed, 20 + 40 * seed, sentences, heading_every)
        again = list(chunker.chunk_again(DOCUMENT, pages, before))
        new = [text for text in _texts(again) if text not in set(before)]
        assert 1 <= len(new) <= 5
        assert all(chunk.tokens <= 300 for chunk in again)
        plain = "".join("".join(_texts(list(chunker.chunk(DOCUMENT, pages)))).split())
        assert "".join("".join(_texts(again)).split()) == plain


@pytest.mark.parametrize("sentences", [(2, 3), (1, 12)])
@pytest.mark.parametrize("heading_every", [0, 1, 3])
def test_the_same_text_gives_the_same_chunks(sentences: tuple[int, int], heading_every: int) -> None:
    chunker = _chunker()
    pages = _pages(7, None, sentences, heading_every)
    first = list(chunker.chunk(DOCUMENT, pages))
    assert list(chunker.chunk_again(DOCUMENT, pages, _texts(first))) == first


def test_nothing_known_is_as_if_it_were_new() -> None:
    chunker = _chunker()
    pages = _pages(3, None, (2, 8), 0)
    assert list(chunker.chunk_again(DOCUMENT, pages, [])) == list(chunker.chunk(DOCUMENT, pages))
