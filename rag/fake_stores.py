"""A library and a lexical index in memory, for tests and dry runs: the same contracts as the real ones, nothing on disk.

The vector index's counterpart is `rag.stores.exact.ExactVectorStore`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from rag.answers import Filter
from rag.documents import SEEN, AnyChunk, Chunk, Document, DocumentRef, Element, ImageChunk
from rag.filters.match import Record, matches
from rag.protocols import IndexKey, TextEncoder, Vectors
from rag.words import content_words, words


class MemoryLibrary:
    """Satisfies Library, LexicalIndex and Vocabulary."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._chunks: dict[str, tuple[AnyChunk, DocumentRef]] = {}
        self._documents: dict[str, Document] = {}
        self._added: dict[str, str] = {}
        self._elements: dict[str, tuple[Element, ...]] = {}

    def add(self, document: Document, chunks: Sequence[AnyChunk], elements: Sequence[Element] = ()) -> None:
        self._elements[document.id] = tuple(elements)
        self._documents[document.id] = document
        self._added[document.id] = datetime.now(UTC).date().isoformat()
        self._chunks.update({chunk.id: (chunk, document.ref) for chunk in chunks})

    def hydrate(self, chunk_ids: Sequence[str]) -> dict[str, tuple[AnyChunk, DocumentRef]]:
        return {id_: self._chunks[id_] for id_ in chunk_ids if id_ in self._chunks}

    def languages(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        return {id_: chunk.language for id_, (chunk, _) in self.hydrate(chunk_ids).items()}

    def seen_entries(self, chunk_ids: Sequence[str]) -> set[str]:
        pictures = [chunk for chunk, _ in self.hydrate(chunk_ids).values() if isinstance(chunk, ImageChunk)]
        return {f"{chunk.id}#{n}" for chunk in pictures for n, entry in enumerate(chunk.entries) if entry.kind in SEEN}

    def neighbours(self, chunk_id: str, before: int, after: int) -> list[AnyChunk]:
        if chunk_id not in self._chunks:
            return []
        centre = self._chunks[chunk_id][0]
        wanted = range(centre.ordinal - before, centre.ordinal + after + 1)
        near = [c for c, _ in self._chunks.values() if c.document_id == centre.document_id and c.ordinal in wanted]
        return sorted(near, key=lambda chunk: chunk.ordinal)

    def elements(self, document_id: str, pages: Collection[int]) -> list[Element]:
        return [element for element in self._elements.get(document_id, ()) if element.page in pages]

    def allowed_vectors(self, key: IndexKey, allowed: Filter, limit: int) -> tuple[list[str], Vectors] | None:
        found = [
            chunk
            for chunk, ref in self._chunks.values()
            if isinstance(chunk, Chunk) and ref.collection == key.collection and self._allowed(chunk, ref, allowed)
        ]
        if key.content != "text" or not found:
            return [], np.empty((0, 0), np.float32)
        if len(found) > limit:
            return None
        return [chunk.id for chunk in found], self._encoder.encode_passages([chunk.embedded_text for chunk in found])

    def vectors_by_id(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        found = [
            chunk
            for chunk, ref in self.hydrate(ids).values()
            if isinstance(chunk, Chunk) and ref.collection == key.collection and key.content == "text"
        ]
        if not found:
            return [], np.empty((0, self._encoder.space.dimension), np.float32)
        return [chunk.id for chunk in found], self._encoder.encode_passages([chunk.embedded_text for chunk in found])

    def allows(self, chunk_ids: Sequence[str], allowed: Filter) -> set[str]:
        return {id_ for id_, (chunk, ref) in self.hydrate(chunk_ids).items() if self._allowed(chunk, ref, allowed)}

    def search(self, collection: str, text: str, k: int, allowed: Filter | None = None) -> list[tuple[str, float]]:
        """Shared words, counted: the order of BM25 for texts of equal length and words of equal rarity."""
        asked = set(content_words(text))
        scored = []
        for id_, (chunk, ref) in self._chunks.items():
            if ref.collection == collection and self._allowed(chunk, ref, allowed or Filter()):
                counted = Counter(words(chunk.embedded_text if isinstance(chunk, Chunk) else chunk.text))
                scored.append((id_, float(sum(counted[word] for word in asked))))
        return sorted((pair for pair in scored if pair[1]), key=lambda pair: (-pair[1], pair[0]))[:k]

    def has(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        return bool(self.search(collection, word, 1, allowed))

    def written(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        return any(
            ref.collection == collection
            and self._allowed(chunk, ref, allowed or Filter())
            and word in words(chunk.text)
            for chunk, ref in self._chunks.values()
        )

    def beginning(self, letter: str) -> Mapping[str, int]:
        seen = Counter(word for chunk, _ in self._chunks.values() for word in set(words(chunk.text)))
        return {word: count for word, count in seen.items() if word.startswith(letter)}

    def _allowed(self, chunk: AnyChunk, ref: DocumentRef, allowed: Filter) -> bool:
        expression = allowed.expression
        return expression is None or matches(expression, Record.of(chunk, self._documents[ref.id], self._added[ref.id]))
