"""A settled index opens from its files, finds the same, and takes more vectors as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag.protocols import IndexKey, Vectors
from rag.stores.chroma import ChromaVectorStore

KEY = IndexKey("default", "space", "text")
DIMENSION = 16


def vectors(count: int, seed: int) -> Vectors:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def graph_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/link_lists.bin"))


def test_settling_writes_the_graph_and_changes_nothing(tmp_path: Path) -> None:
    first, later = vectors(1_500, 1), vectors(40, 2)
    ids = [f"a{number}" for number in range(len(first))]
    store = ChromaVectorStore(tmp_path)
    store.upsert(KEY, ids, first)
    before = [store.query(KEY, vector, 5) for vector in first[:20]]
    assert graph_bytes(tmp_path) == 0
    store.settle()
    assert graph_bytes(tmp_path) > 0
    assert store.count(KEY) == len(first)
    assert [found[0][0] for found in (store.query(KEY, vector, 5) for vector in first[:20])] == ids[:20]
    assert [found[0] for found in before] == [store.query(KEY, vector, 1)[0] for vector in first[:20]]
    # Afterwards it writes no more often than before.
    settled = graph_bytes(tmp_path)
    store.upsert(KEY, [f"b{number}" for number in range(len(later))], later)
    store.delete(KEY, ["a0"])
    assert graph_bytes(tmp_path) == settled
    store.close()
    again = ChromaVectorStore(tmp_path)
    assert again.count(KEY) == len(first) + len(later) - 1
    assert again.query(KEY, later[3], 1)[0][0] == "b3"
    assert again.query(KEY, first[7], 1)[0][0] == "a7"
    assert again.query(KEY, first[0], 1)[0][0] != "a0"
    again.close()


def test_an_empty_store_can_be_settled(tmp_path: Path) -> None:
    store = ChromaVectorStore(tmp_path)
    store.settle()
    store.upsert(KEY, ["a"], vectors(1, 3))
    assert store.count(KEY) == 1
    store.close()
