"""Coarse recall: every retriever gives its own ranking of chunk ids; what they find is fused afterwards.

A retriever is a small object with a name and a `recall`. A further one (learned sparse, page vectors) joins by being listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.answers import Filter
from rag.protocols import IndexKey, LexicalIndex, Library, Vectors, VectorStore

Ranking = list[tuple[str, float]]

EXACT_LIMIT = 5_000
"""Up to this many allowed vectors are compared one by one; beyond, the index is asked for more than needed and the rest is
dropped. 5,000 × 384 products take under 5 ms; an over-fetch finds enough when that many are allowed."""
_OVER_FETCH = 20


@dataclass(frozen=True, slots=True)
class Need:
    """A question as retrievers see it: its text, its vectors `[dimension]` by the space they are of, and what is allowed."""

    text: str
    collection: str
    vectors: dict[str, Vectors]
    allowed: Filter
    depth: int


class Retriever(Protocol):
    @property
    def name(self) -> str: ...

    def recall(self, need: Need) -> Ranking:
        """Up to `need.depth` chunk ids with scores, best first, of the allowed documents only."""
        ...


@dataclass(frozen=True, slots=True)
class VectorRetriever:
    """Nearest vectors of one content of the index. The entries of a picture count as the picture: its best entry's score."""

    name: str
    content: str
    space_id: str
    store: VectorStore
    library: Library

    def recall(self, need: Need) -> Ranking:
        vector = need.vectors.get(self.space_id)
        if vector is None:
            return []
        key = IndexKey(need.collection, self.space_id, self.content)  # type: ignore[arg-type]
        # A picture has about six entries, so that more are needed than pictures are wanted.
        depth = need.depth * 6 if self.content == "entries" else need.depth
        return best_per_chunk(self._nearest(key, vector, depth, need.allowed))[: need.depth]

    def _nearest(self, key: IndexKey, vector: Vectors, depth: int, allowed: Filter) -> Ranking:
        if not allowed:
            return self.store.query(key, vector, depth)
        few = self.library.allowed_vectors(key, allowed, EXACT_LIMIT)
        if few is not None:
            ids, vectors = few
            scores = [float(score) for score in vectors @ vector] if ids else []
            return sorted(zip(ids, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))[:depth]
        found = self.store.query(key, vector, depth * _OVER_FETCH)
        permitted = self.library.allows([id_.partition("#")[0] for id_, _ in found], allowed)
        return [(id_, score) for id_, score in found if id_.partition("#")[0] in permitted][:depth]


@dataclass(frozen=True, slots=True)
class LexicalRetriever:
    """BM25 over words."""

    index: LexicalIndex
    name: str = "lexical"

    def recall(self, need: Need) -> Ranking:
        return self.index.search(need.collection, need.text, need.depth, need.allowed or None)


def best_per_chunk(ranking: Sequence[tuple[str, float]]) -> Ranking:
    """Keeps the first, best, place of each chunk; `id#n` is entry n of chunk `id`."""
    best: dict[str, float] = {}
    for id_, score in ranking:
        best.setdefault(id_.partition("#")[0], score)
    return list(best.items())
