"""Fixed windows of tokens: every chunk as full as it gets, cut between words wherever that falls.

The plainest baseline there is; of the document's structure it keeps tables whole rows and pictures apart, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ingest.chunkers.grouped import GroupedRun, Room
from ingest.chunkers.overlap import last_tokens
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit, tokens_of
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document


class FixedChunker:
    """Chunks of `max_tokens`, context included, of which the last may be shorter; each repeats `overlap_tokens`."""

    def __init__(self, *, count_tokens: Count, max_tokens: int = 300, overlap_tokens: int = 0) -> None:
        check_sizes(max_tokens, overlap_tokens)
        self._count, self._max, self._overlap = count_tokens, max_tokens, overlap_tokens

    @property
    def version(self) -> str:
        return f"fixed-1:{self._max}:{self._overlap}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(
            document,
            self._count,
            self._max,
            self._group,
            grain="sentences",
            before=before,
            overlap=(lambda units, _: last_tokens(units, self._overlap)) if self._overlap else None,
        )
        return run.chunks(pages)

    def _group(self, units: Sequence[Unit], room: Room) -> list[list[Unit]]:
        groups: list[list[Unit]] = []
        current: list[Unit] = []
        for unit in units:
            rest: Unit | None = unit
            while rest is not None and current:
                left = room(unit.path) - tokens_of(current)
                if rest.tokens <= left:
                    break
                head, rest = _cut(rest, left)
                if head is not None:
                    current.append(head)
                if any(not one.repeated for one in current):
                    groups.append(current)
                    current = last_tokens(current, self._overlap)
                else:
                    current = []
            if rest is not None:
                current.append(rest)
        if any(not one.repeated for one in current):
            groups.append(current)
        return groups


def _cut(unit: Unit, tokens: int) -> tuple[Unit | None, Unit | None]:
    """The first `tokens` of a unit to a whole word, and the rest, by their share of the characters."""
    size = int(len(unit.text) * tokens / max(1, unit.tokens))
    if size <= 0:
        return None, unit
    place = size
    if unit.text[place] < "\u2e80":
        # A word that began before the cut stays whole, with the next chunk.
        spaces = [i for i in range(place, 0, -1) if unit.text[i].isspace() or unit.text[i - 1] >= "\u2e80"]
        place = next(iter(spaces), 0)
    head, tail = unit.text[:place].rstrip(), unit.text[place:].lstrip()
    if not head or not tail:
        return None, unit
    share = max(1, round(unit.tokens * len(head) / len(unit.text)))
    between = unit.text[len(head) : len(unit.text) - len(tail)]
    return (
        replace(unit, text=head, tokens=share),
        replace(unit, text=tail, tokens=max(1, unit.tokens - share), glue=between),
    )
