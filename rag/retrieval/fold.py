"""Folds repeated passages: a document that says the same thing four times takes one place among the hits, not four."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rag.answers import Hit
from rag.documents import ImageChunk


def fold_repeats(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits in order without those whose text, or picture, an earlier hit of the same document has already shown."""
    seen: set[tuple[str, str]] = set()
    for hit in hits:
        chunk = hit.chunk
        shown = chunk.image_sha256 if isinstance(chunk, ImageChunk) else " ".join(chunk.text.split())
        if (hit.document.id, shown) not in seen:
            seen.add((hit.document.id, shown))
            yield hit
