"""Coarse recall: every retriever gives its own ranking of chunk ids; what they find is fused afterwards.

A retriever is a small object with a name and a `recall`. A further one (learned sparse, page vectors) joins by being listed
(`retrieval.further`): it is asked beside the others, fused with them, and told of in what is explained.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag.answers import Filter
from rag.protocols import IndexKey, LexicalIndex, Library, Vectors, VectorStore
from rag.retrieval.pool_entries import pool_entries

Ranking = list[tuple[str, float]]

EXACT_LIMIT = 5_000
"""Up to this many allowed vectors are compared one by one; beyond, the index is asked for more than needed and the rest is
dropped. They cost 2 µs each where they are kept in memory, 7 where they are read (100,000 chunks); to over-fetch where 5 in 100 are
allowed cost 70 ms."""
_OVER_FETCH = 2
"""So many times the depth is asked for first: enough where most is allowed, and half of what four times as many cost."""
_FURTHER = 4
"""So many times more whenever too few of those found are allowed."""
DEEPEST = 10_000
"""The most that the index is asked for."""


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
        """Up to `need.depth` chunk ids with scores, higher is better, best first; of `need.collection`, and only what `need.allowed`
        allows (`Library.allows` tells). Called from several threads. Raises Unavailable."""
        ...


def space_of(retriever: Retriever) -> str | None:
    """`space_id` of one that needs the question's vector in that space: it waits for the encoder, and belongs to the schemes of vectors."""
    return getattr(retriever, "space_id", None)


@dataclass(frozen=True, slots=True)
class VectorRetriever:
    """Nearest vectors of one content of the index. The entries of a picture count as the picture, all together."""

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
        if self.content != "entries":
            return self._nearest(key, vector, need.depth, need.allowed)[: need.depth]
        # A picture has about six entries, so that more are needed than pictures are wanted.
        found = self._nearest(key, vector, need.depth * 6, need.allowed)
        seen = self.library.seen_entries(list({id_.partition("#")[0] for id_, _ in found})) if found else set()
        return pool_entries(found, seen)[: need.depth]

    def _nearest(self, key: IndexKey, vector: Vectors, depth: int, allowed: Filter) -> Ranking:
        if not allowed:
            return self.store.query(key, vector, depth)
        few = self.library.allowed_vectors(key, allowed, EXACT_LIMIT)
        if few is not None:
            return _exactly(*few, vector, depth)
        wanted = depth * _OVER_FETCH
        while wanted <= DEEPEST:
            found = self.store.query(key, vector, wanted)
            permitted = self.library.allows(list({id_.partition("#")[0] for id_, _ in found}), allowed)
            kept = [(id_, score) for id_, score in found if id_.partition("#")[0] in permitted]
            if len(kept) >= depth or len(found) < wanted:
                return kept[:depth]
            wanted *= _FURTHER
        # Much is allowed, but next to nothing of what is near the question.
        every = self.library.allowed_vectors(key, allowed, sys.maxsize)
        return _exactly(*every, vector, depth) if every is not None else []


@dataclass(frozen=True, slots=True)
class LexicalRetriever:
    """BM25 over words."""

    index: LexicalIndex
    name: str = "lexical"

    def recall(self, need: Need) -> Ranking:
        return self.index.search(need.collection, need.text, need.depth, need.allowed or None)


def _exactly(ids: Sequence[str], vectors: Vectors, vector: Vectors, depth: int) -> Ranking:
    """The best `depth` by cosine, equal scores by id."""
    if not len(ids):
        return []
    # Not `@`: BLAS would wake its threads, which are slow to fall asleep again.
    scores = np.einsum("id,d->i", vectors, vector)
    kept = np.argpartition(-scores, depth - 1)[:depth] if depth < len(ids) else np.arange(len(ids))
    return sorted(((ids[n], float(scores[n])) for n in kept), key=lambda pair: (-pair[1], pair[0]))
