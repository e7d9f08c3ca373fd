"""An exact vector index in memory: for tests, dry runs and as the measure of an approximate one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from rag.protocols import IndexKey, Vectors


def nearest(ids: Sequence[str], vectors: Vectors, vector: Vectors, k: int) -> list[tuple[str, float]]:
    """The `k` best by cosine of unit vectors `[n, dimension]`, best first; equal scores by id, so that order is stable."""
    if not len(ids) or k < 1:
        return []
    scores = vectors @ vector
    kept = np.argpartition(-scores, k - 1)[:k] if k < len(ids) else np.arange(len(ids))
    return sorted(((ids[n], float(scores[n])) for n in kept), key=lambda pair: (-pair[1], pair[0]))


class ExactVectorStore:
    """Satisfies VectorStore; keeps nothing on disk."""

    def __init__(self) -> None:
        self._indexes: dict[IndexKey, dict[str, Vectors]] = {}
        self._guard = threading.RLock()

    def upsert(self, key: IndexKey, ids: Sequence[str], vectors: Vectors) -> None:
        with self._guard:
            if len(ids):
                self._indexes.setdefault(key, {}).update(zip(ids, vectors, strict=True))

    def delete(self, key: IndexKey, ids: Sequence[str]) -> None:
        with self._guard:
            for id_ in ids:
                self._indexes.get(key, {}).pop(id_, None)

    def query(self, key: IndexKey, vector: Vectors, k: int) -> list[tuple[str, float]]:
        with self._guard:
            index = dict(self._indexes.get(key, {}))
        return nearest(list(index), np.stack(list(index.values())), vector, k) if index else []

    def count(self, key: IndexKey) -> int:
        return len(self._indexes.get(key, {}))

    def ids(self, key: IndexKey) -> set[str]:
        return set(self._indexes.get(key, {}))

    def held(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        index = self._indexes.get(key, {})
        there = [id_ for id_ in ids if id_ in index]
        return there, np.stack([index[id_] for id_ in there]) if there else np.zeros((0, 0), np.float32)

    def keys(self) -> list[IndexKey]:
        return list(self._indexes)

    def drop(self, key: IndexKey) -> None:
        with self._guard:
            self._indexes.pop(key, None)

    def settle(self) -> None:
        pass

    def close(self) -> None:
        pass
