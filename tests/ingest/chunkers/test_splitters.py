"""Splitters of other libraries: their pieces keep their place, and real ones work where they are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunkers.splitters import (
    SplitterChunker,
    _sentences_with_space,
    langchain_recursive,
    llama_index_sentences,
    located,
)
from ingest.protocols import ParsedPage
from rag.documents import Box, Chunk, Element, Page
from rag.errors import BadSetting
from tests.ingest.chunkers.random_documents import count_words, document, solid, texts


class Scripted:
    def __init__(self, split: Callable[[str], list[str]]) -> None:
        self._split = split

    def split_text(self, text: str) -> list[str]:
        return self._split(text)


def chunked(elements: Sequence[Element], split: Callable[[str], list[str]], size: int = 40) -> list[Chunk]:
    chunker = SplitterChunker(Scripted(split), name="scripted", count_tokens=count_words, max_tokens=size)
    page = ParsedPage(Page(1, 612, 792), tuple(elements))
    return [chunk for chunk in chunker.chunk(document(), [page]) if isinstance(chunk, Chunk)]


def test_pieces_are_found_in_the_text() -> None:
    text = "One two.\n\nThree  four."
    assert located(text, ["One two.", "Three four."]) == [(0, 8), (10, 22)]
    assert located(text, ["One two.\n\nThree", "two. Three four."]) == [(0, 15), (4, 22)], "they may overlap"
    assert located(text, ["One", "four."]) == [(0, 15), (17, 22)], "what is left out goes with the piece before it"
    assert located("a b a b a b", ["a b", "a b", "a b"]) == [(0, 3), (4, 7), (8, 11)]
    assert located(text, ["One, two."]) is None
    assert located(text, []) == [(0, 22)]
    assert located("  \n", [""]) == []


def test_each_piece_keeps_the_boxes_and_headings_of_what_it_is_cut_from() -> None:
    found = [
        Element("heading", "Ducks", level=1, page=1, boxes=(Box(1, 50, 0, 90, 10),)),
        Element("paragraph", "They swim in ponds.", page=1, boxes=(Box(1, 50, 20, 90, 30),)),
        Element("paragraph", "They also fly.", page=1, boxes=(Box(1, 50, 400, 90, 410),)),
    ]
    first, second = chunked(found, lambda text: [text[:20], text[20:]])
    assert first.text == "Ducks\n\nThey swim in"
    assert first.boxes == (Box(1, 50, 0, 90, 30),)
    assert second.text == "ponds.\n\nThey also fly."
    assert second.boxes == (Box(1, 50, 20, 90, 30), Box(1, 50, 400, 90, 410))
    assert second.headings == ("Ducks",)
    assert second.context == "Guide › Ducks"


def test_a_piece_that_is_too_long_is_cut() -> None:
    chunks = chunked([Element("paragraph", "word " * 200, page=1)], lambda text: [text])
    assert len(chunks) > 4
    assert max(chunk.tokens for chunk in chunks) <= 40


def test_a_splitter_that_rewrites_is_refused() -> None:
    with pytest.raises(BadSetting, match="scripted gives back text that it was not given"):
        chunked([Element("paragraph", "Ducks swim.", page=1)], lambda text: [text.upper()])


@given(st.lists(texts, max_size=4).map("\n".join))
def test_sentences_with_their_space_make_the_text(text: str) -> None:
    assert "".join(_sentences_with_space(text)) == text


REAL = {"langchain_text_splitters": langchain_recursive, "llama_index.core": llama_index_sentences}


@pytest.mark.parametrize("package", REAL)
@pytest.mark.parametrize("overlap", [0, 15])
def test_the_real_ones(package: str, overlap: int) -> None:
    pytest.importorskip(package)
    splitter, name = REAL[package](count_words, 40, overlap)
    text = [f"Sentence {n} says it.\n第{n}句话也在这里。" for n in range(60)]
    found = [Element("paragraph", part) for part in text]
    chunker = SplitterChunker(splitter, name=name, count_tokens=count_words, max_tokens=40)
    chunks = list(chunker.chunk(document(), [ParsedPage(None, tuple(found))]))
    assert len(chunks) >= 20
    assert all(isinstance(chunk, Chunk) and chunk.tokens <= 40 for chunk in chunks)
    said = solid("".join(chunk.text for chunk in chunks))
    if overlap:
        remaining = iter(said)
        assert all(character in remaining for character in solid("".join(text)))
        assert len(said) > len(solid("".join(text)))
    else:
        assert said == solid("".join(text))
