"""The promises of a chunker, kept by every strategy, for any document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunkers.fixed import FixedChunker
from ingest.chunkers.headings import HeadingChunker
from ingest.chunkers.pages import PageChunker
from ingest.chunkers.parents import ParentChildChunker, TableRowsChunker
from ingest.chunkers.prepare import prepare, text_of
from ingest.chunkers.recursive import RecursiveChunker
from ingest.chunkers.semantic import SemanticChunker
from ingest.chunkers.sentences import SentenceWindowChunker
from ingest.chunkers.splitters import SplitterChunker
from ingest.containers import PPTX
from ingest.protocols import Chunker, ParsedPage
from rag.documents import AnyChunk, Chunk, Element, ImageChunk, Page
from rag.fakes import HashingTextEncoder
from rag.tables import table_header
from tests.ingest.chunkers.random_documents import (
    as_pages,
    count_characters,
    count_words,
    document,
    documents,
    solid,
    tables,
    texts,
)

Count = Callable[[Sequence[str]], list[int]]
ENCODE = HashingTextEncoder().encode_passages


class EveryForty:
    """A splitter that overlaps, strips and drops: forty characters from every thirty, without the last of the text."""

    def split_text(self, text: str) -> list[str]:
        return [text[start : start + 40].strip() for start in range(0, len(text) - 5, 30)]


Make = Callable[[Count, int], Chunker]
STRATEGIES: dict[str, Make] = {
    "headings": lambda count, size: HeadingChunker(count_tokens=count, max_tokens=size),
    "fixed": lambda count, size: FixedChunker(count_tokens=count, max_tokens=size),
    "recursive": lambda count, size: RecursiveChunker(count_tokens=count, max_tokens=size),
    "sentence-window": lambda count, size: SentenceWindowChunker(count_tokens=count, max_tokens=size, reach=2),
    "semantic": lambda count, size: SemanticChunker(
        count_tokens=count, max_tokens=size, encode=ENCODE, encoder="hashing"
    ),
    "parent-child": lambda count, size: ParentChildChunker(count_tokens=count, max_tokens=size, parent_tokens=4 * size),
    "table-rows": lambda count, size: TableRowsChunker(
        count_tokens=count, max_tokens=size, rows=2, parent_tokens=4 * size
    ),
    "page": lambda count, size: PageChunker(count_tokens=count, max_tokens=size),
}
OVERLAPPING: dict[str, Make] = {
    "headings": lambda count, size: HeadingChunker(count_tokens=count, max_tokens=size, overlap_tokens=6),
    "fixed": lambda count, size: FixedChunker(count_tokens=count, max_tokens=size, overlap_tokens=6),
    "recursive": lambda count, size: RecursiveChunker(count_tokens=count, max_tokens=size, overlap_tokens=6),
    "splitter": lambda count, size: SplitterChunker(
        EveryForty(), name="every forty", count_tokens=count, max_tokens=size
    ),
}
ALL = STRATEGIES | {f"{name} with overlap": make for name, make in OVERLAPPING.items()}

every = pytest.mark.parametrize("name", ALL)
sizes = st.sampled_from([16, 24, 40, 120])
counts = st.sampled_from([count_words, count_characters])


@every
@settings(max_examples=25, deadline=None)
@given(found=documents, size=sizes, count=counts, slides=st.booleans())
def test_invariants(name: str, found: list[Element], size: int, count: Count, slides: bool) -> None:
    subject = document(PPTX if slides else "text/markdown")
    chunks = list(ALL[name](count, size).chunk(subject, as_pages(found)))

    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.id for chunk in chunks] == [f"d1.01234567.{n}" for n in range(len(chunks))]
    assert sum(isinstance(chunk, ImageChunk) for chunk in chunks) == sum(one.image is not None for one in found)
    assert list(ALL[name](count, size).chunk(subject, iter(as_pages(found)))) == chunks, "deterministic"

    said = iter(solid("".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk))))
    for element in prepare(found):
        assert all(character in said for character in solid(text_of(element))), "in order, nothing left out"

    for chunk in chunks:
        if isinstance(chunk, Chunk):
            assert chunk.text.strip()
            assert chunk.tokens == count([chunk.embedded_text])[0]
            assert chunk.tokens <= size
            assert "\n" not in chunk.context
            check_window(chunk, chunks)
        of_page = {box.page for box in chunk.boxes}
        assert chunk.page == min(of_page)
        if slides or name == "page":
            assert len(of_page) == 1
        for box in chunk.boxes:
            assert any(
                one.page == box.page and box.left <= one.boxes[0].left and box.right >= one.boxes[0].right
                for one in found
            )
    covered = [box for chunk in chunks for box in chunk.boxes]
    for element in found:
        if element.text.strip() and (element.kind != "figure" or element.image):
            inner = element.boxes[0]
            assert any(b.page == inner.page and b.top <= inner.top and b.bottom >= inner.bottom for b in covered)


@every
@settings(max_examples=25, deadline=None)
@given(found=documents, old=documents, size=sizes, count=counts, place=st.integers(0, 20), kept=st.booleans())
def test_invariants_of_a_later_version(
    name: str, found: list[Element], old: list[Element], size: int, count: Count, place: int, kept: bool
) -> None:
    """Whatever the earlier version was: another text, or this one with something else in its midst."""
    earlier = [*found[:place], *old, *found[place + 1 :]] if kept else old
    chunker, subject = ALL[name](count, size), document()
    before = list(chunker.chunk(subject, as_pages(earlier)))
    chunks = list(chunker.chunk(subject, as_pages(found), before))
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert sum(isinstance(chunk, ImageChunk) for chunk in chunks) == sum(one.image is not None for one in found)
    said = iter(solid("".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk))))
    for element in prepare(found):
        assert all(character in said for character in solid(text_of(element))), "in order, nothing left out"
    for chunk in chunks:
        if isinstance(chunk, Chunk):
            assert chunk.text.strip()
            assert chunk.tokens == count([chunk.embedded_text])[0] <= size
            check_window(chunk, chunks)


def check_window(chunk: Chunk, chunks: Sequence[AnyChunk]) -> None:
    if chunk.window is None:
        return
    first, last = chunk.window
    assert 0 <= first <= chunk.ordinal <= last < len(chunks)
    assert first < last
    assert isinstance(chunks[first], Chunk)
    assert isinstance(chunks[last], Chunk)


_plain = texts.flatmap(
    lambda text: st.sampled_from(
        [
            Element("paragraph", text),
            Element("list", text.replace(" x1 ", "\n")),
            Element("code", text),
            Element("heading", text[:50].strip(), level=2),
            Element("heading", text[:30].strip(), level=4),
        ]
    )
)


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=20, deadline=None)
@given(found=st.lists(_plain, max_size=30), size=sizes)
def test_without_overlap_the_chunks_are_the_text(name: str, found: list[Element], size: int) -> None:
    chunks = STRATEGIES[name](count_words, size).chunk(document(), [ParsedPage(None, tuple(found))])
    assert solid("".join(chunk.text for chunk in chunks)) == solid("".join(element.text for element in found))


@every
@settings(max_examples=20, deadline=None)
@given(table=tables(), before=texts, after=texts)
def test_tables_keep_their_header(name: str, table: str, before: str, after: str) -> None:
    found = [Element("paragraph", before), Element("table", table), Element("paragraph", after)]
    chunks = list(ALL[name](count_words, 60).chunk(document(), [ParsedPage(None, tuple(found))]))
    parts = [chunk for chunk in chunks if isinstance(chunk, Chunk) and chunk.kind == "table"]
    assert parts
    header = "\n".join(table.split("\n")[:2])
    rows = table.split("\n")[2:]
    # A row that does not fit beside its header and the overlap has to be cut.
    if max(count_words([header, *rows])) <= 20:
        assert all(table_header(part.text) == header for part in parts)
        assert [row for part in parts for row in part.text.partition(header)[2].split("\n") if row] == rows


@every
def test_the_first_chunk_does_not_wait_for_the_whole_document(name: str) -> None:
    calls, read = 0, 0

    def counting(texts: Sequence[str]) -> list[int]:
        nonlocal calls
        calls += 1
        return count_words(texts)

    def pages() -> Iterator[ParsedPage]:
        nonlocal read
        for number in range(1, 201):
            read += 1
            found = tuple(Element("paragraph", f"Page {number} sentence {n}.", page=number) for n in range(30))
            yield ParsedPage(Page(number, 612, 792), found)

    chunks = ALL[name](counting, 40).chunk(document(), pages())
    next(chunks)
    assert read < 60
    assert len(list(chunks)) > 50
    assert calls < 250, "tokens are counted by the batch"


PARAMETERS: dict[type, dict[str, Any]] = {
    HeadingChunker: {"max_tokens": 99, "overlap_tokens": 7, "table_rows": 3},
    FixedChunker: {"max_tokens": 99, "overlap_tokens": 7},
    RecursiveChunker: {"max_tokens": 99, "overlap_tokens": 7},
    SentenceWindowChunker: {"max_tokens": 99, "reach": 5},
    SemanticChunker: {"max_tokens": 99, "percentile": 70.0, "encoder": "another"},
    ParentChildChunker: {"max_tokens": 99, "overlap_tokens": 7, "parent_tokens": 555},
    TableRowsChunker: {"max_tokens": 99, "overlap_tokens": 7, "rows": 3, "parent_tokens": 555},
    PageChunker: {"max_tokens": 99},
    SplitterChunker: {"max_tokens": 99, "name": "another"},
}
GIVEN: dict[type, dict[str, Any]] = {
    SemanticChunker: {"encode": ENCODE, "encoder": "hashing"},
    SplitterChunker: {"splitter": EveryForty(), "name": "every forty"},
}


@pytest.mark.parametrize("kind", PARAMETERS)
def test_the_version_changes_with_every_parameter(kind: type) -> None:
    """Whoever adds a parameter adds it here, and to the version."""
    given_ = {"count_tokens": count_words} | GIVEN.get(kind, {})
    assert set(inspect.signature(kind).parameters) - {"count_tokens", "encode", "splitter"} == set(PARAMETERS[kind])
    versions = [kind(**given_).version] + [kind(**given_ | {k: v}).version for k, v in PARAMETERS[kind].items()]
    assert len(set(versions)) == len(versions)


def test_no_two_strategies_share_a_version() -> None:
    versions = [make(count_words, 40).version for make in ALL.values()]
    assert len(set(versions)) == len(versions)


@every
@pytest.mark.parametrize("size", [5, 15])
def test_senseless_sizes_are_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="chunk"):
        ALL[name](count_words, size)


def test_semantic_distances_by_hand() -> None:
    from ingest.chunkers.semantic import distances

    one, other = [1.0, 0.0], [0.0, 1.0]
    # Before gap 2 stand (1, 0) twice, behind it (0, 1) twice: no common direction. Before gap 1 stands (1, 0), behind it the
    # mean of (1, 0) and (0, 1), whose cosine with it is 1/√2.
    found = distances(np.array([one, one, other, other], np.float32))
    np.testing.assert_allclose(found, [1 - 2**-0.5, 1.0, 1 - 2**-0.5], atol=1e-6)
