"""A change of a text embeds few chunks again, whatever strategy cuts it: where nothing changed, chunks stay as they were."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import pytest
from hypothesis import given, settings

from ingest.chunkers.fixed import FixedChunker
from ingest.chunkers.headings import HeadingChunker
from ingest.chunkers.pages import PageChunker
from ingest.chunkers.parents import ParentChildChunker, TableRowsChunker
from ingest.chunkers.recursive import RecursiveChunker
from ingest.chunkers.semantic import SemanticChunker
from ingest.chunkers.sentences import SentenceWindowChunker
from ingest.chunkers.splitters import SplitterChunker, langchain_recursive, llama_index_sentences
from ingest.protocols import Chunker, ParsedPage
from rag.documents import AnyChunk, Chunk, Document, Element, Page
from rag.fakes import HashingTextEncoder
from rag.tables import table_header
from tests.ingest.chunkers.random_documents import as_pages, documents

PAGES = 200
DOCUMENT = Document("d", "c", "n.pdf", "application/pdf", "0" * 64, 1, title="A title")
ENCODER = HashingTextEncoder()
COUNT = ENCODER.count_tokens


def _langchain(overlap: int) -> Chunker:
    pytest.importorskip("langchain_text_splitters")
    splitter, name = langchain_recursive(COUNT, 300, overlap)
    return SplitterChunker(splitter, name=name, count_tokens=COUNT, max_tokens=300)


def _llama_index(overlap: int) -> Chunker:
    pytest.importorskip("llama_index.core")
    splitter, name = llama_index_sentences(COUNT, 300, overlap)
    return SplitterChunker(splitter, name=name, count_tokens=COUNT, max_tokens=300)


STRATEGIES: dict[str, Callable[[int], Chunker]] = {
    "headings": lambda overlap: HeadingChunker(count_tokens=COUNT, max_tokens=300, overlap_tokens=overlap),
    "fixed": lambda overlap: FixedChunker(count_tokens=COUNT, max_tokens=300, overlap_tokens=overlap),
    "recursive": lambda overlap: RecursiveChunker(count_tokens=COUNT, max_tokens=300, overlap_tokens=overlap),
    "sentence-window": lambda _: SentenceWindowChunker(count_tokens=COUNT, max_tokens=300),
    "semantic": lambda _: SemanticChunker(
        count_tokens=COUNT, encode=ENCODER.encode_passages, encoder="hashing", max_tokens=300
    ),
    "parent-child": lambda overlap: ParentChildChunker(count_tokens=COUNT, max_tokens=100, overlap_tokens=overlap),
    "table-rows": lambda overlap: TableRowsChunker(count_tokens=COUNT, max_tokens=300, overlap_tokens=overlap),
    "page": lambda _: PageChunker(count_tokens=COUNT, max_tokens=300),
    "langchain": _langchain,
    "llama-index": _llama_index,
}
WITH_OVERLAP = ("headings", "fixed", "recursive", "parent-child", "langchain", "llama-index")

Text = list[list[str]]
"""The paragraphs of each page."""


def _words(draw: random.Random, count: int) -> str:
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(count))


def _paragraph(draw: random.Random, sentences: tuple[int, int]) -> str:
    return ". ".join(_words(draw, draw.randint(8, 20)).capitalize() for _ in range(draw.randint(*sentences))) + "."


def _text(seed: int, sentences: tuple[int, int]) -> Text:
    draw = random.Random(seed)
    return [[_paragraph(draw, sentences) for _ in range(4)] for _ in range(PAGES)]


CHANGES: dict[str, Callable[[list[str]], None]] = {
    "a sentence more": lambda page: page.__setitem__(1, f"{_words(random.Random(-1), 12).capitalize()}. {page[1]}"),
    "another paragraph": lambda page: page.__setitem__(1, _paragraph(random.Random(-2), (2, 3))),
    "a paragraph more": lambda page: page.insert(1, _paragraph(random.Random(-3), (2, 3))),
    "a short line more": lambda page: page.insert(2, "Nobody knows."),
    "a paragraph less": lambda page: page.__delitem__(1),
}


def _pages(text: Text, heading_every: int, paged: bool = True) -> list[ParsedPage]:
    pages = []
    for number, paragraphs in enumerate(text, 1):
        elements = [Element("paragraph", one, number if paged else None) for one in paragraphs]
        if heading_every and number % heading_every == 0:
            title = f"Part {number}: {_words(random.Random(number), 3)}"
            elements.insert(2, Element("heading", title, number if paged else None, level=3))
        page = Page(number, 100, 100) if paged else None
        pages.append(ParsedPage(page, tuple(elements), page_count=PAGES if paged else None))
    return pages


def _new(again: Sequence[AnyChunk], before: Sequence[AnyChunk]) -> list[str]:
    """What has to be embedded."""
    known = {chunk.embedded_text for chunk in before if isinstance(chunk, Chunk)}
    return [c.embedded_text for c in again if isinstance(c, Chunk) and c.embedded_text not in known]


def _words_of(chunks: Iterable[AnyChunk]) -> str:
    """Of the text: without what tables are drawn with, and without their headers, which each group of rows says again wherever it begins."""
    texts = (chunk.text.replace(table_header(chunk.text), "") for chunk in chunks if chunk.kind != "image")
    return "".join(sign for text in texts for sign in text if sign.isalnum())


def _letters(chunks: Iterable[AnyChunk]) -> str:
    return "".join("".join(chunk.text.split()) for chunk in chunks)


SHAPES = (((2, 3), 0, True), ((1, 12), 3, True), ((2, 8), 0, False))
"""Sentences of a paragraph, pages from one heading to the next, whether there are pages at all."""


@cache
def _before(name: str, overlap: int, shape: tuple[tuple[int, int], int, bool]) -> list[AnyChunk]:
    sentences, heading_every, paged = shape
    return list(STRATEGIES[name](overlap).chunk(DOCUMENT, _pages(_text(1, sentences), heading_every, paged)))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", STRATEGIES)
def test_one_paragraph_of_200_pages(name: str, change: str) -> None:
    place = list(CHANGES).index(change)
    sentences, heading_every, paged = shape = SHAPES[place % 3]
    before, text = _before(name, 0, shape), _text(1, sentences)
    CHANGES[change](text[20 + 40 * place])
    again = list(STRATEGIES[name](0).chunk(DOCUMENT, _pages(text, heading_every, paged), before))
    # A sentence to a chunk: a paragraph is as many chunks as it has sentences.
    most = 6 if name == "sentence-window" else 5
    assert (0 if change == "a paragraph less" else 1) <= len(_new(again, before)) <= most, _new(again, before)
    assert all(chunk.tokens <= 300 for chunk in again if isinstance(chunk, Chunk))
    if not heading_every:
        assert _letters(again) == "".join("".join(one.split()) for page in text for one in page)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", WITH_OVERLAP)
def test_with_an_overlap_the_next_chunk_changes_too(name: str, change: str) -> None:
    before, text = _before(name, 30, SHAPES[2]), _text(1, SHAPES[2][0])
    CHANGES[change](text[90])
    again = list(STRATEGIES[name](30).chunk(DOCUMENT, _pages(text, 0, False), before))
    assert len(_new(again, before)) <= 6
    assert all(chunk.tokens <= 300 for chunk in again if isinstance(chunk, Chunk))


@pytest.mark.parametrize("overlap", [0, 30])
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_text_gives_the_same_chunks(name: str, overlap: int) -> None:
    if overlap and name not in WITH_OVERLAP:
        return
    chunker = STRATEGIES[name](overlap)
    for heading_every in (0, 1, 3):
        pages = _pages(_text(7, (1, 12))[:40], heading_every)
        first = list(chunker.chunk(DOCUMENT, pages))
        again = list(chunker.chunk(DOCUMENT, pages, first))
        if overlap and name in ("headings", "parent-child"):
            # What the last two chunks of a section share is decided when it ends, and so is what the second repeats.
            assert len(_new(again, first)) <= 1
        else:
            assert again == first


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "llama-index"])
@settings(max_examples=25, deadline=None)
@given(found=documents)
def test_the_same_document_gives_the_same_chunks(name: str, found: list[Element]) -> None:
    """Of whatever elements: tables, figures, lists, one word repeated."""
    chunker = STRATEGIES[name](0)
    first = list(chunker.chunk(DOCUMENT, as_pages(found)))
    again = list(chunker.chunk(DOCUMENT, as_pages(found), first))
    if name in ("headings", "parent-child", "table-rows", "langchain"):
        # Of texts that say one word again and again, any chunk may be found in another's place.
        assert _words_of(again) == _words_of(first)
        assert [c.text for c in again if c.kind == "image"] == [c.text for c in first if c.kind == "image"]
    else:
        assert again == first


@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_known_is_as_if_it_were_new(name: str) -> None:
    chunker = STRATEGIES[name](0)
    pages = _pages(_text(3, (2, 8))[:30], 0)
    assert list(chunker.chunk(DOCUMENT, pages, [])) == list(chunker.chunk(DOCUMENT, pages))


def _table(rows: Sequence[str]) -> list[ParsedPage]:
    lines = ["| No. | Name |", "|---|---|", *rows]
    return [ParsedPage(None, (Element("paragraph", "All fields."), Element("table", "\n".join(lines))))]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_row_of_a_long_table(name: str) -> None:
    chunker = STRATEGIES[name](0)
    draw = random.Random(4)
    rows = [f"| {number} | {_words(draw, 6)} |" for number in range(1_000)]
    before = list(chunker.chunk(DOCUMENT, _table(rows)))
    for change in ("more", "less", "other", "twice"):
        changed = list(rows)
        if change in ("more", "twice"):
            changed.insert(300, "| 300a | a field that was forgotten |" if change == "more" else rows[290])
        elif change == "less":
            del changed[300]
        else:
            changed[300] = "| 300 | a field with another name |"
        again = list(chunker.chunk(DOCUMENT, _table(changed), before))
        assert len(before) > 20
        assert len(_new(again, before)) <= 2
        assert all(line in "\n".join(chunk.text for chunk in again) for line in changed)
    assert list(chunker.chunk(DOCUMENT, _table(rows), before)) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The crane costs 45", "The crane costs 450"),
        ("The crane costs 45", "The crane costs 45.50 euros"),
        ("They have a cat", "They have a catalogue of all ships"),
        ("价格是450", "价格是4500元"),
        ("Over", "Overall, nobody knows"),
    ],
)
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_word_that_grew_is_not_divided(name: str, old: str, new: str) -> None:
    """The old chunk stands in the new text letter for letter, and yet is not there any more."""
    chunker = STRATEGIES[name](0)
    text = _text(9, (2, 6))[:12]
    text[-1] = [*text[-1][:3], f"{text[-1][3][:-1]}, as was said before by those who had been there, and then {old}"]
    for paragraphs in (1, 4):
        shorter = [page[-paragraphs:] for page in text]
        before = list(chunker.chunk(DOCUMENT, _pages(shorter, 0, False)))
        changed = [list(page) for page in shorter]
        changed[-1][-1] = changed[-1][-1].removesuffix(old) + new
        again = list(chunker.chunk(DOCUMENT, _pages(changed, 0, False), before))
        assert any(new in chunk.text for chunk in again)
        assert len(_new(again, before)) <= 3
