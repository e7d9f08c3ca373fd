"""Where the chunks of a document's last version begin and end in its new text, for a strategy that takes one unit after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ingest.chunkers.remembered import Matches
from ingest.chunkers.units import Unit

_TAIL = 20_000
"""Letters that a chunk may have."""


class Boundaries:
    """Told of the units of text that come, some hundreds at a time, then asked of each of them in order."""

    def __init__(self, matches: Matches) -> None:
        self._matches = matches
        self._coming: list[tuple[bool, bool]] = []
        self._tail = ""
        """Letters behind the last chunk that was found: a chunk may go on with what comes."""

    def announce(self, units: Sequence[Unit]) -> None:
        """What is asked of next."""
        solid = ["".join(unit.text.split()) for unit in units]
        known = len(self._tail)
        letters = self._tail + "".join(solid)
        *places, end = accumulate(map(len, solid), initial=known)
        between = {*places, end}
        found = self._matches.find(letters, lambda place: place in between or place < known)
        starts, stops = {start for start, _, _ in found}, {stop for _, stop, _ in found}
        if self._matches.at_end and not known:
            stops = stops | {0}
        self._coming = [(place in starts or place in stops, place in stops) for place in reversed(places)]
        self._tail = (letters[found[-1][1] :] if found else letters)[-_TAIL:]
        self._matches.at_end = not self._tail

    def next(self) -> tuple[bool, bool]:
        """Whether a chunk begins with the next unit, and whether one ends before it that has not changed."""
        return self._coming.pop() if self._coming else (False, False)
