"""Where the chunks of a document began when it was last published, so that a change moves no boundary far behind it.

Packing moves each boundary behind a change until two happen to fall together. A chunk that ends where one began before brings them
together at the next one; a document that is new is packed as if nothing were known.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.chunkers.units import Unit

REACH = 60
"""Chunks ahead in which the place is looked for: more than a change replaces, less than the distance at which texts repeat."""


class Boundaries:
    """`before` are the texts of the chunks in their order; asked once for each unit, in order."""

    def __init__(self, before: Sequence[str]) -> None:
        self._before = before
        self._next = 0

    def begins(self, unit: Unit) -> bool:
        """Whether a chunk began with this unit."""
        for index in range(self._next, min(self._next + REACH, len(self._before))):
            if unit.text and self._before[index].startswith(unit.text):
                self._next = index + 1
                return True
        return False

    def is_unchanged(self, text: str) -> bool:
        """Whether the chunk that ends here is the one that ended here before."""
        return self._next >= 2 and self._before[self._next - 2] == text
