"""Recursive splitting: paragraphs while they fit, then lines, sentences, clauses and words; chunks filled up in order.

The separators of LangChain's `RecursiveCharacterTextSplitter`, for English and Chinese, over elements instead of blank lines.
Headings neither end a chunk nor stand at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from ingest.chunkers.grouped import GroupedRun, Room, filled
from ingest.chunkers.overlap import last_sentences
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document


class RecursiveChunker:
    """Chunks of at most `max_tokens`, context included, each cut at the coarsest separator that fits."""

    def __init__(self, *, count_tokens: Count, max_tokens: int = 300, overlap_tokens: int = 0) -> None:
        check_sizes(max_tokens, overlap_tokens)
        self._count, self._max, self._overlap = count_tokens, max_tokens, overlap_tokens

    @property
    def version(self) -> str:
        return f"recursive-1:{self._max}:{self._overlap}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(
            document,
            self._count,
            self._max,
            self._group,
            before=before,
            overlap=(lambda units, _: last_sentences(units, self._overlap)) if self._overlap else None,
        )
        return run.chunks(pages)

    def _group(self, units: Sequence[Unit], room: Room) -> list[list[Unit]]:
        return filled(units, room, partial(last_sentences, overlap=self._overlap))
