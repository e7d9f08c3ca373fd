"""Fine-grained alignment as a step: of every candidate (scheme `aligned`), or of the pictures among the first hits (`hybrid`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rag.answers import Hit
from rag.documents import Chunk, ImageChunk, ImageData
from rag.protocols import Aligner

Picture = Callable[[ImageChunk], ImageData | None]
"""The picture of a chunk; None where it is not there."""


def no_picture(_: ImageChunk) -> ImageData | None:
    return None


def align_all(
    question: str,
    hits: Sequence[Hit],
    words: Aligner[str],
    pixels: Aligner[ImageData] | None = None,
    picture: Picture | None = None,
) -> list[Hit]:
    """All hits by alignment, best first; equal scores in their old order.

    Passages, and pictures by their entries, are aligned by `words` and scaled to [0, 1] over the hits. With `pixels`, a picture's
    score is the mean of that and of its patches' alignment, scaled to [0, 1] over the pictures: cosines of two spaces do not compare.
    """
    scores = _to_unit(words.align(question, [_embedded(hit) for hit in hits]))
    if pixels is not None and picture is not None:
        for place, score in _patches(question, hits, pixels, picture).items():
            scores[place] = (scores[place] + score) / 2
    ranked = sorted(zip(hits, scores, strict=True), key=lambda pair: -pair[1])
    return [replace(hit, score=score) for hit, score in ranked]


def align_pictures(
    question: str, hits: Sequence[Hit], pixels: Aligner[ImageData], picture: Picture, *, depth: int, weight: float = 0.5
) -> list[Hit]:
    """The pictures among the first `depth` hits, ordered anew within the places they have; passages keep theirs.

    By a convex combination of their alignment (`weight`) and their coarse score, both brought to [0, 1] over these pictures. Hits
    keep the scores of their places.
    """
    head = list(hits[:depth])
    fine = _patches(question, head, pixels, picture)
    places = sorted(fine)
    coarse = _to_unit([head[place].score for place in places])
    combined = {place: weight * fine[place] + (1 - weight) * old for place, old in zip(places, coarse, strict=True)}
    order = sorted(places, key=lambda place: -combined[place])
    for place, taken in zip(places, [head[place] for place in order], strict=True):
        head[place] = replace(taken, score=hits[place].score)
    return head + list(hits[depth:])


def _patches(question: str, hits: Sequence[Hit], pixels: Aligner[ImageData], picture: Picture) -> Mapping[int, float]:
    """Alignment of the hits that have a picture, by place, in [0, 1]."""
    found = {
        place: data
        for place, hit in enumerate(hits)
        if isinstance(hit.chunk, ImageChunk) and (data := picture(hit.chunk)) is not None
    }
    return dict(zip(found, _to_unit(pixels.align(question, list(found.values()))), strict=True)) if found else {}


def _embedded(hit: Hit) -> str:
    return hit.chunk.embedded_text if isinstance(hit.chunk, Chunk) else hit.chunk.text


def _to_unit(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]
