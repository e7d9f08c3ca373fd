"""Small to match, large to read, small to cite: a hit with a window is read with the chunks of its window.

Chunkers give windows (the parent of a chunk, the sentences around one, its page, its table); `widen` reads them before the
passages are packed, and `narrow` brings a citation back to the chunk of the window that its quote stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.answers import Citation, Hit, Passage
from rag.documents import AnyChunk, Chunk
from rag.protocols import Library
from rag.retrieval.overlap import overlap
from rag.tables import join_tables

_SENTENCE_END = re.compile(r"[.。！？!?；;][”’」』）)\"']*$")
_ITEM = re.compile(r"(?:[-*•·–]|\(?\d{1,3}[.)、]|[a-z][.)])\s")


def widen(hits: Iterable[Hit], library: Library) -> list[Hit]:
    """The hits in order, each with the text, pages and boxes of its window; one that stands in the window of a better hit is
    left out, since it is read there. Hits without a window stay as they are."""
    widened: list[Hit] = []
    windows: dict[str, list[tuple[int, int]]] = {}
    for hit in hits:
        chunk = hit.chunk
        read = windows.setdefault(chunk.document_id, [])
        if isinstance(chunk, Chunk):
            if any(first <= chunk.ordinal <= last for first, last in read):
                continue
            if chunk.window is not None:
                read.append(chunk.window)
                hit = replace(hit, chunk=_wide(chunk, _window(chunk, library)))
        widened.append(hit)
    return widened


def narrow(citations: Sequence[Citation], passages: Sequence[Passage], library: Library) -> tuple[Citation, ...]:
    """The citations, each of a passage with a window at the chunk, page and boxes of its quote; a quote that reaches over
    several chunks keeps the first one's id and page, and the boxes of all."""
    by_number = {passage.number: passage.hit.chunk for passage in passages}
    members: dict[str, list[Chunk]] = {}
    narrowed: list[Citation] = []
    for citation in citations:
        chunk = by_number.get(citation.marker)
        if isinstance(chunk, Chunk) and chunk.window is not None and citation.quote:
            if chunk.id not in members:
                members[chunk.id] = _window(chunk, library)
            parts = _holding(citation.quote, members[chunk.id])
            if parts:
                boxes = tuple(dict.fromkeys(box for part in parts for box in part.boxes))
                citation = replace(citation, chunk_id=parts[0].id, page=parts[0].page, boxes=boxes)
        narrowed.append(citation)
    return tuple(narrowed)


def _window(chunk: Chunk, library: Library) -> list[Chunk]:
    first, last = chunk.window or (chunk.ordinal, chunk.ordinal)
    around: Sequence[AnyChunk] = library.neighbours(chunk.id, chunk.ordinal - first, last - chunk.ordinal)
    return [one for one in around if isinstance(one, Chunk)]


def _wide(own: Chunk, members: Sequence[Chunk]) -> Chunk:
    if not members:
        return own
    text = members[0].text.strip()
    for before, after in pairwise(members):
        text = joined(text, before, after)
    pages = [one.page for one in members if one.page is not None]
    return replace(
        own,
        kind="table" if all(one.kind == "table" for one in members) else "text",
        text=text,
        page=min(pages) if pages else None,
        boxes=tuple(dict.fromkeys(box for one in members for box in one.boxes)),
        tokens=sum(one.tokens for one in members),
    )


def joined(text: str, before: Chunk, after: Chunk) -> str:
    """`text`, which ends with the chunk `before`, and the chunk after it as they stood in the document, as far as chunks tell:
    sentences go on in their line, lists and paragraphs in a new one, a table under one header."""
    more = after.text.strip()
    if before.kind == after.kind == "table":
        return join_tables(text, more)
    begins = after.headings != before.headings or (after.headings and more.startswith(after.headings[-1]))
    if begins or "table" in (before.kind, after.kind):
        return f"{text}\n\n{more}"
    shared = overlap(text, more)
    if shared:
        return text + more[shared:]
    if _ITEM.match(more) or not (_SENTENCE_END.search(text) or more[:1].islower()):
        return f"{text}\n{more}"
    wide = text[-1:] > "\u2e80" and more[:1] > "\u2e80"
    return text + ("" if wide else " ") + more


def _holding(quote: str, members: Sequence[Chunk]) -> list[Chunk]:
    """The chunk whose text holds the quote, white space aside, or the neighbours that hold it together."""
    wanted = _solid(quote)
    texts = [_solid(one.text) for one in members]
    for one, text in zip(members, texts, strict=True):
        if wanted in text:
            return [one]
    ends: list[int] = []
    for text in texts:
        ends.append((ends[-1] if ends else 0) + len(text))
    start = "".join(texts).find(wanted)
    if start < 0:
        return []
    stop = start + len(wanted)
    return [one for one, text, end in zip(members, texts, ends, strict=True) if end - len(text) < stop and end > start]


def _solid(text: str) -> str:
    return "".join(text.split())
