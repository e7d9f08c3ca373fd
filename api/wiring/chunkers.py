"""How text is cut into chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.settings import Settings
from ingest.protocols import Chunker
from rag.errors import BadSetting
from rag.protocols import Vectors


@dataclass(frozen=True, slots=True)
class TextTools:
    """What chunkers ask of the text encoder; the first call of either may open it."""

    count: Callable[[Sequence[str]], list[int]]
    encode: Callable[[Sequence[str]], Vectors]


def _headings(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.headings import HeadingChunker

    chosen = settings.ingest
    return HeadingChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        overlap_tokens=chosen.chunk_overlap,
    )


def _fixed(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.fixed import FixedChunker

    chosen = settings.ingest
    return FixedChunker(count_tokens=tools.count, max_tokens=chosen.chunk_tokens, overlap_tokens=chosen.chunk_overlap)


def _recursive(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.recursive import RecursiveChunker

    chosen = settings.ingest
    return RecursiveChunker(
        count_tokens=tools.count, max_tokens=chosen.chunk_tokens, overlap_tokens=chosen.chunk_overlap
    )


def _sentence_window(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.sentences import SentenceWindowChunker

    chosen = settings.ingest
    return SentenceWindowChunker(
        count_tokens=tools.count, max_tokens=chosen.chunk_tokens, reach=chosen.window_sentences
    )


def _semantic(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.semantic import SemanticChunker

    chosen, encoder = settings.ingest, settings.encoder
    return SemanticChunker(
        count_tokens=tools.count,
        encode=tools.encode,
        encoder=f"{encoder.kind} {encoder.model} {encoder.centre_languages}",
        max_tokens=chosen.chunk_tokens,
        percentile=chosen.semantic_percentile,
    )


def _parent_child(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.parents import ParentChildChunker

    chosen = settings.ingest
    return ParentChildChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        parent_tokens=chosen.parent_tokens,
        overlap_tokens=chosen.chunk_overlap,
    )


def _table_rows(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.parents import TableRowsChunker

    chosen = settings.ingest
    return TableRowsChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        rows=chosen.table_rows,
        parent_tokens=chosen.parent_tokens,
        overlap_tokens=chosen.chunk_overlap,
    )


def _page(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.pages import PageChunker

    return PageChunker(count_tokens=tools.count, max_tokens=settings.ingest.chunk_tokens)


def _langchain(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.splitters import SplitterChunker, langchain_recursive

    chosen = settings.ingest
    splitter, name = langchain_recursive(tools.count, chosen.chunk_tokens, chosen.chunk_overlap)
    return SplitterChunker(splitter, name=name, count_tokens=tools.count, max_tokens=chosen.chunk_tokens)


def _llama_index(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.splitters import SplitterChunker, llama_index_sentences

    chosen = settings.ingest
    splitter, name = llama_index_sentences(tools.count, chosen.chunk_tokens, chosen.chunk_overlap)
    return SplitterChunker(splitter, name=name, count_tokens=tools.count, max_tokens=chosen.chunk_tokens)


CHUNKERS: dict[str, Callable[[Settings, TextTools], Chunker]] = {
    "headings": _headings,
    "fixed": _fixed,
    "recursive": _recursive,
    "sentence-window": _sentence_window,
    "semantic": _semantic,
    "parent-child": _parent_child,
    "table-rows": _table_rows,
    "page": _page,
    "langchain": _langchain,
    "llama-index": _llama_index,
}


def chunker(settings: Settings, tools: TextTools) -> Chunker:
    """Raises BadSetting for sizes that contradict each other, ExtraMissing."""
    try:
        return CHUNKERS[settings.ingest.strategy](settings, tools)
    except ValueError as error:
        raise BadSetting(
            f"The settings of `ingest` make no chunks: {error}.",
            "Correct ingest.chunk_tokens, chunk_overlap, parent_tokens or the number that is named.",
        ) from error
