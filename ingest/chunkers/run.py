"""One document on its way into chunks: what every strategy shares.

Elements come in batches, each with its caption, the headings above it and its tokens. A strategy decides which units of text
stand together; tables become chunks of their own under their header, figures become image chunks that wait for the
paragraph after them, and drafts are numbered once nothing that follows can change them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from ingest.chunkers.drafts import Draft, context_of, fit
from ingest.chunkers.figures import image_chunk
from ingest.chunkers.prepare import prepare, text_of
from ingest.chunkers.remembered_rows import RememberedRows
from ingest.chunkers.tables import rows_of, table_drafts
from ingest.chunkers.units import Count, Path, Unit, pieces_of, split_units
from ingest.cleaning.invisible import visible
from ingest.containers import PPTX
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Document, Element

BATCH = 256
"""Elements whose tokens are counted in one call."""
SLIDE_TYPES = frozenset({PPTX})
"""Formats whose pages are sections by themselves, with or without a heading."""

Grain = Literal["fitting", "sentences", "whole"]
"""What a unit of prose is: the element where it fits and its sentences where it does not; always a sentence; always the element."""


@dataclass(slots=True)
class Figure:
    """A picture that waits for the paragraph after it."""

    element: Element
    path: Path
    before: str
    after: str = ""
    complete: bool = False


def check_sizes(max_tokens: int, overlap_tokens: int = 0) -> None:
    """Raises ValueError for sizes that make no chunk."""
    if max_tokens < 16:
        raise ValueError(f"a chunk of {max_tokens} tokens holds no sentence; give at least 16")
    if not 0 <= overlap_tokens <= max_tokens // 2:
        raise ValueError(f"an overlap is between 0 and half a chunk ({max_tokens // 2}), not {overlap_tokens}")


class Run(ABC):
    """The state of one document."""

    grain: Grain = "fitting"

    def __init__(self, document: Document, count: Count, max_tokens: int, before: Sequence[AnyChunk] = ()) -> None:
        self.title = document.title
        self._document = document
        self._count = count
        self._max = max_tokens
        self._tiny = max_tokens // 4
        self._path: Path = ()
        self._rooms: dict[Path, int] = {}
        self._table_rows = 0
        """Rows of a table to a chunk at most; 0 for as many as fit."""
        self._rows_before = RememberedRows(before)
        self._out: list[Draft | Figure] = []
        self._before = ""
        self._ordinal = 0
        self._alone = document.media_type in SLIDE_TYPES
        """Whether no chunk may hold text of two pages."""
        self._slides = self._alone
        self._page: int | None = None
        self._page_taken: int | None = None

    # --- what a strategy decides -------------------------------------------------------------------------------------

    @abstractmethod
    def _put(self, unit: Unit, room: int) -> None:
        """Takes the next unit of text."""

    @abstractmethod
    def _heading(self, level: int, unit: Unit) -> None:
        """A heading is about to be put."""

    @abstractmethod
    def _figure(self, figure: Figure) -> None:
        """Puts a picture behind the text before it."""

    @abstractmethod
    def _table(self, rows: list[Unit], room: int) -> None:
        """Puts a table; `rows` are its lines, or the whole of it as one unit."""

    def _coming(self, units: Sequence[Unit]) -> None:  # noqa: B027
        """Told of the units that `_put` will take next."""

    @abstractmethod
    def _close(self) -> None:
        """Ends the text put so far: a slide, a page or the document ends here."""

    def _table_drafts(self, rows: Sequence[Unit], lead: Sequence[Unit], room: int) -> list[Draft]:
        """A table as chunks, its groups of rows where those of the last version were."""
        breaks = self._rows_before.breaks
        return table_drafts(rows, lead, room, self.name, most_rows=self._table_rows, breaks=breaks)

    def _settled(self) -> int:
        """How many of `_out` can no longer change, figures aside."""
        return len(self._out)

    @abstractmethod
    def _finish(self) -> None:
        """The document ends: everything, figures too, goes to `_out`."""

    @abstractmethod
    def _waiting_figures(self) -> Iterable[Figure]:
        """Figures met that are not in `_out` yet."""

    # --- what they share ---------------------------------------------------------------------------------------------

    def chunks(self, pages: Iterable[ParsedPage]) -> Iterator[AnyChunk]:
        """Chunks in document order; holds a few hundred elements at a time."""
        for batch in self._batches(pages):
            self._add(batch)
            yield from self._ready(self._settled())
        self._finish()
        self._complete_figures("")
        yield from self._ready(len(self._out))

    def room(self, path: Path) -> int:
        """Tokens for text in a chunk under these headings."""
        return self._rooms.get(path, self._max - self._max // 3 - 2)

    @property
    def name(self) -> str:
        return self.title or PurePosixPath(self._document.name).stem

    def _batches(self, pages: Iterable[ParsedPage]) -> Iterator[list[Element]]:
        batch: list[Element] = []
        for page in pages:
            self.title = self.title or page.title
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

    def _add(self, batch: Sequence[Element]) -> None:
        prepared = list(prepare(batch))
        units: list[Unit] = []
        for element in prepared:
            if self._slides and element.page != self._page:
                self._path = ()
            self._page = element.page
            if element.kind == "heading":
                self._path = (
                    *(item for item in self._path if item[0] < (element.level or 1)),
                    (element.level or 1, " ".join(visible(element.text).split())),
                )
            page = element.page if element.page is not None else next((box.page for box in element.boxes), None)
            text = text_of(element)
            units.append(Unit(text, 0, "\n\n", self._path, element.kind == "heading", page, element.boxes))
        paths = list(dict.fromkeys(unit.path for unit in units))
        # Where sentences are counted, the elements they make up are not.
        whole = [i for i, element in enumerate(prepared) if not self._in_sentences(element)]
        counts = self._count([context_of(self.name, path) for path in paths] + [units[i].text for i in whole])
        self._rooms |= {path: self._max - min(n, self._max // 3) - 2 for path, n in zip(paths, counts, strict=False)}
        for i, tokens in zip(whole, counts[len(paths) :], strict=True):
            units[i] = replace(units[i], tokens=tokens)
        split = self._split(prepared, units)
        self._coming(
            [part for element, parts in zip(prepared, split, strict=True) if element.kind != "table" for part in parts]
        )
        for element, unit, parts in zip(prepared, units, split, strict=True):
            self._take(element, unit, parts, self.room(unit.path))

    def _in_sentences(self, element: Element) -> bool:
        return self.grain == "sentences" and element.kind not in ("heading", "table")

    def _split(self, elements: Sequence[Element], units: Sequence[Unit]) -> list[list[Unit]]:
        """Every element as units that fit: itself, its sentences or its lines; for a table always its rows."""
        cut = [
            i
            for i, (element, unit) in enumerate(zip(elements, units, strict=True))
            if self._has_to_be_cut(element, unit)
        ]
        pieces = [
            rows_of(units[i].text)
            if elements[i].kind == "table"
            else pieces_of(replace(elements[i], text=units[i].text))
            for i in cut
        ]
        # The rows of a table share a chunk with its header, which may take up to half of it.
        rooms = [self.room(units[i].path) // (2 if elements[i].kind == "table" else 1) for i in cut]
        parts = dict(zip(cut, split_units([units[i] for i in cut], rooms, pieces, self._count), strict=True))
        return [parts.get(i, [unit] if unit.text else []) for i, unit in enumerate(units)]

    def _has_to_be_cut(self, element: Element, unit: Unit) -> bool:
        if not unit.text:
            return False
        if element.kind == "table":
            return bool(self._table_rows) or unit.tokens > self.room(unit.path) - self._tiny
        return self._in_sentences(element) or (self.grain != "whole" and unit.tokens > self.room(unit.path))

    def _take(self, element: Element, unit: Unit, parts: list[Unit], room: int) -> None:
        if self._alone and unit.page != self._page_taken:
            if self._slides:
                self._complete_figures("")
                self._before = ""
            self._close()
        self._page_taken = unit.page
        if element.kind == "heading":
            self._complete_figures("")
            self._heading(element.level or 1, unit)
            self._before = ""
            parts = [replace(part, heading=len(parts) == 1) for part in parts]
        elif element.kind == "figure":
            if element.image is not None:
                self._figure(Figure(element, unit.path, self._before))
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
        for item in (*self._waiting_figures(), *reversed(self._out)):
            if isinstance(item, Figure):
                if item.complete:
                    break
                item.after, item.complete = after, True

    def _ready(self, stop: int) -> Iterator[AnyChunk]:
        """Numbers the first `stop` of `_out`, up to a figure that still waits for its paragraph."""
        stop = next(
            (i for i, item in enumerate(self._out[:stop]) if isinstance(item, Figure) and not item.complete), stop
        )
        items, self._out = self._out[:stop], self._out[stop:]
        groups = iter(fit([item for item in items if isinstance(item, Draft)], self._max, self._count))
        for item in items:
            if isinstance(item, Figure):
                yield image_chunk(self._document, self._next(), item.element, item.path, item.before, item.after)
            else:
                for draft in next(groups):
                    yield draft.chunk(self._document.id, self._document.sha256, self._next())

    def _next(self) -> int:
        self._ordinal += 1
        return self._ordinal - 1
