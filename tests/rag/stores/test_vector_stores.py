"""One contract for every vector store."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.protocols import IndexKey, Vectors, VectorStore
from rag.stores.apart import StoreApart
from rag.stores.chroma import ChromaVectorStore
from rag.stores.exact import ExactVectorStore

TEXT = IndexKey("default", "space", "text")


def unit(rows: int, dimension: int = 16, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


STORES: dict[str, Callable[[Path], VectorStore]] = {
    "exact": lambda _: ExactVectorStore(),
    "chroma": ChromaVectorStore,
    "apart": lambda folder: StoreApart(folder, ChromaVectorStore),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    made = STORES[request.param](tmp_path / "index")
    yield made
    made.close()


def test_finds_the_nearest_first_with_its_cosine(store: VectorStore) -> None:
    vectors = unit(50)
    store.upsert(TEXT, [f"c{n}" for n in range(50)], vectors)
    found = store.query(TEXT, vectors[7], 5)
    assert len(found) == 5
    assert found[0] == ("c7", pytest.approx(1.0, abs=1e-5))
    exact = sorted(vectors @ vectors[7], reverse=True)[:5]
    assert [score for _, score in found] == pytest.approx(exact, abs=1e-4)


def test_upsert_replaces_a_vector(store: VectorStore) -> None:
    vectors = unit(3)
    store.upsert(TEXT, ["a", "b"], vectors[:2])
    store.upsert(TEXT, ["a"], vectors[2:])
    assert store.count(TEXT) == 2
    assert store.query(TEXT, vectors[2], 1)[0][0] == "a"


def test_deletes_what_is_there_and_ignores_what_is_not(store: VectorStore) -> None:
    vectors = unit(3)
    store.upsert(TEXT, ["a", "b", "c"], vectors)
    store.delete(TEXT, ["b", "never"])
    assert store.ids(TEXT) == {"a", "c"}
    assert "b" not in [id_ for id_, _ in store.query(TEXT, vectors[1], 3)]


def test_holds_what_it_was_given(store: VectorStore) -> None:
    vectors = unit(3)
    store.upsert(TEXT, ["a", "b", "c"], vectors)
    ids, held = store.held(TEXT, ["c", "never", "a"])
    assert sorted(ids) == ["a", "c"]
    for id_, vector in zip(ids, held, strict=True):
        assert vector == pytest.approx(vectors["abc".index(id_)], abs=1e-6)
    assert store.held(TEXT, []) == ([], pytest.approx(np.zeros((0, 0))))
    assert store.held(IndexKey("missing", "space", "text"), ["a"])[0] == []


def test_an_index_that_is_not_there_is_empty(store: VectorStore) -> None:
    missing = IndexKey("missing", "space", "text")
    assert store.query(missing, unit(1)[0], 3) == []
    assert store.count(missing) == 0
    assert store.ids(missing) == set()
    store.delete(missing, ["a"])
    store.drop(missing)


def test_an_index_that_was_asked_for_too_early_is_found_later(store: VectorStore) -> None:
    vector = unit(1)[0]
    assert store.query(TEXT, vector, 3) == []
    store.upsert(TEXT, ["a"], vector[np.newaxis])
    assert [id_ for id_, _ in store.query(TEXT, vector, 3)] == ["a"]
    store.drop(TEXT)
    assert store.query(TEXT, vector, 3) == []
    store.upsert(TEXT, ["b"], vector[np.newaxis])
    assert [id_ for id_, _ in store.query(TEXT, vector, 3)] == ["b"]


def test_indexes_do_not_mix(store: VectorStore) -> None:
    vectors = unit(2)
    other = IndexKey("合同", "space", "text")
    entries = IndexKey("default", "space", "entries")
    for key, id_, vector in ((TEXT, "a", vectors[:1]), (other, "b", vectors[:1]), (entries, "c", vectors[:1])):
        store.upsert(key, [id_], vector)
    assert [id_ for id_, _ in store.query(other, vectors[0], 5)] == ["b"]
    assert set(store.keys()) == {TEXT, other, entries}
    store.drop(other)
    assert set(store.keys()) == {TEXT, entries}
    assert store.count(other) == 0


def test_an_empty_batch_changes_nothing(store: VectorStore) -> None:
    store.upsert(TEXT, [], np.empty((0, 16), np.float32))
    assert store.count(TEXT) == 0


def test_more_than_one_batch(store: VectorStore) -> None:
    vectors = unit(5_600, 8)
    store.upsert(TEXT, [f"c{n}" for n in range(5_600)], vectors)
    assert store.count(TEXT) == 5_600
    assert store.query(TEXT, vectors[5_599], 1)[0][0] == "c5599"


def test_asking_for_more_than_there_is(store: VectorStore) -> None:
    store.upsert(TEXT, ["a"], unit(1))
    assert len(store.query(TEXT, unit(1)[0], 100)) == 1


def test_chroma_keeps_its_content_over_a_restart(tmp_path: Path) -> None:
    vectors = unit(20)
    first = ChromaVectorStore(tmp_path)
    first.upsert(TEXT, [f"c{n}" for n in range(20)], vectors)
    first.close()
    second = ChromaVectorStore(tmp_path)
    assert second.count(TEXT) == 20
    assert second.query(TEXT, vectors[3], 1)[0][0] == "c3"
    assert second.keys() == [TEXT]
    second.close()


def test_questions_at_the_same_time_find_what_they_find_alone(store: VectorStore) -> None:
    vectors, other = unit(300), IndexKey("other", "space", "text")
    store.upsert(TEXT, [f"c{n}" for n in range(300)], vectors)
    store.upsert(other, [f"d{n}" for n in range(300)], vectors[::-1])
    asked = [(key, vector, k) for vector in vectors[:40] for key in (TEXT, other) for k in (3, 7)]
    alone = [store.query(*one) for one in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: store.query(*one), asked))
    assert [[id_ for id_, _ in found] for found in together] == [[id_ for id_, _ in found] for found in alone]
    for one, found in zip(alone, together, strict=True):
        assert [score for _, score in found] == pytest.approx([score for _, score in one], abs=1e-6)
