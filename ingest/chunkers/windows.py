"""Small to match, large to read: which neighbours are read in a chunk's place when it is found.

The retrieval step that reads them is rag/retrieval/widen.py. Functions over a stream of chunks; at most one window is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from rag.documents import AnyChunk, Chunk

Belongs = Callable[[list[Chunk], Chunk], bool]
"""Whether a chunk stands in one window with those before it, of which there is at least one."""


def shared(chunks: Iterable[AnyChunk], belongs: Belongs) -> Iterator[AnyChunk]:
    """Every text or table with the window of its group, unless it is alone there; pictures pass, inside a window or between
    two."""
    waiting: list[AnyChunk] = []
    members: list[Chunk] = []

    def release() -> Iterator[AnyChunk]:
        for chunk in waiting:
            if isinstance(chunk, Chunk) and len(members) > 1:
                yield replace(chunk, window=(members[0].ordinal, members[-1].ordinal))
            else:
                yield chunk

    for chunk in chunks:
        if isinstance(chunk, Chunk):
            if members and not belongs(members, chunk):
                yield from release()
                waiting, members = [], []
            members.append(chunk)
        waiting.append(chunk)
    yield from release()


def sliding(chunks: Iterable[AnyChunk], reach: int) -> Iterator[AnyChunk]:
    """Every text with up to `reach` texts of its section on either side; tables and pictures end a window."""
    run: list[Chunk] = []
    """Texts of one section: up to `reach` that went out, then those that wait."""
    gone = 0

    def release(keep: int) -> Iterator[AnyChunk]:
        nonlocal gone
        while gone < len(run) - keep:
            first, last = max(0, gone - reach), min(len(run) - 1, gone + reach)
            yield replace(run[gone], window=(run[first].ordinal, run[last].ordinal)) if first < last else run[gone]
            gone += 1
        drop = max(0, gone - reach)
        del run[:drop]
        gone -= drop

    for chunk in chunks:
        if run and not (isinstance(chunk, Chunk) and chunk.kind == "text" and chunk.headings == run[-1].headings):
            yield from release(0)
            run, gone = [], 0
        if isinstance(chunk, Chunk) and chunk.kind == "text":
            run.append(chunk)
            yield from release(reach)
        else:
            yield chunk
    yield from release(0)
