"""Vectors for chunks: each text and picture that has none yet is embedded once and stored by the hash of what it was made from."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rag.documents import AnyChunk, ImageChunk, ImageData
from rag.errors import CorruptFile
from rag.protocols import ImageEncoder, TextEncoder, Vectors
from rag.stores.index import VectorIndex
from rag.stores.library import SqliteLibrary
from rag.stores.rows import digest

log = logging.getLogger(__name__)

_SLICE_CHARACTERS = 12_000
"""Text given to the encoder in one call, about 3,000 tokens: a second at most on two cores, after which a cancelled run ends."""


@dataclass(frozen=True, slots=True)
class Models:
    """What embedding needs. Its spaces are registered in the library."""

    index: Callable[[], VectorIndex]
    """Asked for before the first document is published: it may still be opening while the first texts are embedded."""
    encoder: TextEncoder
    image_encoder: ImageEncoder | None = None
    lanes: int = 1
    """Calls of the encoders at the same time: more than one where they are elsewhere."""

    def flush_index(self) -> None:
        self.index().flush()

    def finish_index(self) -> None:
        """At the end of a run: what it put in is found. Asked for after each flush, few of the vectors would be neighbours of each other."""
        self.index().flush()
        self.index().reach()


class Embedder:
    """`embedded` counts the texts that had no vector."""

    def __init__(self, library: SqliteLibrary, models: Models, cancelled: Callable[[], bool]) -> None:
        self._library, self._models, self._cancelled = library, models, cancelled
        self.embedded = 0

    def store_vectors(self, chunks: Sequence[AnyChunk]) -> set[str] | None:
        """Embeds what has no vector yet, and answers its digests; None when the run was cancelled meanwhile."""
        texts: dict[str, str] = {}
        for chunk in chunks:
            parts = [entry.text for entry in chunk.entries] if isinstance(chunk, ImageChunk) else [chunk.embedded_text]
            texts.update((digest(text), text) for text in parts)
        space = self._models.encoder.space
        missing = self._library.missing_vectors(space.id, texts)
        missing.sort(key=lambda key: len(texts[key]))
        encode = self._models.encoder.encode_passages
        for part, vectors in self._encoded(lambda part: encode([texts[key] for key in part]), _slices(missing, texts)):
            self._library.store_vectors(space, part, vectors)
            self.embedded += len(part)
        if self._cancelled():
            return None
        if self._models.image_encoder is not None:
            self._embed_pictures(self._models.image_encoder, chunks)
        return set(missing)

    def _encoded(
        self, encode: Callable[[list[str]], Vectors], parts: Iterable[list[str]]
    ) -> Iterator[tuple[list[str], Vectors]]:
        """The parts with their vectors, in order, as many under way as there are lanes. Ends early when the run is cancelled."""
        if self._models.lanes == 1:
            for part in parts:
                if self._cancelled():
                    return
                yield part, encode(part)
            return
        with ThreadPoolExecutor(self._models.lanes, "tuwen-embed") as pool:
            under_way: deque[tuple[list[str], Future[Vectors]]] = deque()
            for part in parts:
                if len(under_way) == self._models.lanes:
                    done, vectors = under_way.popleft()
                    yield done, vectors.result()
                if self._cancelled():
                    return
                under_way.append((part, pool.submit(encode, part)))
            for done, vectors in under_way:
                yield done, vectors.result()

    def _embed_pictures(self, encoder: ImageEncoder, chunks: Sequence[AnyChunk]) -> None:
        pictures = {chunk.image_sha256: chunk for chunk in chunks if isinstance(chunk, ImageChunk)}
        missing = self._library.missing_vectors(encoder.space.id, pictures)
        for sha256 in missing:
            chunk = pictures[sha256]
            data = self._library.blobs.path(sha256).read_bytes()
            try:
                vector = encoder.encode_images([ImageData(data, chunk.media_type, chunk.width, chunk.height)])
            except CorruptFile as error:
                log.warning("a picture has no vector: %s", error)
                continue
            self._library.store_vectors(encoder.space, [sha256], np.asarray(vector, np.float32))


def _slices(keys: list[str], texts: dict[str, str]) -> Iterator[list[str]]:
    """The keys in order, cut so that the texts of each part are short enough together."""
    part: list[str] = []
    room = _SLICE_CHARACTERS
    for key in keys:
        # A Chinese character is about three times the tokens of a letter.
        size = len(texts[key]) * (1 if texts[key].isascii() else 2)
        if part and size > room:
            yield part
            part, room = [], _SLICE_CHARACTERS
        part.append(key)
        room -= size
    if part:
        yield part
