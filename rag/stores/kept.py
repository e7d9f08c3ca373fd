"""What every question asks of its candidates, kept in memory: their vectors as they are stored, and their languages.

Read from SQLite, the vectors of 180 candidates took 2.4 ms of a search over 100,000 chunks and their languages 0.7 ms: five walks through
trees for each, and a row at a time. What is kept is forgotten with the document that it is of, so that ingesting costs nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from rag.protocols import IndexKey

LIMIT_BYTES = 256 << 20
"""Of all vectors together: 170,000 of 384 dimensions in single precision, 690,000 in bytes. When it is full, keeping begins anew."""


class Kept:
    """Safe to use from several threads. A reader takes `generation` before it reads what it gives to `keep`: what a document lost or
    changed meanwhile is not kept then."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._guard = threading.Lock()
        self._vectors: dict[IndexKey, dict[str, bytes]] = {}
        self._languages: dict[str, str] = {}
        self._chunks: dict[str, list[str]] = {}
        self._size = 0
        self.generation = 0

    @property
    def room(self) -> int:
        """Bytes of vectors that can still be kept."""
        return self._limit - self._size

    def vectors(self, key: IndexKey, ids: Sequence[str]) -> dict[str, bytes]:
        """Of the ids whose vector is kept."""
        known = self._vectors.get(key)
        return {id_: vector for id_ in ids if (vector := known.get(id_)) is not None} if known else {}

    def languages(self, ids: Sequence[str]) -> dict[str, str]:
        """Of the chunks whose language is kept."""
        known = self._languages
        return {id_: language for id_ in ids if (language := known.get(id_)) is not None}

    def keep_vectors(self, key: IndexKey, rows: Iterable[tuple[str, bytes, str]], generation: int) -> None:
        """Rows of chunk id, stored vector and document id."""
        with self._guard:
            if generation != self.generation:
                return
            if self._size >= self._limit:
                self._vectors, self._size = {}, 0
            known = self._vectors.setdefault(key, {})
            for id_, vector, document_id in rows:
                if id_ not in known:
                    known[id_] = vector
                    self._size += len(vector)
                    self._chunks.setdefault(document_id, []).append(id_)

    def keep_languages(self, rows: Iterable[tuple[str, str, str]], generation: int) -> None:
        """Rows of chunk id, language and document id."""
        with self._guard:
            if generation != self.generation:
                return
            for id_, language, document_id in rows:
                if id_ not in self._languages:
                    self._languages[id_] = language
                    self._chunks.setdefault(document_id, []).append(id_)

    def forget(self, document_ids: Iterable[str]) -> None:
        """After a document was replaced or deleted, and that was committed."""
        with self._guard:
            self.generation += 1
            for document_id in document_ids:
                for id_ in self._chunks.pop(document_id, ()):
                    self._languages.pop(id_, None)
                    for known in self._vectors.values():
                        self._size -= len(known.pop(id_, b""))

    def clear(self) -> None:
        with self._guard:
            self.generation += 1
            self._vectors, self._languages, self._chunks, self._size = {}, {}, {}, 0
