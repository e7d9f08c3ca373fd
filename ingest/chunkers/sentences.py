"""Sentence windows: a sentence is matched, the sentences around it are read (LlamaIndex's `SentenceWindowNodeParser`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.chunkers.grouped import GroupedRun, Room
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit, tokens_of
from ingest.chunkers.windows import sliding
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document

SHORTEST = 12
"""Tokens below which a sentence ("Yes.", "See below:") goes with the one after it: alone it says nothing to match."""


class SentenceWindowChunker:
    """One sentence, or line of a list or code, to a chunk, under its headings; read with `reach` chunks on either side, in
    the same section. A sentence longer than `max_tokens` is cut. Tables are cut between rows as everywhere."""

    def __init__(self, *, count_tokens: Count, max_tokens: int = 300, reach: int = 3) -> None:
        check_sizes(max_tokens)
        if reach < 1:
            raise ValueError(f"a window reaches at least one sentence to either side, not {reach}")
        self._count, self._max, self._reach = count_tokens, max_tokens, reach

    @property
    def version(self) -> str:
        return f"sentence-window-1:{self._max}:{self._reach}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(document, self._count, self._max, _group, grain="sentences", before=before, tiny=0)
        return sliding(run.chunks(pages), self._reach)


def _group(units: Sequence[Unit], room: Room) -> list[list[Unit]]:
    groups: list[list[Unit]] = []
    current: list[Unit] = []
    for unit in units:
        full = any(not one.heading for one in current) and (unit.heading or tokens_of(current) >= SHORTEST)
        if current and (full or tokens_of(current) + unit.tokens > room(unit.path)):
            groups.append(current)
            current = []
        current.append(unit)
    if current:
        groups.append(current)
    return groups
