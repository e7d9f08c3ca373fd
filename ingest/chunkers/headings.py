"""Chunks that follow the headings: sections are packed up to a size, and never mixed unless they are tiny."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ingest.chunkers.drafts import Draft, context_of, fit
from ingest.chunkers.figures import image_chunk
from ingest.chunkers.prepare import prepare, text_of
from ingest.chunkers.tables import rows_of, table_drafts
from ingest.chunkers.units import Count, Path, Unit, pieces_of, split_units, tokens_of
from ingest.containers import PPTX
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document, Element
from rag.words import sentence_spans

BATCH = 256
"""Elements whose tokens are counted in one call."""
HARD_LEVEL = 2
"""Headings down to this level end a chunk; deeper ones do when it is at least half full."""
SLIDE_TYPES = frozenset({PPTX})
"""Formats whose pages are sections by themselves, with or without a heading."""


@dataclass(slots=True)
class _Figure:
    """A picture that waits for the paragraph after it."""

    element: Element
    path: Path
    before: str
    after: str = ""
    complete: bool = False


class HeadingChunker:
    """Packs the elements of a section into chunks of at most `max_tokens`, context included.

    `count_tokens` counts in the tokens of the text encoder. Tables become chunks of their own, figures image chunks.
    """

    def __init__(self, *, count_tokens: Count, max_tokens: int = 300, overlap_tokens: int = 0) -> None:
        if max_tokens < 16:
            raise ValueError(f"a chunk of {max_tokens} tokens holds no sentence; give at least 16")
        if not 0 <= overlap_tokens <= max_tokens // 2:
            raise ValueError(f"an overlap is between 0 and half a chunk ({max_tokens // 2}), not {overlap_tokens}")
        self._count = count_tokens
        self._max = max_tokens
        self._overlap = overlap_tokens

    @property
    def version(self) -> str:
        return f"headings-3:{self._max}:{self._overlap}"

    def chunk(self, document: Document, pages: Iterable[ParsedPage]) -> Iterator[AnyChunk]:
        """Chunks in document order; holds a few hundred elements at a time."""
        run = _Run(document, self._count, self._max, self._overlap)
        for batch in _batches(pages, run):
            run.add(batch)
            yield from run.ready()
        run.finish()
        yield from run.ready()


def _batches(pages: Iterable[ParsedPage], run: _Run) -> Iterator[list[Element]]:
    batch: list[Element] = []
    for page in pages:
        run.title = run.title or page.title
        for element in page.elements:
            # A figure and its caption are looked at together.
            if (
                len(batch) >= BATCH
                and batch[-1].kind not in ("figure", "caption")
                and element.kind not in ("figure", "caption")
            ):
                yield batch
                batch = []
            batch.append(element)
    if batch:
        yield batch


class _Run:
    """The state of one document: the headings above, the chunk being packed, and what waits to be numbered."""

    def __init__(self, document: Document, count: Count, max_tokens: int, overlap: int) -> None:
        self.title = document.title
        self._document = document
        self._count = count
        self._max = max_tokens
        self._overlap = overlap
        self._tiny = max_tokens // 4
        self._path: Path = ()
        self._pending: list[Unit] = []
        self._mark = 0
        """Where the latest of several tiny sections begins in `_pending`."""
        self._figures: list[_Figure] = []
        self._out: list[Draft | _Figure] = []
        self._last: Draft | None = None
        """The chunk before `_pending` in the same section: a tiny rest is shared out between the two."""
        self._before = ""
        self._ordinal = 0
        self._slides = document.media_type in SLIDE_TYPES
        self._page: int | None = None
        self._page_taken: int | None = None

    @property
    def _name(self) -> str:
        return self.title or PurePosixPath(self._document.name).stem

    def add(self, batch: Sequence[Element]) -> None:
        """Takes elements in order."""
        prepared = list(prepare(batch))
        units: list[tuple[Element, Unit]] = []
        for element in prepared:
            if self._slides and element.page != self._page:
                self._path = ()
            self._page = element.page
            if element.kind == "heading":
                self._path = (
                    *(item for item in self._path if item[0] < (element.level or 1)),
                    (element.level or 1, " ".join(element.text.split())),
                )
            page = element.page if element.page is not None else next((box.page for box in element.boxes), None)
            text = text_of(element)
            units.append((element, Unit(text, 0, "\n\n", self._path, element.kind == "heading", page, element.boxes)))
        paths = list(dict.fromkeys(unit.path for _, unit in units))
        counts = self._count([context_of(self._name, path) for path in paths] + [unit.text for _, unit in units])
        rooms = {path: self._max - min(tokens, self._max // 3) - 2 for path, tokens in zip(paths, counts, strict=False)}
        sized = [replace(unit, tokens=tokens) for (_, unit), tokens in zip(units, counts[len(paths) :], strict=True)]
        split = self._split([element for element, _ in units], sized, rooms)
        for element, unit, parts in zip(prepared, sized, split, strict=True):
            self._take(element, unit, parts, rooms[unit.path])

    def _split(self, elements: Sequence[Element], units: Sequence[Unit], rooms: dict[Path, int]) -> list[list[Unit]]:
        """Every element as units that fit: itself, its sentences or its lines; for a table always its rows."""
        cut = [
            i
            for i, (element, unit) in enumerate(zip(elements, units, strict=True))
            if unit.text and unit.tokens > rooms[unit.path] - (self._tiny if element.kind == "table" else 0)
        ]
        pieces = [
            rows_of(units[i].text)
            if elements[i].kind == "table"
            else pieces_of(replace(elements[i], text=units[i].text))
            for i in cut
        ]
        # The rows of a table share a chunk with its header, which may take up to half of it.
        limits = [rooms[units[i].path] // 2 if elements[i].kind == "table" else rooms[units[i].path] for i in cut]
        parts = dict(zip(cut, split_units([units[i] for i in cut], limits, pieces, self._count), strict=True))
        return [parts.get(i, [unit] if unit.text else []) for i, unit in enumerate(units)]

    def _take(self, element: Element, unit: Unit, parts: list[Unit], room: int) -> None:
        if self._slides and unit.page != self._page_taken:
            self._complete_figures("")
            if self._pending:
                self._end_section()
            self._before = ""
        self._page_taken = unit.page
        if element.kind == "heading":
            self._complete_figures("")
            self._heading(element.level or 1, unit)
            self._before = ""
            parts = [replace(part, heading=len(parts) == 1) for part in parts]
        elif element.kind == "figure":
            if element.image is not None:
                figure = _Figure(element, unit.path, self._before)
                if self._pending:
                    self._figures.append(figure)
                else:
                    self._out.append(figure)
        elif unit.text and element.kind != "caption":
            near = "" if element.kind == "table" else unit.text
            self._complete_figures(near)
            self._before = near
        if element.kind == "table":
            self._table(parts, room)
            return
        for part in parts:
            self._put(part, room)

    def _complete_figures(self, after: str) -> None:
        for item in (*self._figures, *reversed(self._out)):
            if isinstance(item, _Figure):
                if item.complete:
                    break
                item.after, item.complete = after, True

    def _put(self, unit: Unit, room: int) -> None:
        if self._pending and tokens_of(self._pending) + unit.tokens > room:
            if self._mark:
                self._flush(self._mark)
            elif any(not (kept.heading or kept.repeated) for kept in self._pending):
                self._overflow()
            if self._pending and tokens_of(self._pending) + unit.tokens > room:
                self._flush(len(self._pending)) if any(not k.repeated for k in self._pending) else self._pending.clear()
        self._pending.append(unit)

    def _overflow(self) -> None:
        """The section goes on in the next chunk, with its open headings and an overlap."""
        stop = len(self._pending)
        while self._pending[stop - 1].heading:
            stop -= 1
        full, rest = self._pending[:stop], self._pending[stop:]
        self._pending = full
        self._flush(stop, section_goes_on=True)
        self._pending = rest or self._tail_of(full)

    def _tail_of(self, units: list[Unit]) -> list[Unit]:
        """The last sentences of a chunk, up to the overlap; tokens by their share of the characters."""
        if not self._overlap or units[-1].heading:
            return []
        last = units[-1]
        rate = last.tokens / max(1, len(last.text))
        spans = sentence_spans(last.text)
        start = None
        for begin, _ in reversed(spans):
            if (len(last.text) - begin) * rate > self._overlap:
                break
            start = begin
        if start is None:
            return []
        text = last.text[start:]
        return [replace(last, text=text, tokens=round(len(text) * rate), repeated=True)]

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
        draft = Draft("text", self._pending[:stop], self._name)
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
        self._out.extend(table_drafts(rows, lead, room, self._name))
        self._out.extend(self._figures)
        self._figures = []

    def finish(self) -> None:
        """The document ends here."""
        if self._mark and tokens_of(self._pending) > self._max // 2:
            self._flush(self._mark)
        self._end_section()
        self._complete_figures("")
        self._out.extend(self._figures)
        self._figures = []

    def ready(self) -> Iterator[AnyChunk]:
        """Numbers what no later element can change."""
        stop = 0
        for item in self._out:
            if item is self._last or (isinstance(item, _Figure) and not item.complete):
                break
            stop += 1
        items, self._out = self._out[:stop], self._out[stop:]
        groups = iter(fit([item for item in items if isinstance(item, Draft)], self._max, self._count))
        for item in items:
            if isinstance(item, _Figure):
                yield image_chunk(self._document, self._next(), item.element, item.path, item.before, item.after)
            else:
                for draft in next(groups):
                    yield draft.chunk(self._document.id, self._document.sha256, self._next())

    def _next(self) -> int:
        self._ordinal += 1
        return self._ordinal - 1
