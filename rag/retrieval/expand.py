"""A passage is widened by its neighbours while the token budget allows it: an answer often goes on in the next chunk.

Only by chunks of the same section, never by one that another passage holds, and never across a table or a picture. What has a
window of its own is read by that instead (rag/retrieval/widen.py).
Best passages first; the following chunk before the preceding one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answers import Passage
from rag.documents import AnyChunk, Chunk
from rag.protocols import Library
from rag.retrieval.overlap import MIN_OVERLAP, overlap


def expand(
    passages: Sequence[Passage],
    library: Library,
    *,
    budget: int,
    count_tokens: Callable[[str], int],
    render: Callable[[Passage], str],
    before: int = 1,
    after: int = 1,
) -> tuple[Passage, ...]:
    """The passages, some with a longer `text`. Rendered as the prompt shows them, they stay within `budget` tokens,
    separators included. `before` and `after` bound how many neighbours are added on each side."""

    def count(passage: Passage) -> int:
        return count_tokens(render(passage) + "\n\n")

    widened = list(passages)
    used = sum(count(passage) for passage in widened)
    taken = {passage.hit.chunk.id for passage in widened}
    for place, passage in enumerate(widened):
        own = passage.hit.chunk
        if not isinstance(own, Chunk) or own.kind != "text" or own.window is not None:
            continue
        text = own.text.strip()
        # A passage that was cut to fit cannot go on where it was cut.
        whole = {True: passage.text.endswith(text[-MIN_OVERLAP:]), False: passage.text.startswith(text[:MIN_OVERLAP])}
        for neighbour, follows in _candidates(own, library.neighbours(own.id, before, after)):
            if not whole[follows] or neighbour.id in taken:
                whole[follows] = False
                continue
            more = _without_shared(neighbour, own, widened)
            longer = replace(widened[place], text=_join(widened[place].text, more, follows=follows))
            cost = count(longer) - count(widened[place])
            if not more or used + cost > budget:
                whole[follows] = False
                continue
            widened[place] = longer
            used += cost
            taken.add(neighbour.id)
    return tuple(widened)


def _candidates(own: Chunk, around: Sequence[AnyChunk]) -> list[tuple[Chunk, bool]]:
    """Neighbours that may be joined, nearest first on each side, up to the first that may not."""
    ordinals = {chunk.ordinal: chunk for chunk in around}
    found: list[tuple[Chunk, bool]] = []
    for step in (1, -1):
        ordinal = own.ordinal + step
        while (
            isinstance(chunk := ordinals.get(ordinal), Chunk)
            and chunk.kind == "text"
            and chunk.headings == own.headings
        ):
            found.append((chunk, step > 0))
            ordinal += step
    return found


def _join(text: str, other: str, *, follows: bool) -> str:
    first, second = (text, other) if follows else (other, text)
    shared = overlap(first, second)
    return f"{first}{second[shared:]}" if shared else f"{first}\n{second}"


def _without_shared(neighbour: Chunk, own: Chunk, passages: Sequence[Passage]) -> str:
    """The neighbour's text without what overlapping passages, other than the one to be widened, already show."""
    text = neighbour.text.strip()
    for passage in passages:
        chunk = passage.hit.chunk
        if chunk.document_id == own.document_id and chunk.id != own.id and chunk.kind == "text":
            if chunk.ordinal > neighbour.ordinal:
                text = text[: len(text) - overlap(text, passage.text)].rstrip()
            else:
                text = text[overlap(passage.text, text) :].lstrip()
    return text
