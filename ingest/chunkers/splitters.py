"""Text splitters of other libraries: anything with `split_text(text) -> list[str]`, as LangChain's and LlamaIndex's have.

A splitter knows strings only. What it gives back is found again in the text that it was given, so that every piece keeps its
pages, boxes and headings; what it leaves out is put back, and what is too long is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Protocol

from ingest.chunkers.grouped import GroupedRun, Room
from ingest.chunkers.remembered import tail
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document
from rag.errors import BadSetting, ExtraMissing
from rag.words import sentence_spans


class Splitter(Protocol):
    def split_text(self, text: str, /) -> list[str]:
        """Pieces of the text in order, which may overlap and may differ from it in white space, and in nothing else."""
        ...


class SplitterChunker:
    """Chunks where a splitter cuts, over the text between two tables. `name` tells the splitter and its parameters: with it
    the version changes. Raises BadSetting while chunking for a splitter that rewrites the text."""

    def __init__(self, splitter: Splitter, *, name: str, count_tokens: Count, max_tokens: int = 300) -> None:
        check_sizes(max_tokens)
        self._splitter, self._name = splitter, name
        self._count, self._max = count_tokens, max_tokens

    @property
    def version(self) -> str:
        return f"splitter-1:{self._max}:{self._name}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(document, self._count, self._max, self._group, grain="whole", before=before, overlap=tail)
        return run.chunks(pages)

    def _group(self, units: Sequence[Unit], room: Room) -> list[list[Unit]]:  # noqa: ARG002
        text = "".join((unit.glue if place else "") + unit.text for place, unit in enumerate(units))
        spans = located(text, self._splitter.split_text(text))
        if spans is None:
            raise BadSetting(
                f"The splitter {self._name} gives back text that it was not given: its pieces have no place in the document.",
                "Choose one that only cuts, or another `ingest.strategy`.",
            )
        groups: list[list[Unit]] = []
        seen = 0
        for start, stop in spans:
            group = [*_between(units, start, min(seen, stop), repeated=True), *_between(units, max(start, seen), stop)]
            if any(not unit.repeated for unit in group):
                groups.append(group)
            seen = max(seen, stop)
        return groups


def located(text: str, pieces: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where each piece begins and ends in the text, white space aside; together they hold every letter of it, so that one
    reaches as far as the next begins. None when a piece is not there."""
    solid = [place for place, character in enumerate(text) if not character.isspace()]
    letters = "".join(text[place] for place in solid)
    starts: list[tuple[int, int]] = []
    for piece in pieces:
        wanted = "".join(piece.split())
        if not wanted:
            continue
        start, stop = starts[-1] if starts else (0, 0)
        # Where the last one ended, or before that with an overlap, or behind what was left out.
        at = stop if letters.startswith(wanted, stop) else letters.find(wanted, start)
        if at < 0:
            return None
        starts.append((at, at + len(wanted)))
    if not starts:
        return [(0, len(text))] if solid else []
    starts[0] = (0, starts[0][1])
    ends = [max(stop, following) for (_, stop), (following, _) in pairwise(starts)] + [len(letters)]
    return [(solid[start], solid[stop - 1] + 1) for (start, _), stop in zip(starts, ends, strict=True)]


def _between(units: Sequence[Unit], start: int, stop: int, *, repeated: bool = False) -> list[Unit]:
    """The parts of the units that stand between two places of their common text."""
    ends = list(accumulate(len(unit.text) + (len(unit.glue) if place else 0) for place, unit in enumerate(units)))
    parts: list[Unit] = []
    for unit, end in zip(units, ends, strict=True):
        begin = end - len(unit.text)
        low, high = max(start, begin), min(stop, end)
        text = unit.text[low - begin : high - begin].strip() if low < high else ""
        if not text:
            continue
        whole = text == unit.text
        parts.append(
            replace(
                unit,
                text=text,
                tokens=unit.tokens if whole else max(1, round(unit.tokens * len(text) / len(unit.text))),
                glue=unit.glue if low == begin else _space_before(unit.text, low - begin),
                heading=unit.heading and whole,
                repeated=repeated or unit.repeated,
            )
        )
    return parts


def _space_before(text: str, place: int) -> str:
    """The white space that stands around a place in a text."""
    low = len(text[:place].rstrip())
    high = len(text) - len(text[place:].lstrip())
    return text[low:high]


# --- the splitters that a setting names ------------------------------------------------------------------------------------


def langchain_recursive(count: Count, max_tokens: int, overlap: int) -> tuple[Splitter, str]:
    """LangChain's recursive splitter with English and Chinese separators, and its name. Raises ExtraMissing."""
    try:
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError as error:
        raise ExtraMissing(
            "The package langchain-text-splitters is not installed.",
            "Install it: pip install 'tuwen[langchain]', or choose another `ingest.strategy`.",
        ) from error
    splitter = RecursiveCharacterTextSplitter(
        separators=["\n\n", "\n", "。", "！", "？", ". ", "；", "，", " ", ""],
        keep_separator="end",
        chunk_size=_text_room(max_tokens),
        chunk_overlap=overlap,
        length_function=lambda text: count([text])[0],
    )
    return splitter, f"langchain recursive {overlap}"


def llama_index_sentences(count: Count, max_tokens: int, overlap: int) -> tuple[Splitter, str]:
    """LlamaIndex's sentence splitter, and its name. Raises ExtraMissing."""
    try:
        from llama_index.core.node_parser import SentenceSplitter
    except ImportError as error:
        raise ExtraMissing(
            "The package llama-index-core is not installed.",
            "Install it: pip install 'tuwen[llama-index]', or choose another `ingest.strategy`.",
        ) from error
    splitter = SentenceSplitter(
        chunk_size=_text_room(max_tokens),
        chunk_overlap=overlap,
        # It takes the length of what a tokenizer gives, nothing else of it.
        tokenizer=lambda text: range(count([text])[0]),
        # Its own is for English, and looks for its data on the network.
        chunking_tokenizer_fn=_sentences_with_space,
    )
    return splitter, f"llama-index sentences {overlap}"


def _sentences_with_space(text: str) -> list[str]:
    """Sentences that make the text when they are put together."""
    ends = [start for start, _ in sentence_spans(text)[1:]]
    return [text[start:stop] for start, stop in zip([0, *ends], [*ends, len(text)], strict=True)]


def _text_room(max_tokens: int) -> int:
    """What a splitter may fill: a fifth of a chunk is left to the title and the headings."""
    return max_tokens * 4 // 5
