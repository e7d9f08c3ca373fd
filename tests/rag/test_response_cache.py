"""Answers kept in memory: never one of another index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Answer, Query, Usage
from rag.documents import Chunk, Document
from rag.protocols import Space
from rag.response_cache import NOTE, ResponseCache
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.versions import settled_version

Event = str | Answer


def answer(text: str) -> Answer:
    return Answer(text, False, (), (), {"total": 900.0}, Usage(), "scripted")


class Index:
    """Questions are answered by what is in it; `unsettled` is between a publication and the vector index's following it."""

    def __init__(self) -> None:
        self.documents: set[int] = set()
        self.version = 0
        self.unsettled = False
        self.made = 0

    def state(self) -> int | None:
        return None if self.unsettled else self.version

    def change(self, document: int) -> None:
        self.documents ^= {document}
        self.version += 1

    def truth(self, question: int) -> str:
        return f"{question}: {sorted(self.documents)}"

    def make(self, question: int, meanwhile: int | None) -> Iterator[Event]:
        self.made += 1
        said = self.truth(question)
        yield said[:3]
        if meanwhile is not None:
            self.change(meanwhile)
        yield answer(said)


documents = st.integers(0, 3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), documents),
        st.tuples(st.just("settle"), st.booleans()),
        st.tuples(st.just("ask"), st.integers(0, 2), st.none() | documents),
        st.tuples(st.just("leave"), st.integers(0, 2)),
    ),
    max_size=30,
)


@given(steps, st.integers(1, 4))
def test_a_changed_index_never_gives_an_old_answer(todo: list[tuple[object, ...]], size: int) -> None:
    index, cache = Index(), ResponseCache[int, str](size)
    for step in todo:
        if step[0] == "change":
            index.change(step[1])  # type: ignore[arg-type]
        elif step[0] == "settle":
            index.unsettled = bool(step[1])
        else:
            question = step[1]
            meanwhile = step[2] if step[0] == "ask" else None
            expected = index.truth(question)  # type: ignore[arg-type]
            events = cache.answer(question, index.state, lambda q=question, m=meanwhile: index.make(q, m))  # type: ignore[misc]
            if step[0] == "leave":
                next(events)
                events.close()  # type: ignore[attr-defined]
            else:
                *pieces, last = events
                assert isinstance(last, Answer)
                assert last.text == expected
                assert pieces == [expected[:3]]
        assert len(cache) <= size


def test_a_kept_answer_says_so_and_what_it_took() -> None:
    index, cache = Index(), ResponseCache[int, str](2)

    def ask() -> Answer:
        *_, last = cache.answer("q", index.state, lambda: index.make(1, None))
        assert isinstance(last, Answer)
        return last

    first, second = ask(), ask()
    assert index.made == 1
    assert first.notes == ()
    assert second.notes == (NOTE,)
    assert second.timings.keys() == {"cache", "total"}
    assert second.timings["total"] < 100
    assert ask().notes == (NOTE,), "said once"


def test_it_is_bounded_by_number_and_by_text() -> None:
    index, cache = Index(), ResponseCache[int, str](100, characters=1000)

    def long(n: int) -> Iterator[Event]:
        yield answer("x" * 300)

    for n in range(10):
        list(cache.answer(n, index.state, lambda n=n: long(n)))  # type: ignore[misc]
    assert len(cache) == 3
    list(cache.answer("huge", index.state, lambda: iter([answer("x" * 2000)])))
    assert len(cache) == 0, "one that does not fit is not kept"


def test_a_generator_is_stopped_with_its_reader() -> None:
    closed = []

    def make() -> Iterator[Event]:
        try:
            yield "a"
            yield answer("b")
        finally:
            closed.append(True)

    events = ResponseCache[int, str](2).answer("q", lambda: 1, make)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_queries_can_be_told_apart() -> None:
    assert len({Query("a"), Query("a"), Query("b"), Query("a", top_k=3), Query("a", "other")}) == 4


# --- the state of a collection ---------------------------------------------------------------------------------------

SPACE = Space("test", "0" * 64, 4, "none")


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    made = SqliteLibrary(tmp_path)
    made.register(SPACE)
    return made


def publish(library: SqliteLibrary, collection: str, name: str, text: str) -> str:
    sha256 = library.blobs.put_bytes(text.encode())
    document = Document(Document.make_id(collection, name), collection, name, "text/plain", sha256, len(text))
    chunk = Chunk(f"{document.id}.{sha256[:8]}.0", document.id, 0, "text", text)
    library.store_vectors(SPACE, digests_of(chunk), np.ones((1, 4), np.float32))
    library.publish(Publication(document, "settings", [], [], [chunk]), SPACE.id)
    return document.id


def settle(library: SqliteLibrary) -> None:
    with library.database.transaction() as db:
        db.execute("DELETE FROM outbox")


def test_the_version_rises_with_every_change_of_its_own_collection(library: SqliteLibrary) -> None:
    assert settled_version(library.database, "c") == 0
    id_ = publish(library, "c", "a.txt", "one")
    assert settled_version(library.database, "c") is None, "the vector index has not followed"
    settle(library)
    seen = [settled_version(library.database, "c")]
    for change in (
        lambda: publish(library, "c", "a.txt", "two"),
        lambda: publish(library, "c", "b.txt", "three"),
        lambda: library.delete(id_),
        lambda: publish(library, "c", "a.txt", "two"),
    ):
        change()
        settle(library)
        seen.append(settled_version(library.database, "c"))
    assert all(seen)
    assert seen == sorted(set(seen)), "never the same number again"  # type: ignore[type-var]
    publish(library, "other", "a.txt", "four")
    assert settled_version(library.database, "c") == seen[-1]
    assert settled_version(library.database, "other") is None
