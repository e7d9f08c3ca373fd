"""The library: whole or not at all, nothing left behind, found by words."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.answers import Filter
from rag.documents import AnyChunk, Box, Chunk, Document, Element, ImageChunk, ImageEntry, Page
from rag.errors import NotFound, SpaceMismatch, StoreCorrupt
from rag.protocols import IndexKey, Space, Vectors
from rag.stores.exact import ExactVectorStore
from rag.stores.index import VectorIndex
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import Incomplete, SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.records import Failure

SPACE = Space("test", "0" * 64, 4, "none")
PICTURE = b"a picture"


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    made = SqliteLibrary(tmp_path)
    made.register(SPACE)
    return made


def publication(
    library: SqliteLibrary, name: str, *texts: str, collection: str = "default", content: bytes | None = None
) -> Publication:
    sha256 = library.blobs.put_bytes(content or " ".join(texts).encode())
    document = Document(Document.make_id(collection, name), collection, name, "text/plain", sha256, 10, title=name)
    chunks: list[AnyChunk] = [
        Chunk(
            f"{document.id}.{sha256[:8]}.{n}",
            document.id,
            n,
            "text",
            text,
            name,
            ("A", "B"),
            1,
            (Box(1, 0, 0, 9, 9),),
            5,
        )
        for n, text in enumerate(texts)
    ]
    pages = [Page(1, 100, 200)]
    return Publication(document, "settings", pages, [(Element("paragraph", text), None) for text in texts], chunks)


def with_picture(library: SqliteLibrary, made: Publication, *entries: str) -> Publication:
    sha256 = library.blobs.put_bytes(PICTURE)
    n = len(made.chunks)
    chunk = ImageChunk(
        f"{made.document.id}.x.{n}",
        made.document.id,
        n,
        sha256,
        "image/png",
        9,
        9,
        tuple(ImageEntry("label", e) for e in entries),
    )
    return replace(made, chunks=[*made.chunks, chunk], elements=[*made.elements, (Element("figure", ""), sha256)])


def embed(library: SqliteLibrary, made: Publication) -> None:
    keys = [key for chunk in made.chunks for key in digests_of(chunk)]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(keys), 4)).astype(np.float32)
    library.store_vectors(SPACE, keys, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def publish(library: SqliteLibrary, made: Publication) -> Publication:
    embed(library, made)
    library.publish(made, SPACE.id)
    return made


def rows(library: SqliteLibrary) -> dict[str, int]:
    tables = ("documents", "pages", "elements", "chunks", "entries", "embeddings", "blobs", "lexemes")
    return {t: library.database.reader.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def test_what_is_published_comes_back_equal(library: SqliteLibrary) -> None:
    made = publish(library, with_picture(library, publication(library, "a.txt", "one", "two"), "cat; 猫"))
    assert library.chunks(made.document.id) == made.chunks
    stored = library.document(made.document.id)
    assert stored.document == made.document
    assert stored.chunks == 3
    assert library.pages(made.document.id) == made.pages
    found = library.hydrate([made.chunks[2].id, made.chunks[0].id, "never"])
    assert {id_: chunk for id_, (chunk, _) in found.items()} == {c.id: c for c in (made.chunks[2], made.chunks[0])}
    assert found[made.chunks[0].id][1] == made.document.ref


def test_deleting_leaves_no_trace(library: SqliteLibrary) -> None:
    made = publish(library, with_picture(library, publication(library, "a.txt", "one", "two"), "cat"))
    library.delete(made.document.id)
    assert set(rows(library).values()) == {0}
    assert list(library.blobs.all()) == []
    assert SqliteLexicalIndex(library.database).search("default", "one", 10) == []
    with pytest.raises(NotFound, match="documents list"):
        library.delete(made.document.id)


def test_what_another_document_still_needs_stays(library: SqliteLibrary) -> None:
    first = publish(library, with_picture(library, publication(library, "a.txt", "same", content=b"x"), "cat"))
    second = publication(library, "b.txt", "same", content=b"x")
    second = replace(second, chunks=[replace(c, context="a.txt") for c in second.chunks if isinstance(c, Chunk)])
    publish(library, with_picture(library, second, "cat"))
    library.delete(first.document.id)
    assert rows(library)["embeddings"] == 2
    assert len(set(library.blobs.all())) == 2
    assert len(library.vectors_by_id(IndexKey("default", SPACE.id, "text"))[0]) == 1


def test_a_new_version_takes_the_place_of_the_old_one(library: SqliteLibrary) -> None:
    old = publish(library, publication(library, "a.txt", "old words", "kept"))
    new = publish(library, publication(library, "a.txt", "new words", "kept"))
    assert new.document.id == old.document.id
    assert [chunk.text for chunk in library.chunks(new.document.id)] == ["new words", "kept"]
    lexical = SqliteLexicalIndex(library.database)
    assert lexical.search("default", "old", 10) == []
    assert [id_ for id_, _ in lexical.search("default", "new", 10)] == [new.chunks[0].id]
    assert rows(library)["embeddings"] == 2
    assert list(library.blobs.all()) == [new.document.sha256]


def test_a_failed_publication_changes_nothing(library: SqliteLibrary) -> None:
    publish(library, publication(library, "a.txt", "old"))
    before = rows(library)
    broken = publication(library, "a.txt", "new")
    twice = replace(broken, chunks=[broken.chunks[0], broken.chunks[0]])
    embed(library, twice)
    with pytest.raises(Exception, match="UNIQUE"):
        library.publish(twice, SPACE.id)
    after = rows(library)
    assert {k: v for k, v in after.items() if k != "embeddings"} == {
        k: v for k, v in before.items() if k != "embeddings"
    }
    assert [c.text for c in library.chunks(broken.document.id)] == ["old"]


def test_nothing_is_published_without_its_vectors_or_blobs(library: SqliteLibrary) -> None:
    made = publication(library, "a.txt", "text")
    with pytest.raises(Incomplete):
        library.publish(made, SPACE.id)
    embed(library, made)
    library.blobs.remove(made.document.sha256)
    with pytest.raises(Incomplete):
        library.publish(made, SPACE.id)
    assert library.documents() == []


def test_of_many_the_incomplete_are_left_out(library: SqliteLibrary) -> None:
    old = publish(library, publication(library, "a.txt", "old words"))
    first, second, third = (publication(library, f"{name}.txt", text) for name, text in zip("abc", "xyz", strict=True))
    embed(library, first)
    embed(library, third)
    assert library.publish_all([first, second, third], SPACE.id) == [first, third]
    assert [stored.document.name for stored in library.documents()] == ["a.txt", "c.txt"]
    with pytest.raises(NotFound):
        library.blobs.path(old.document.sha256)
    assert library.blobs.has(second.document.sha256), "it is not published yet"
    embed(library, second)
    assert library.publish_all([second], SPACE.id) == [second]


def test_what_one_leaves_and_another_takes_stays(library: SqliteLibrary) -> None:
    publish(library, publication(library, "a.txt", "same", content=b"x"))
    changed, taker = publication(library, "a.txt", "other"), publication(library, "b.txt", "same", content=b"x")
    embed(library, changed)
    embed(library, taker)
    done = library.publish_all([taker, changed], SPACE.id)
    assert done == [taker, changed]
    assert library.blobs.has(taker.document.sha256)
    assert library.missing_vectors(SPACE.id, digests_of(taker.chunks[0])) == []


def test_vectors_of_a_wrong_shape_are_refused(library: SqliteLibrary) -> None:
    with pytest.raises(SpaceMismatch, match="4 dimensions"):
        library.store_vectors(SPACE, ["a"], np.zeros((1, 5), np.float32))


def test_neighbours_are_of_the_same_document_in_order(library: SqliteLibrary) -> None:
    made = publish(library, publication(library, "a.txt", "0", "1", "2", "3"))
    publish(library, publication(library, "b.txt", "other"))
    assert [c.text for c in library.neighbours(made.chunks[1].id, 1, 2)] == ["0", "1", "2", "3"]
    assert [c.text for c in library.neighbours(made.chunks[0].id, 1, 0)] == ["0"]
    assert library.neighbours("never", 1, 1) == []


def test_collections_do_not_see_each_other(library: SqliteLibrary) -> None:
    publish(library, publication(library, "a.txt", "shared words", collection="one"))
    publish(library, publication(library, "a.txt", "shared words", collection="two"))
    lexical = SqliteLexicalIndex(library.database)
    assert len(lexical.search("one", "shared", 10)) == 1
    assert lexical.search("three", "shared", 10) == []
    assert library.collections() == {"one": 1, "two": 1}


def test_words_of_both_languages_are_found(library: SqliteLibrary) -> None:
    made = publish(
        library, publication(library, "a.txt", "Running quickly through the archives", "数据库保存在中国科学院")
    )
    lexical = SqliteLexicalIndex(library.database)
    assert lexical.search("default", "archive runs", 10)[0][0] == made.chunks[0].id
    assert lexical.search("default", "科学院的数据库", 10)[0][0] == made.chunks[1].id
    assert lexical.search("default", "???", 10) == []


@given(text=st.text(max_size=80))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_question_is_a_syntax_error(library: SqliteLibrary, text: str) -> None:
    SqliteLexicalIndex(library.database).search("default", text, 5)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (Filter(), {"a.txt", "b.txt"}),
        (Filter(names=frozenset({"a.txt"})), {"a.txt"}),
        (Filter(names=frozenset({"a.txt"}), media_types=frozenset({"image/png"})), set()),
        (Filter(names=frozenset({"' OR 1 --"})), set()),
    ],
)
def test_filters(library: SqliteLibrary, allowed: Filter, expected: set[str]) -> None:
    ids = {publish(library, publication(library, name, "word")).chunks[0].id: name for name in ("a.txt", "b.txt")}
    assert {ids[i] for i in library.allows(list(ids), allowed)} == expected
    found = library.allowed_vectors(IndexKey("default", SPACE.id, "text"), allowed, 10)
    assert found is not None
    assert {ids[i] for i in found[0]} == expected
    lexical = SqliteLexicalIndex(library.database).search("default", "word", 10, allowed)
    assert {ids[i] for i, _ in lexical} == expected


def test_too_many_allowed_vectors_are_not_read(library: SqliteLibrary) -> None:
    publish(library, publication(library, "a.txt", "0", "1", "2"))
    assert library.allowed_vectors(IndexKey("default", SPACE.id, "text"), Filter(names=frozenset({"a.txt"})), 2) is None


def test_failures_are_remembered_until_the_file_is_published(library: SqliteLibrary) -> None:
    library.record_failure(Failure("default", "a.txt", "0", "s", "CorruptFile", "broken", "mend it"))
    assert [f.message for f in library.failures("default")] == ["broken"]
    publish(library, publication(library, "a.txt", "text"))
    assert library.failures() == []


def test_a_newer_library_is_refused(tmp_path: Path) -> None:
    first = SqliteLibrary(tmp_path)
    first.database.reader.execute("PRAGMA query_only = OFF")
    first.database.reader.execute("PRAGMA user_version = 999")
    first.close()
    with pytest.raises(StoreCorrupt, match="999"):
        SqliteLibrary(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite3").write_bytes(b"this is no database, and long enough to be read as a header" * 20)
    with pytest.raises(StoreCorrupt, match=r"library\.sqlite3"):
        SqliteLibrary(tmp_path)


def test_readers_and_a_writer_side_by_side(library: SqliteLibrary) -> None:
    publications = [publication(library, f"{n}.txt", f"text {n}") for n in range(20)]
    for made in publications:
        embed(library, made)
    problems: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(50):
                for stored in library.documents():
                    assert len(library.chunks(stored.document.id)) == 1
        except Exception as error:
            problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for made in publications:
        library.publish(made, SPACE.id)
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(library.documents()) == 20


class Losing(ExactVectorStore):
    """Does not find one vector until it was put in a number of times more."""

    def __init__(self, hidden: str, puts: int) -> None:
        super().__init__()
        self._hidden, self._needed = hidden, puts
        self.puts, self.asked = -1, 0

    def upsert(self, key: IndexKey, ids: Sequence[str], vectors: Vectors) -> None:
        super().upsert(key, ids, vectors)
        self.puts += self._hidden in ids

    def query(self, key: IndexKey, vector: Vectors, k: int) -> list[tuple[str, float]]:
        self.asked += 1
        found = super().query(key, vector, k)
        return [one for one in found if one[0] != self._hidden or self.puts >= self._needed]


class LosingTogether(Losing):
    def query_together(self, wanted: Sequence[tuple[IndexKey, Vectors, int]]) -> list[list[tuple[str, float]]]:
        return [self.query(*one) for one in wanted]


class TestIndex:
    @pytest.fixture
    def index(self, library: SqliteLibrary) -> tuple[VectorIndex, ExactVectorStore]:
        store = ExactVectorStore()
        return VectorIndex(library, store, {"text": SPACE.id, "entries": SPACE.id}), store

    def test_follows_the_library(self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore]) -> None:
        keeper, store = index
        made = publish(library, with_picture(library, publication(library, "a.txt", "one", "two"), "cat", "猫"))
        assert keeper.flush() == 5
        assert store.ids(IndexKey("default", SPACE.id, "text")) == {made.chunks[0].id, made.chunks[1].id}
        assert store.ids(IndexKey("default", SPACE.id, "entries")) == {f"{made.chunks[2].id}#{n}" for n in (0, 1)}
        library.delete(made.document.id)
        keeper.flush()
        assert [store.count(key) for key in store.keys()] == [0, 0]  # noqa: SIM118
        assert keeper.flush() == 0

    def test_recovers_what_was_lost(self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore]) -> None:
        keeper, store = index
        made = publish(library, publication(library, "a.txt", "one", "two", "three"))
        keeper.flush()
        key = IndexKey("default", SPACE.id, "text")
        for damage in (
            lambda: store.delete(key, [made.chunks[1].id]),
            lambda: store.upsert(key, ["stranger"], np.ones((1, 4), np.float32)),
            lambda: store.drop(key),
        ):
            damage()
            assert [state.sound for state in keeper.recover()] == [False]
            assert store.ids(key) == {chunk.id for chunk in made.chunks}
        assert keeper.recover() == []

    def test_an_interrupted_flush_is_carried_over_again(
        self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keeper, store = index
        made = publish(library, publication(library, "a.txt", "one"))
        monkeypatch.setattr(store, "upsert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            keeper.flush()
        monkeypatch.undo()
        keeper.flush()
        assert store.ids(IndexKey("default", SPACE.id, "text")) == {made.chunks[0].id}

    def test_what_is_there_already_is_not_touched_again(
        self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A vector that is put over itself, or taken out and put in again, can drop out of the graph."""
        keeper, store = index
        publish(library, publication(library, "a.txt", "one"))
        rows = library.database.reader.execute("SELECT * FROM outbox").fetchall()
        keeper.flush()
        made = publish(library, publication(library, "b.txt", "two"))
        with library.database.transaction() as db:  # as if a kill had come before the rows were deleted
            db.executemany(f"INSERT INTO outbox VALUES ({', '.join('?' * len(rows[0]))})", rows)
        put, taken = [], []
        monkeypatch.setattr(store, "upsert", lambda _, ids, __: put.extend(ids))
        monkeypatch.setattr(store, "delete", lambda _, ids: taken.extend(ids))
        keeper.flush(again=True)
        ids = {chunk.id for chunk in made.chunks}
        assert set(put) == ids
        assert set(taken) <= ids

    def test_a_vector_that_is_another_one_is_put_in_anew(
        self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore]
    ) -> None:
        keeper, store = index
        made = publish(library, publication(library, "a.txt", "one"))
        key = IndexKey("default", SPACE.id, "text")
        ids, vectors = library.vectors_by_id(key, [made.chunks[0].id])
        store.upsert(key, ids, -vectors)
        keeper.flush(again=True)
        assert store.held(key, ids)[1] == pytest.approx(vectors)

    @pytest.mark.parametrize("together", [False, True])
    @pytest.mark.parametrize(("puts", "left"), [(1, 0), (3, 0), (9, 1)])
    def test_a_new_vector_that_the_graph_does_not_reach_is_put_in_anew(
        self, library: SqliteLibrary, caplog: pytest.LogCaptureFixture, together: bool, puts: int, left: int
    ) -> None:
        made = publish(library, publication(library, "a.txt", *(f"text {n}" for n in range(100))))
        hidden = made.chunks[7].id
        store = (LosingTogether if together else Losing)(hidden, puts)
        keeper = VectorIndex(library, store, {"text": SPACE.id})
        keeper.flush()
        assert keeper.reach() == left
        assert store.puts == min(puts, 3), "the first time, and what was mended"
        assert len(store.ids(IndexKey("default", SPACE.id, "text"))) == 100
        assert ("1 of 100 new vectors of default" in caplog.text) == bool(left)
        assert keeper.reach() == 0, "nothing is new"

    def test_of_many_the_neighbours_of_what_was_asked_for_are_not_asked_for(
        self, library: SqliteLibrary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = publish(library, publication(library, "a.txt", *(f"text {n}" for n in range(300))))
        asked = []
        for few in (1_000, 100):
            monkeypatch.setattr("rag.stores.index._FEW", few)
            store = Losing(made.chunks[7].id, 1)
            keeper = VectorIndex(library, store, {"text": SPACE.id})
            keeper.rebuild()
            assert (store.puts, keeper.reach()) == (1, 0), "a graph that is made anew is asked, too"
            asked.append(store.asked)
        assert asked[0] == 600, "all of them, and once more after the mending"
        assert asked[1] < 400

    def test_rebuild_drops_what_nothing_needs(
        self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore]
    ) -> None:
        keeper, store = index
        stale = IndexKey("default", "another space", "text")
        store.upsert(stale, ["a"], np.ones((1, 4), np.float32))
        publish(library, publication(library, "a.txt", "one"))
        assert keeper.rebuild() == 1
        assert stale not in store.keys()  # noqa: SIM118

    def test_versions_in_turns_end_as_the_last_one(
        self, library: SqliteLibrary, index: tuple[VectorIndex, ExactVectorStore]
    ) -> None:
        keeper, store = index
        for text in ("first", "second", "first", "third"):
            made = publish(library, publication(library, "a.txt", text))
        other = publish(library, publication(library, "b.txt", "short-lived"))
        library.delete(other.document.id)
        keeper.flush()
        key = IndexKey("default", SPACE.id, "text")
        assert store.ids(key) == {made.chunks[0].id}
        again = publish(library, publication(library, "a.txt", "third"))
        keeper.flush(again=True)
        assert store.ids(key) == {again.chunks[0].id}
