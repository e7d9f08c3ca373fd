"""The very picture that was asked with comes first: labels and text cannot tell two pictures of the same things apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answers import Hit
from rag.documents import ImageChunk, ImageData


def same_first(hits: Sequence[Hit], asked: ImageData) -> list[Hit]:
    """Hits with the same bytes before the others, with the best score of all; the rest in their order."""
    same = [hit for hit in hits if isinstance(hit.chunk, ImageChunk) and hit.chunk.image_sha256 == asked.sha256]
    if not same:
        return list(hits)
    best = max(hit.score for hit in hits)
    chosen = {hit.chunk.id for hit in same}
    return [*(replace(hit, score=best) for hit in same), *(hit for hit in hits if hit.chunk.id not in chosen)]
