"""Folds repeated passages: what says the same takes one place among the hits, and tells where else it stands.

`same` folds equal texts of one document (the disclaimer on every sheet), `near` also near-duplicates (rag/near_duplicates.py), in other
documents too (copies, versions of a page).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from rag.answers import Hit, Place
from rag.documents import ImageChunk
from rag.near_duplicates import signature

Fold = Literal["off", "same", "near"]

TELLING = 20
"""Words from which a text means the same in another document: "Weight: 5 kg" is another fact under another heading."""
ALIKE = 0.7
"""Share of the shorter text's sketch from which two texts are compared in full. A full comparison takes a signature of 0.26 ms for either;
a sketch takes 0.02 ms, and near-duplicates share nearly all of it."""
_BITS = 2048
_OTHER_DIGITS = re.compile(
    "[\u00b2-\u00be\u2070-\u24ff\u3220-\u33ff\uff10-\uff19\U0001d7ce-\U0001d7ff\U0001f100-\U0001fbf9]"
)
"""Where the characters are that NFKC makes into digits."""
_NO_DIGITS = bytes(code for code in range(256) if not chr(code).isdecimal())


def fold(hits: Iterable[Hit], how: Fold = "near") -> list[Hit]:
    """The hits in order without those that repeat an earlier one, which has them among its `places`."""
    if how == "off":
        return list(hits)
    kept: dict[tuple[str, object], Hit] = {}
    places: dict[tuple[str, object], list[Place]] = {}
    texts = _Texts()
    for hit in hits:
        chunk = hit.chunk
        if isinstance(chunk, ImageChunk):
            key: tuple[str, object] = ("" if how == "near" else hit.document.id, chunk.image_sha256)
        else:
            own = " ".join(chunk.text.split())
            key = (hit.document.id, own)
            if how == "near" and key not in kept and (same := texts.first_like(own, key)) is not None:
                key = same
        if key in kept:
            places[key].append(Place(chunk.id, hit.document, chunk.page))
        else:
            kept[key], places[key] = hit, []
    return [replace(hit, places=tuple(places[key])) if places[key] else hit for key, hit in kept.items()]


class _Texts:
    """Texts met so far, by their digits: near-duplicates agree in every number, so that of 7,000 pairs among 120 passages 230 are left
    to be compared on SciFact, 2,300 on Cranfield, which has few numbers. Those are by a sketch: the set of a text's words (of its pairs
    of characters, where words are not spaced), hashed to bits."""

    def __init__(self) -> None:
        self._met: dict[bytes, list[tuple[str, tuple[str, object]]]] = {}

    def first_like(self, text: str, key: tuple[str, object]) -> tuple[str, object] | None:
        """The key of the first text that this one is a near-duplicate of; None, and it is remembered, when there is none."""
        met = self._met.setdefault(_digits(text), [])
        for earlier, found in met:
            if _alike(text, earlier) and signature(text).same(signature(earlier)):
                return found
        met.append((text, key))
        return None


def _digits(text: str) -> bytes:
    """The digits in their order, as they are after NFKC, which is how numbers are compared."""
    # Nearly every Chinese text has a comma that NFKC changes, and next to none a digit: 0.3 ms of a search.
    if not text.isascii() and _OTHER_DIGITS.search(text):
        text = unicodedata.normalize("NFKC", text)
    return text.encode(errors="replace").translate(None, _NO_DIGITS)


def _alike(text: str, other: str) -> bool:
    """Whether both tell enough to be the same in another place, and their sketches share enough for a full comparison."""
    (sketch, words), (others, other_words) = _sketch(text), _sketch(other)
    if words < TELLING or other_words < TELLING:
        return False
    least = ALIKE * min(sketch.bit_count(), others.bit_count())
    return (sketch & others).bit_count() >= least


@lru_cache(maxsize=4096)
def _sketch(text: str) -> tuple[int, int]:
    plain = text.casefold()
    words = plain.split()
    # Spaced words have some seven characters with their space; a text of few spaces is Chinese or Japanese.
    parts = set(words) if len(plain) < 12 * len(words) else {plain[at : at + 2] for at in range(len(plain) - 1)}
    sketch = 0
    for part in parts:
        sketch |= 1 << (hash(part) % _BITS)
    return sketch, len(parts)
