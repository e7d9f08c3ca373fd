"""A chunk before it has its number: units in order, under a prefix that is repeated (a table's header)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from ingest.chunkers.boxes import merged_boxes
from ingest.chunkers.units import Count, Path, Unit, cut
from rag.documents import Chunk
from rag.language import language_of

ARROW = " › "


@dataclass(slots=True, eq=False)
class Draft:
    kind: Literal["text", "table"]
    units: list[Unit]
    title: str
    prefix: str = ""
    tokens: int = 0
    context: str = ""
    shorter: int = 0
    """How many times the context had to be shortened to leave room for the text."""

    @property
    def text(self) -> str:
        if self.prefix:
            return "\n".join((self.prefix, *(unit.text for unit in self.units)))
        first, *rest = self.units
        return first.text + "".join(unit.glue + unit.text for unit in rest)

    @property
    def path(self) -> Path:
        """The headings that all of it stands under."""
        paths = [unit.path for unit in self.units if not unit.heading] or [self.units[-1].path]
        shared = min(paths, key=len)
        for path in paths:
            shared = tuple(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(shared, path, strict=False)))
        return shared

    def chunk(self, document_id: str, sha256: str, ordinal: int) -> Chunk:
        text = self.text
        pages = [unit.page for unit in self.units if unit.page is not None]
        return Chunk(
            id=f"{document_id}.{sha256[:8]}.{ordinal}",
            document_id=document_id,
            ordinal=ordinal,
            kind=self.kind,
            text=text,
            context=self.context,
            headings=tuple(heading for _, heading in self.path),
            page=min(pages) if pages else None,
            boxes=merged_boxes(box for box in dict.fromkeys(box for unit in self.units for box in unit.boxes)),
            tokens=self.tokens,
            language=language_of(text),
        )


def context_of(title: str, path: Path) -> str:
    """Title and headings in one line: "Handbook › Security › Passwords". A heading as long as a sentence is cut, and of a deep
    path the first and the last two are told: a real report has headings of 40 words, which left a third of each chunk to them.
    """
    names = [" ".join(text.split()) for _, text in path]
    if not names or names[0] != title:
        names.insert(0, title)
    names = [_shortened(name) for name in names if name]
    return ARROW.join(names if len(names) <= 3 else [names[0], *names[-2:]])


def _shortened(name: str) -> str:
    """The beginning of a heading, to the end of a word: about 20 tokens, which are 60 letters or 30 Chinese characters."""
    room = 60.0
    for place, character in enumerate(name):
        room -= 2.0 if character > "\u2e80" else 1.0
        if room < 0:
            kept = name[:place]
            return (kept if character > "\u2e80" else kept.rpartition(" ")[0] or kept).rstrip(" ,;:，；：") + "…"
    return name


def fit(drafts: Sequence[Draft], max_tokens: int, count: Count) -> list[list[Draft]]:
    """The drafts with their exact tokens, split where their sum was an underestimate. Counts each text about once."""
    fitted = [[draft] for draft in drafts]
    waiting = list(enumerate(drafts))
    for _, draft in waiting:
        draft.context = _context(draft, max_tokens)
    while waiting:
        counts = count([f"{draft.context}\n{draft.text}" if draft.context else draft.text for _, draft in waiting])
        again: list[tuple[int, Draft]] = []
        for (index, draft), tokens in zip(waiting, counts, strict=True):
            draft.tokens = tokens
            if tokens <= max_tokens:
                continue
            halves = _halves(draft, max_tokens)
            at = fitted[index].index(draft)
            fitted[index][at : at + 1] = halves
            again.extend((index, half) for half in halves if half is not draft or half.shorter)
        waiting = again
    return fitted


def _context(draft: Draft, max_tokens: int) -> str:
    leading = len(list(takewhile(lambda unit: unit.heading, draft.units)))
    path = draft.path
    # Headings that the text itself begins with are not said twice.
    own = {unit.text for unit in draft.units[:leading]}
    while path and path[-1][1] in own:
        path = path[:-1]
    context = context_of(draft.title, path)
    # About four characters to a token in English, one and a half in Chinese: a third of the room at the very most.
    weight = sum(1.0 if character > "\u2e80" else 0.35 for character in context)
    if weight > max_tokens / 3:
        keep = int(len(context) * (max_tokens / 3) / weight)
        context = context[:keep].rstrip()
    return context


def _halves(draft: Draft, max_tokens: int) -> list[Draft]:
    """A draft that is too long as two, or with less around it; the same draft when nothing can be taken away."""
    if len(draft.units) > 1:
        middle = len(draft.units) // 2
        parts = [draft.units[:middle], draft.units[middle:]]
        # An overlap alone is no chunk.
        parts = [part for part in parts if any(not unit.repeated for unit in part)]
        if len(parts) == 1 and len(parts[0]) == len(draft.units):
            parts = [[unit for unit in draft.units if not unit.repeated]]
        made = [replace(draft, units=part, context="", tokens=0) for part in parts]
        for half in made:
            half.context = _context(half, max_tokens)
        return made
    if draft.context and draft.shorter < 3:
        draft.shorter += 1
        draft.context = "" if draft.shorter == 3 else draft.context[: len(draft.context) // 2].rstrip()
        return [draft]
    if draft.prefix:
        unit = draft.units[0]
        return [
            replace(
                draft,
                prefix="",
                units=[replace(unit, text=line, glue="\n") for line in draft.prefix.split("\n")]
                + [replace(unit, glue="\n")],
                shorter=0,
            )
        ]
    unit = draft.units[0]
    if len(unit.text) > 1:
        pieces = cut(unit.text, 2, 1)
        if len(pieces) > 1:
            return [replace(draft, units=[replace(unit, text=text)], shorter=3) for _, text in pieces]
    draft.shorter = 0
    return [draft]
