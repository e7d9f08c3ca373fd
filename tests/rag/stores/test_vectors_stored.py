"""Vectors in single precision and as bytes: what is lost, and that a library may hold both."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Filter
from rag.documents import Chunk, Document
from rag.errors import StoreCorrupt
from rag.fakes import HashingTextEncoder
from rag.filters import parse
from rag.protocols import IndexKey
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.vectors import Precision, from_stored, stored_size, to_stored

ENCODER = HashingTextEncoder()
SPACE = ENCODER.space
KEY = IndexKey("default", SPACE.id, "text")


def test_worked_out_by_hand() -> None:
    # 127 · (0.6, -0.8) / 0.8 = (95.25, -127): bytes 95 and -127, of length √(95² + 127²) = 158.6.
    (blob,) = to_stored(np.array([[0.6, -0.8]], np.float32), "int8")
    assert len(blob) == stored_size(2, "int8") == 6
    assert list(np.frombuffer(blob[4:], np.int8)) == [95, -127]
    np.testing.assert_allclose(from_stored([blob], 2), [[95 / 158.6, -127 / 158.6]], atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.floats(1e-3, 1e3))
def test_length_stays_and_direction_nearly(seed: int, dimension: int, length: float) -> None:
    drawn = np.random.default_rng(seed).normal(size=(1, dimension))
    vector = np.asarray(drawn / np.linalg.norm(drawn) * length, np.float32)
    back = from_stored(to_stored(vector, "int8"), dimension)
    assert np.linalg.norm(back) == pytest.approx(length, rel=1e-5)
    # Each value is off by half a step at most, and a step is a 127th of the largest.
    assert np.abs(back - vector).max() <= 1.5 * np.abs(vector).max() / 127


def test_single_precision_loses_nothing_and_both_can_be_mixed() -> None:
    vectors = ENCODER.encode_passages(["granite", "slate", "chalk"])
    np.testing.assert_array_equal(from_stored(to_stored(vectors, "float32"), SPACE.dimension), vectors)
    mixed = [*to_stored(vectors[:1], "float32"), *to_stored(vectors[1:], "int8")]
    np.testing.assert_allclose(from_stored(mixed, SPACE.dimension), vectors, atol=0.01)
    np.testing.assert_array_equal(from_stored(mixed, SPACE.dimension)[0], vectors[0])
    assert from_stored(to_stored(np.zeros((1, 4), np.float32), "int8"), 4).tolist() == [[0, 0, 0, 0]]


def test_another_length_is_damage() -> None:
    with pytest.raises(StoreCorrupt):
        from_stored([b"12345"], 4)


def publish(library: SqliteLibrary, name: str, texts: list[str]) -> str:
    id_ = Document.make_id("default", name)
    chunks = [Chunk(f"{id_}.{n}", id_, n, "text", text, language="en") for n, text in enumerate(texts)]
    library.store_vectors(SPACE, [key for c in chunks for key in digests_of(c)], ENCODER.encode_passages(texts))
    document = Document(id_, "default", name, "text/plain", library.blobs.put_bytes(name.encode()), 1)
    library.publish(Publication(document, "s", [], [], list(chunks)), SPACE.id)
    return id_


@pytest.fixture(params=["float32", "int8"])
def precision(request: pytest.FixtureRequest) -> Precision:
    found: Precision = request.param
    return found


def test_a_library_of_either_gives_unit_vectors_everywhere(tmp_path: Path, precision: Precision) -> None:
    library = SqliteLibrary(tmp_path, precision)
    library.register(SPACE)
    texts = [f"granite number {n} and slate {n * n}" for n in range(30)]
    id_ = publish(library, "a.txt", texts)
    wanted = dict(zip([f"{id_}.{n}" for n in range(30)], ENCODER.encode_passages(texts), strict=True))
    for ids, vectors in (
        library.vectors_by_id(KEY),
        library.vectors_by_id(KEY, list(wanted)),
        library.vectors_by_id(KEY, list(wanted)[3:9]),
        library.allowed_vectors(KEY, Filter(where=parse("name = a.txt")), 100) or ([], np.empty(0)),
    ):
        assert len(ids) in (30, 6)
        for one, vector in zip(ids, vectors, strict=True):
            assert float(vector @ wanted[one]) > (0.9999 if precision == "int8" else 0.999999)
    assert library.precisions(SPACE.id)[precision] == 30


def test_converting_keeps_what_is_found_and_says_what_is_left(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    id_ = publish(library, "a.txt", ["granite", "slate", "chalk"])
    before = dict(zip(*library.vectors_by_id(KEY, [f"{id_}.{n}" for n in range(3)]), strict=True))
    assert library.to_bytes() == 3
    assert library.to_bytes() == 0
    assert library.precisions(SPACE.id) == {"float32": 0, "int8": 3}
    after = dict(zip(*library.vectors_by_id(KEY, list(before)), strict=True))
    assert all(float(before[one] @ after[one]) > 0.9999 for one in before)
    assert any((before[one] != after[one]).any() for one in before)
    texts = library.texts_in_bytes(SPACE.id)
    assert sorted(text for _, text in texts) == ["chalk", "granite", "slate"]
    library.store_vectors(SPACE, [key for key, _ in texts], ENCODER.encode_passages([text for _, text in texts]))
    assert library.precisions(SPACE.id) == {"float32": 3, "int8": 0}
    assert library.texts_in_bytes(SPACE.id) == []


def test_what_is_kept_in_memory_follows_every_change(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    id_ = publish(library, "a.txt", ["granite", "slate"])
    other = publish(library, "b.txt", ["chalk"])
    assert library.keep(KEY) == 3
    ids = [f"{id_}.0", f"{id_}.1", f"{other}.0"]
    assert len(library.vectors_by_id(KEY, ids)[0]) == len(library.languages(ids)) == 3
    publish(library, "a.txt", ["marble"])
    found = dict(zip(*library.vectors_by_id(KEY, ids), strict=True))
    assert sorted(found) == sorted([f"{id_}.0", f"{other}.0"])
    np.testing.assert_array_equal(found[f"{id_}.0"], ENCODER.encode_passages(["marble"])[0])
    library.delete(other)
    assert library.vectors_by_id(KEY, ids)[0] == [f"{id_}.0"]
    assert library.languages(ids) == {f"{id_}.0": "en"}


def test_when_it_is_full_keeping_begins_anew() -> None:
    from rag.stores.kept import Kept

    kept = Kept(limit_bytes=10)
    for n in range(9):
        kept.keep_vectors(KEY, [(f"c{n}", b"1234", "d")], kept.generation)
    assert 0 < len(kept.vectors(KEY, [f"c{n}" for n in range(9)])) <= 3
    stale = kept.generation
    kept.forget(["d"])
    assert kept.vectors(KEY, ["c8"]) == {}
    kept.keep_vectors(KEY, [("c8", b"1234", "d")], stale)
    assert kept.vectors(KEY, ["c8"]) == {}
