"""Chunks that follow the headings: sections are packed up to a size, and never mixed unless they are tiny."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.chunkers.boundaries import Boundaries
from ingest.chunkers.drafts import Draft
from ingest.chunkers.overlap import last_sentences
from ingest.chunkers.remembered import Matches
from ingest.chunkers.run import Figure, Run, check_sizes
from ingest.chunkers.units import Count, Unit, tokens_of
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document

HARD_LEVEL = 2
"""Headings down to this level end a chunk; deeper ones do when it is at least half full."""


class HeadingChunker:
    """Packs the elements of a section into chunks of at most `max_tokens`, context included.

    `count_tokens` counts in the tokens of the text encoder. Tables become chunks of their own, of `table_rows` rows at most
    unless that is 0, and figures image chunks.
    """

    def __init__(
        self,
        *,
        count_tokens: Count,
        max_tokens: int = 300,
        overlap_tokens: int = 0,
        table_rows: int = 0,
    ) -> None:
        check_sizes(max_tokens, overlap_tokens)
        self._count = count_tokens
        self._max = max_tokens
        self._overlap = overlap_tokens
        self._table_rows = table_rows

    @property
    def version(self) -> str:
        rows = f":{self._table_rows}" if self._table_rows else ""
        return f"headings-4:{self._max}:{self._overlap}{rows}"

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        """Chunks in document order; holds a few hundred elements at a time."""
        return _Run(document, self._count, self._max, self._overlap, self._table_rows, before).chunks(pages)


class _Run(Run):
    """The chunk being packed, and the one before it in the same section."""

    def __init__(
        self,
        document: Document,
        count: Count,
        max_tokens: int,
        overlap: int,
        table_rows: int,
        before: Sequence[AnyChunk],
    ) -> None:
        super().__init__(document, count, max_tokens, before)
        self._boundaries = Boundaries(Matches(before, overlapping=bool(overlap))) if before else None
        self._overlap = overlap
        self._table_rows = table_rows
        self._pending: list[Unit] = []
        self._mark = 0
        """Where the latest of several tiny sections begins in `_pending`."""
        self._figures: list[Figure] = []
        self._last: Draft | None = None
        """The chunk before `_pending` in the same section: a tiny rest is shared out between the two."""

    def _put(self, unit: Unit, room: int) -> None:
        if self._boundaries is not None:
            begins, unchanged = self._boundaries.next()
            if begins:
                self._end_as_before(unchanged)
                if unit.heading and all(kept.repeated for kept in self._pending):
                    self._pending = []
        if self._pending and tokens_of(self._pending) + unit.tokens > room:
            if self._mark:
                self._flush(self._mark)
            elif any(not (kept.heading or kept.repeated) for kept in self._pending):
                self._overflow()
            if self._pending and tokens_of(self._pending) + unit.tokens > room:
                self._flush(len(self._pending)) if any(not k.repeated for k in self._pending) else self._pending.clear()
        self._pending.append(unit)

    def _coming(self, units: Sequence[Unit]) -> None:
        if self._boundaries is not None:
            self._boundaries.announce(units)

    def _end_as_before(self, unchanged: bool) -> None:
        """The chunk being packed ends here because one did, or began, in the version before."""
        if all(unit.heading or unit.repeated for unit in self._pending):
            return
        if not unchanged:
            self._balance()
        full = self._pending
        self._flush(len(full), section_goes_on=True)
        self._pending = last_sentences(full, self._overlap)

    def _overflow(self) -> None:
        """The section goes on in the next chunk, with its open headings and an overlap."""
        stop = len(self._pending)
        while self._pending[stop - 1].heading:
            stop -= 1
        full, rest = self._pending[:stop], self._pending[stop:]
        self._pending = full
        self._flush(stop, section_goes_on=True)
        self._pending = rest or last_sentences(full, self._overlap)

    def _heading(self, level: int, unit: Unit) -> None:
        """Decides whether the chunk being packed ends here."""
        if not any(not (kept.heading or kept.repeated) for kept in self._pending):
            self._pending = [kept for kept in self._pending if kept.heading]
            self._last = None
            return
        if level > HARD_LEVEL:
            if not self._mark and tokens_of(self._pending) >= self._max // 2:
                self._end_section()
            return
        if self._mark and tokens_of(self._pending) > self._max // 2:
            self._flush(self._mark)
        tokens = tokens_of(self._pending)
        pages = {kept.page for kept in (*self._pending, unit)}
        # On another page or slide even a tiny section stays alone: a citation shows one page.
        if tokens < self._tiny and len(pages) == 1 and self._last is None:
            self._mark = len(self._pending)
        else:
            self._end_section()

    def _end_section(self) -> None:
        self._balance()
        if any(not unit.repeated for unit in self._pending):
            self._flush(len(self._pending))
        self._pending = []
        self._last = None

    def _balance(self) -> None:
        """Shares the units of the last two chunks of a section out when the rest would be tiny."""
        if self._last is None or tokens_of(self._pending) >= self._tiny:
            return
        both = [*self._last.units, *(unit for unit in self._pending if not unit.repeated)]
        half = tokens_of(both) / 2
        before = 0
        best = 0, half
        for index, unit in enumerate(both[:-1], start=1):
            before += unit.tokens
            if not unit.heading and abs(before - half) < best[1]:
                best = index, abs(before - half)
        if best[0]:
            self._last.units, self._pending = both[: best[0]], both[best[0] :]

    def _flush(self, stop: int, *, section_goes_on: bool = False) -> None:
        """The first `stop` pending units become a draft, followed by the figures met so far."""
        draft = Draft("text", self._pending[:stop], self.name)
        self._pending = self._pending[stop:]
        self._mark = 0
        self._out.append(draft)
        self._last = draft if section_goes_on else None
        self._out.extend(self._figures)
        self._figures = []

    def _table(self, rows: list[Unit], room: int) -> None:
        """A table as chunks of its own; a short lead-in (headings, its caption) goes with it."""
        lead: list[Unit] = []
        if self._pending and not self._mark and self._last is None and tokens_of(self._pending) <= self._tiny:
            lead, self._pending = [unit for unit in self._pending if not unit.repeated], []
        elif self._pending:
            self._end_section()
        self._last = None
        if not rows:
            self._pending = lead
            return
        self._out.extend(self._table_drafts(rows, lead, room))
        self._out.extend(self._figures)
        self._figures = []

    def _close(self) -> None:
        if self._pending:
            self._end_section()

    def _finish(self) -> None:
        if self._mark and tokens_of(self._pending) > self._max // 2:
            self._flush(self._mark)
        self._end_section()
        self._out.extend(self._figures)
        self._figures = []

    def _settled(self) -> int:
        return next((i for i, item in enumerate(self._out) if item is self._last), len(self._out))

    def _waiting_figures(self) -> list[Figure]:
        return self._figures

    def _figure(self, figure: Figure) -> None:
        (self._figures if self._pending else self._out).append(figure)
