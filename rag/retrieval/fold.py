"""Folds repeated passages: what says the same takes one place among the hits, and tells where else it stands.

`same` folds equal texts of one document (the disclaimer on every sheet), `near` also near-duplicates (rag/near_duplicates.py), in other
documents too (copies, versions of a page).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from rag.answers import Hit, Place
from rag.documents import ImageChunk
from rag.near_duplicates import Seen, signature

Fold = Literal["off", "same", "near"]

TELLING = 20
"""Words from which a text means the same in another document: "Weight: 5 kg" is another fact under another heading."""


def fold(hits: Iterable[Hit], how: Fold = "near") -> list[Hit]:
    """The hits in order without those that repeat an earlier one, which has them among its `places`."""
    if how == "off":
        return list(hits)
    kept: dict[tuple[str, object], Hit] = {}
    places: dict[tuple[str, object], list[Place]] = {}
    seen = Seen()
    for hit in hits:
        chunk = hit.chunk
        if isinstance(chunk, ImageChunk):
            key: tuple[str, object] = ("" if how == "near" else hit.document.id, chunk.image_sha256)
        elif how == "near" and signature(chunk.text).words >= TELLING:
            key = ("", seen.place_of(chunk.text))
        else:
            key = (hit.document.id, " ".join(chunk.text.split()))
        if key in kept:
            places[key].append(Place(chunk.id, hit.document, chunk.page))
        else:
            kept[key], places[key] = hit, []
    return [replace(hit, places=tuple(places[key])) if places[key] else hit for key, hit in kept.items()]
