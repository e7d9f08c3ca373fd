"""Pages: no chunk holds text of two, and whatever is found, its page is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.chunkers.grouped import GroupedRun, Room, filled
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit
from ingest.chunkers.windows import shared
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Chunk, Document


class PageChunker:
    """A page to a chunk where it fits into `max_tokens`, otherwise several about equal ones with the page as their window.

    Documents without pages are filled up in order, without windows.
    """

    def __init__(self, *, count_tokens: Count, max_tokens: int = 300) -> None:
        check_sizes(max_tokens)
        self._count, self._max = count_tokens, max_tokens

    @property
    def version(self) -> str:
        return f"page-1:{self._max}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(document, self._count, self._max, _group, pages_apart=True, before=before)
        return shared(run.chunks(pages), _on_one_page)


def _on_one_page(members: Sequence[Chunk], chunk: Chunk) -> bool:
    return chunk.page is not None and chunk.page == members[-1].page


def _group(units: Sequence[Unit], room: Room) -> list[list[Unit]]:
    return filled(units, room, lambda _: [])
