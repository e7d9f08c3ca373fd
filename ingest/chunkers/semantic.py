"""Semantic chunking: a chunk ends where neighbouring sentences are about different things.

Between two sentences the cosine distance of what stands before and after is measured, two sentences on either side, as
TextTiling does with words (Hearst, 1997); distances above a percentile of their stretch are breakpoints (Kamradt, 2023). The
sentences are embedded once for this, alone: groups of three, as others embed them, cost three times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from ingest.chunkers.grouped import GroupedRun, Room
from ingest.chunkers.run import check_sizes
from ingest.chunkers.units import Count, Unit, tokens_of
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document
from rag.protocols import Vectors

Encode = Callable[[Sequence[str]], Vectors]
"""Texts → unit vectors `[len(texts), dimension]`."""
SIDE = 2
"""Sentences on either side of a gap whose mean vectors are compared."""


class SemanticChunker:
    """Chunks of at most `max_tokens`, context included, cut at breakpoints of meaning and nowhere else while they fit.

    `percentile` of the distances of a stretch, a few hundred sentences, lie below a breakpoint. `encoder` names what made
    the vectors: another one cuts elsewhere.
    """

    def __init__(
        self,
        *,
        count_tokens: Count,
        encode: Encode,
        encoder: str,
        max_tokens: int = 300,
        percentile: float = 80.0,
    ) -> None:
        check_sizes(max_tokens)
        if not 0 < percentile < 100:
            raise ValueError(f"a percentile is between 0 and 100, not {percentile}")
        self._count, self._encode, self._encoder = count_tokens, encode, encoder
        self._max, self._percentile = max_tokens, percentile

    @property
    def version(self) -> str:
        return f"semantic-1:{self._max}:{self._percentile:g}:{self._encoder}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        run = GroupedRun(
            document, self._count, self._max, self._group, grain="sentences", before=before, tiny=self._max // 8
        )
        return run.chunks(pages)

    def _group(self, units: Sequence[Unit], room: Room) -> list[list[Unit]]:
        sentences = _with_headings(units)
        if len(sentences) < 2:
            return sentences
        gaps = distances(self._encode([" ".join(unit.text for unit in sentence) for sentence in sentences]))
        threshold = float(np.percentile(gaps, self._percentile))
        groups: list[list[Unit]] = []
        start = 0
        for place, gap in enumerate([*gaps, np.inf], start=1):
            if gap > threshold:
                groups.extend(_fitting(sentences[start:place], gaps[start : place - 1], room, self._max // 4))
                start = place
        return _without_tiny(groups, room, self._max // 8)


def distances(vectors: Vectors) -> Vectors:
    """Cosine distance `[n - 1]` across each gap between `n` sentences, of the means of up to SIDE on either side."""
    found = np.empty(len(vectors) - 1, np.float32)
    for gap in range(1, len(vectors)):
        before = vectors[max(0, gap - SIDE) : gap].mean(axis=0)
        after = vectors[gap : gap + SIDE].mean(axis=0)
        found[gap - 1] = 1.0 - before @ after / max(1e-9, float(np.linalg.norm(before) * np.linalg.norm(after)))
    return found


def _with_headings(units: Sequence[Unit]) -> list[list[Unit]]:
    """Sentences, each with the headings that stand directly above it."""
    sentences: list[list[Unit]] = [[]]
    for unit in units:
        if sentences[-1] and not sentences[-1][-1].heading:
            sentences.append([])
        sentences[-1].append(unit)
    return sentences


def _fitting(sentences: Sequence[list[Unit]], gaps: Vectors, room: Room, small: int) -> list[list[Unit]]:
    """A stretch between breakpoints as one chunk, or cut at its widest gaps until every part fits. Gaps that leave less than
    `small` tokens on a side are taken when there is no other."""
    units = [unit for sentence in sentences for unit in sentence]
    if len(sentences) == 1 or tokens_of(units) <= min(room(unit.path) for unit in units):
        return [units]
    before = np.cumsum([tokens_of(sentence) for sentence in sentences])
    inner = (before[:-1] >= small) & (before[-1] - before[:-1] >= small)
    at = int(np.argmax(np.where(inner, gaps, gaps - 2.0))) + 1
    left = _fitting(sentences[:at], gaps[: at - 1], room, small)
    return [*left, *_fitting(sentences[at:], gaps[at:], room, small)]


def _without_tiny(groups: list[list[Unit]], room: Room, tiny: int) -> list[list[Unit]]:
    """A group of less than `tiny` tokens joins the one before it, or the one after it, where there is room."""
    kept: list[list[Unit]] = []
    for group in groups:
        if kept and min(tokens_of(kept[-1]), tokens_of(group)) < tiny and not group[0].heading:
            joined = [*kept[-1], *group]
            if tokens_of(joined) <= min(room(unit.path) for unit in joined):
                kept[-1] = joined
                continue
        kept.append(group)
    return kept
