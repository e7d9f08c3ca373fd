"""Neighbouring hits of one section become one passage: read in one go, under one number, their shared text once.

The merged hit stands where its best part stood, and has the window of all of them, so that a citation is brought back to the part its
quote stands in (rag/retrieval/widen.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.answers import Hit
from rag.documents import Chunk
from rag.retrieval.widen import joined


@dataclass(slots=True)
class _Run:
    """Hits that follow each other in a document, in its order; `best` is the first that was found of them."""

    best: Hit
    chunks: list[Chunk]

    def takes(self, chunk: Chunk, most: int) -> bool:
        first, last = self.chunks[0], self.chunks[-1]
        return (
            (chunk.document_id, chunk.headings) == (first.document_id, first.headings)
            and (chunk.ordinal == first.ordinal - 1 or chunk.ordinal == last.ordinal + 1)
            and sum(one.tokens for one in self.chunks) + chunk.tokens <= most
        )


def merge(hits: Sequence[Hit], most: int) -> list[Hit]:
    """The hits in order, neighbouring texts of a section merged up to `most` tokens (the encoder's). Tables, pictures and hits that have
    a window already stay as they are."""
    runs: list[_Run | Hit] = []
    for hit in hits:
        chunk = hit.chunk
        if not isinstance(chunk, Chunk) or chunk.kind != "text" or chunk.window is not None:
            runs.append(hit)
            continue
        run = next((run for run in runs if isinstance(run, _Run) and run.takes(chunk, most)), None)
        if run is None:
            runs.append(_Run(hit, [chunk]))
        else:
            run.chunks = sorted([*run.chunks, chunk], key=lambda one: one.ordinal)
    return [_as_hit(run) if isinstance(run, _Run) else run for run in runs]


def _as_hit(run: _Run) -> Hit:
    members = run.chunks
    if len(members) == 1:
        return run.best
    text = members[0].text.strip()
    for before, after in pairwise(members):
        text = joined(text, before, after)
    pages = [one.page for one in members if one.page is not None]
    own = run.best.chunk
    assert isinstance(own, Chunk)
    whole = replace(
        own,
        text=text,
        page=min(pages) if pages else None,
        boxes=tuple(dict.fromkeys(box for one in members for box in one.boxes)),
        tokens=sum(one.tokens for one in members),
        window=(members[0].ordinal, members[-1].ordinal),
    )
    return replace(run.best, chunk=whole)
