"""Parent and child: small chunks are matched, the larger passage that they are cut from is read.

A parent is not stored a second time: it is its children in order, and each of them names the first and the last
(LangChain's `ParentDocumentRetriever` keeps both).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.chunkers.headings import HARD_LEVEL, HeadingChunker
from ingest.chunkers.run import SLIDE_TYPES
from ingest.chunkers.units import Count
from ingest.chunkers.windows import shared
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Chunk, Document
from rag.tables import table_header


class ParentChildChunker:
    """Heading-aware children of at most `max_tokens`; as many of one section to a parent as stay within `parent_tokens`."""

    def __init__(
        self, *, count_tokens: Count, max_tokens: int = 100, parent_tokens: int = 400, overlap_tokens: int = 0
    ) -> None:
        _check(max_tokens, parent_tokens)
        self._children = HeadingChunker(count_tokens=count_tokens, max_tokens=max_tokens, overlap_tokens=overlap_tokens)
        self._parent = parent_tokens

    @property
    def version(self) -> str:
        return f"parent-child-1:{self._parent}:{self._children.version}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        slides = document.media_type in SLIDE_TYPES

        def belongs(members: list[Chunk], chunk: Chunk) -> bool:
            if _tokens(members) + chunk.tokens > self._parent:
                return False
            first = members[0]
            return chunk.page == first.page if slides else chunk.headings[:HARD_LEVEL] == first.headings[:HARD_LEVEL]

        return shared(self._children.chunk(document, pages, before), belongs)


class TableRowsChunker:
    """Text as the heading-aware strategy cuts it; tables in groups of at most `rows` rows under their header, each read with
    as much of its table as stays within `parent_tokens`."""

    def __init__(
        self,
        *,
        count_tokens: Count,
        max_tokens: int = 300,
        rows: int = 5,
        parent_tokens: int = 400,
        overlap_tokens: int = 0,
    ) -> None:
        _check(max_tokens, parent_tokens)
        if rows < 1:
            raise ValueError(f"a group of rows has at least one row, not {rows}")
        self._groups = HeadingChunker(
            count_tokens=count_tokens, max_tokens=max_tokens, overlap_tokens=overlap_tokens, table_rows=rows
        )
        self._parent = parent_tokens

    @property
    def version(self) -> str:
        return f"table-rows-1:{self._parent}:{self._groups.version}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        def belongs(members: list[Chunk], chunk: Chunk) -> bool:
            last = members[-1]
            header = table_header(chunk.text)
            # What stands between two tables, a picture too, makes them two.
            return (
                chunk.ordinal == last.ordinal + 1
                and header != ""
                and chunk.text.startswith(header)
                and header == table_header(last.text)
                and _tokens(members) + chunk.tokens <= self._parent
            )

        return shared(self._groups.chunk(document, pages, before), belongs)


def _tokens(members: list[Chunk]) -> int:
    return sum(member.tokens for member in members)


def _check(max_tokens: int, parent_tokens: int) -> None:
    if parent_tokens < max_tokens:
        raise ValueError(f"a parent of {parent_tokens} tokens is smaller than its children of {max_tokens}")
