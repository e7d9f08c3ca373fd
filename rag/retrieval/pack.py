"""Hits become numbered passages within a token budget: what the generator reads under `[1]` to `[n]`.

Best hits first. No text stands there twice: a hit that another one holds is left out, and where neighbouring chunks
overlap, the lower-ranked loses the shared part. A table goes in whole if it can; what has to be cut keeps what the
question asks about: a table its header and the rows that match, a text the sentences around the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answers import Hit, Passage
from rag.documents import EntryKind, ImageChunk
from rag.retrieval.compress import compress
from rag.retrieval.overlap import overlap
from rag.stems import stems
from rag.words import sentence_spans

MIN_TOKENS = 40
"""A rest of the budget smaller than this holds no passage worth its header line."""
LARGEST_SHARE = 0.5
"""Of the budget, the most that one of several passages may take."""
ENTRY_ORDER: tuple[EntryKind, ...] = ("caption", "description", "ocr", "label", "nearby", "name")

Render = Callable[[Passage], str]
Count = Callable[[str], int]


def pack(
    hits: Sequence[Hit],
    *,
    question: str,
    budget: int,
    count_tokens: Count,
    render: Render,
    limit: int = 8,
    share: float = 1.0,
) -> tuple[Passage, ...]:
    """Passages whose rendered texts take `budget` tokens at most, separators included. `render` writes a passage as the
    prompt does, with its header; `limit` bounds their number; of prose only the best sentences are taken, `share` of it."""
    asked = set(stems(question))
    packed: list[Passage] = []
    left = budget
    for place, hit in enumerate(hits):
        if len(packed) == limit or left < MIN_TOKENS:
            break
        text = _without_shared(hit, packed)
        if not text:
            continue
        if share < 1 and hit.chunk.kind == "text":
            text = compress(text, asked, share)
        alone = place == len(hits) - 1 and not packed
        room = left if alone else min(left, max(MIN_TOKENS, int(budget * LARGEST_SHARE)))
        # A table counts for more whole than what would follow it.
        if hit.chunk.kind == "table":
            room = left
        passage = _fit(Passage(len(packed) + 1, hit, text), room, asked, count_tokens, render)
        if passage is not None:
            packed.append(passage)
            left -= passage_tokens(passage, count_tokens, render)
    return tuple(packed)


def passage_tokens(passage: Passage, count_tokens: Count, render: Render) -> int:
    """What a passage takes of the budget, with the blank line that follows it."""
    return count_tokens(render(passage) + "\n\n")


def _text(hit: Hit) -> str:
    chunk = hit.chunk
    if isinstance(chunk, ImageChunk):
        entries = sorted(chunk.entries, key=lambda entry: ENTRY_ORDER.index(entry.kind))
        return "\n".join(f"{entry.kind}: {entry.text}" for entry in entries)
    return chunk.text.strip()


def _without_shared(hit: Hit, packed: Sequence[Passage]) -> str:
    """The hit's text without what already packed passages say; empty when nothing is left."""
    text = _text(hit)
    for passage in packed:
        flat = " ".join(text.split())
        if flat in " ".join(passage.text.split()):
            return ""
        if passage.hit.chunk.document_id != hit.chunk.document_id or "table" in (
            hit.chunk.kind,
            passage.hit.chunk.kind,
        ):
            continue
        if hit.chunk.ordinal > passage.hit.chunk.ordinal:
            text = text[overlap(passage.text, text) :].lstrip()
        else:
            text = text[: len(text) - overlap(text, passage.text)].rstrip()
        if not any(map(str.isalnum, text)):
            return ""
    return text


def _fit(passage: Passage, room: int, asked: set[str], count_tokens: Count, render: Render) -> Passage | None:
    """The passage, cut to `room` tokens where it has to be; None when nothing of it fits."""

    def fits(text: str) -> bool:
        return passage_tokens(replace(passage, text=text), count_tokens, render) <= room

    if fits(passage.text):
        return passage
    lines = passage.text.splitlines()
    cut = _cut_table(lines, asked, fits) if lines[0].startswith("|") else _cut_prose(passage.text, asked, fits)
    return replace(passage, text=cut) if cut else None


def _cut_table(lines: Sequence[str], asked: set[str], fits: Callable[[str], bool]) -> str:
    """Header, rule and the rows that match the question best, in their order."""
    head, rows = list(lines[:2]), list(lines[2:])
    order = sorted(range(len(rows)), key=lambda i: (-len(asked & set(stems(rows[i]))), i))
    kept: set[int] = set()
    for place in order:
        if not fits("\n".join([*head, *(rows[i] for i in sorted(kept | {place}))])):
            break
        kept.add(place)
    return "\n".join([*head, *(rows[i] for i in sorted(kept))]) if kept else ""


def _cut_prose(text: str, asked: set[str], fits: Callable[[str], bool]) -> str:
    """The longest run of sentences around the one that shares most words with the question."""
    spans = sentence_spans(text)
    if not spans:
        return ""
    best = max(range(len(spans)), key=lambda i: (len(asked & set(stems(text[slice(*spans[i])]))), -i))
    low = high = best
    if not fits(text[slice(*spans[best])]):
        return ""
    growing = True
    while growing:
        growing = False
        # What follows explains more often than what precedes, so it is tried first.
        for new_low, new_high in ((low, high + 1), (low - 1, high)):
            if new_low >= 0 and new_high < len(spans) and fits(text[spans[new_low][0] : spans[new_high][1]]):
                low, high, growing = new_low, new_high, True
    return text[spans[low][0] : spans[high][1]]
