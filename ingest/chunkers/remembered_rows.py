"""The groups of rows of a document's last version, found again in its tables: a row more or less moves no group behind it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ingest.chunkers.remembered import REACH
from ingest.chunkers.units import Unit
from rag.documents import AnyChunk


class RememberedRows:
    """Of one document; asked for each of its tables, in order."""

    def __init__(self, before: Sequence[AnyChunk] = ()) -> None:
        self._tables = [chunk.text for chunk in before if chunk.kind == "table"]
        self._next = 0

    def breaks(self, header: str, rows: Sequence[Unit]) -> set[int]:
        """The rows before which a group ends: where one of the last version, under this header, begins or ended."""
        if not self._tables:
            return set()
        starts = {place: index for index, place in enumerate(accumulate((len(r.text) + 1 for r in rows), initial=0))}
        text = "\n" + "".join(f"{row.text}\n" for row in rows)
        found: set[int] = set()
        at = 0
        while True:
            nearest: tuple[int, int, int] | None = None
            for index in range(self._next, min(self._next + REACH, len(self._tables))):
                if not self._tables[index].startswith(f"{header}\n"):
                    continue
                body = self._tables[index][len(header) :] + "\n"
                place = text.find(body, at, nearest[0] + len(body) if nearest else len(text))
                if place >= 0:
                    nearest = place, index, place + len(body) - 1
                    if place == at:
                        break
            if nearest is None:
                return found
            start, index, at = nearest
            self._next = index + 1
            found |= {starts[start], starts[at]}
