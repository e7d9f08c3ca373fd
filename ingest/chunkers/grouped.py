"""A run for strategies that look at a stretch of text at once: units are collected up to a table, a slide's or the document's
end, and a function says which of them stand together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import count as numbers
from itertools import takewhile

from ingest.chunkers.drafts import Draft
from ingest.chunkers.remembered import Overlap, Remembered
from ingest.chunkers.run import Figure, Grain, Run
from ingest.chunkers.units import Count, Path, Unit, tokens_of
from rag.documents import AnyChunk, Document

Room = Callable[[Path], int]
Group = Callable[[Sequence[Unit], Room], list[list[Unit]]]
"""Units in order and the room under each path → the units of each chunk, in order; a unit may come back in several parts."""

_LEADS = re.compile(r"[:：]\s*$|^\s*(?:table|表)\s*\d", re.IGNORECASE)
_COLLECT = 256
"""Units of text that are collected before the first of them become chunks, where no table or page ends them earlier."""
_MOST = 4 * _COLLECT
"""Units among which a chunk of the last version is looked for before they are cut anew."""


class GroupedRun(Run):
    """`group` may be called again with the last of its groups and what came after it, so that batches leave no seam.

    `pages_apart` keeps text of two pages out of one chunk. `before` are the chunks of the document's last version: those whose text
    is still there stay as they are, and `group` cuts what stands between them. `overlap` is what a chunk repeats of the one before,
    `tiny` the tokens below which a changed stretch joins a neighbour.
    """

    def __init__(
        self,
        document: Document,
        count: Count,
        max_tokens: int,
        group: Group,
        *,
        grain: Grain = "fitting",
        pages_apart: bool = False,
        before: Sequence[AnyChunk] = (),
        overlap: Overlap | None = None,
        tiny: int | None = None,
    ) -> None:
        super().__init__(document, count, max_tokens, before)
        self.grain = grain
        self._group = group
        self._alone = self._alone or pages_apart
        self._before_now = Remembered(before, overlap, self._tiny if tiny is None else tiny)
        self._released: list[Unit] = []
        """Those of the last chunk that was released."""
        self._pending: list[Unit] = []
        self._figures: list[tuple[int, Figure]] = []
        """Figures, each with the number of letters of `_pending` that stand before it."""
        self._wanted = _COLLECT

    def _put(self, unit: Unit, room: int) -> None:  # noqa: ARG002
        self._pending.append(unit)
        if len(self._pending) >= self._wanted and not unit.heading:
            self._release(keep_last=True)
            self._wanted = len(self._pending) + _COLLECT // 2 if self._before_now else _COLLECT

    def _heading(self, level: int, unit: Unit) -> None:
        """A heading is text like any other here; `group` sees it by its unit."""

    def _figure(self, figure: Figure) -> None:
        if self._pending:
            self._figures.append((_letters(self._pending), figure))
        else:
            self._out.append(figure)

    def _waiting_figures(self) -> Iterable[Figure]:
        return [figure for _, figure in self._figures]

    def _close(self) -> None:
        self._release(keep_last=False)

    def _finish(self) -> None:
        self._close()

    def _release(self, *, keep_last: bool) -> None:
        """What is collected becomes drafts, each followed by the figures that stand in or behind it."""
        if not any(not unit.repeated for unit in self._pending):
            self._pending = []
        groups, self._pending = self._grouped(keep_last=keep_last) if self._pending else ([], [])
        self._released = groups[-1] if groups else self._released
        passed = 0
        for units in groups:
            self._out.append(Draft("text", units, self.name))
            passed += _letters(units)
            self._put_figures(passed)
        if not self._pending:
            self._put_figures(None)
        else:
            # What is kept begins with what it repeats of the chunk before, which no figure counted.
            self._figures = [(place - passed, figure) for place, figure in self._figures]

    def _grouped(self, *, keep_last: bool) -> tuple[list[list[Unit]], list[Unit]]:
        """The units of each chunk, and those that wait for what comes."""
        if self._before_now:
            final = not keep_last or len(self._pending) >= _MOST
            return self._before_now.regroup(
                self._pending, lambda units: self._group(units, self.room), self._released, final=final
            )
        groups = self._group(self._pending, self.room)
        return groups, groups.pop() if keep_last and groups else []

    def _put_figures(self, passed: int | None) -> None:
        ready = list(takewhile(lambda item: passed is None or item[0] <= passed, self._figures))
        self._out.extend(figure for _, figure in ready)
        del self._figures[: len(ready)]

    def _table(self, rows: list[Unit], room: int) -> None:
        lead = self._lead()
        self._close()
        if rows:
            self._out.extend(self._table_drafts(rows, lead, room))
        else:
            self._pending = lead

    def _lead(self) -> list[Unit]:
        """Takes the headings above a table, and a line that announces it, off what is collected."""
        start = len(self._pending)
        for place in numbers(start - 1, -1):
            if place < 0:
                break
            unit = self._pending[place]
            announces = unit.tokens <= self._tiny and not unit.repeated and _LEADS.search(unit.text)
            if not (unit.heading or (place == len(self._pending) - 1 and announces)):
                break
            start = place
        lead = self._pending[start:]
        if tokens_of(lead) > self._tiny:
            return []
        del self._pending[start:]
        return lead


def _letters(units: Iterable[Unit]) -> int:
    """Characters that are no white space and no repetition: what regrouping cannot change."""
    return sum(len("".join(unit.text.split())) for unit in units if not unit.repeated)


def section_ends(units: Sequence[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Units of a chunk that is full: those that stay, and the headings at its end, which go with what follows."""
    stop = len(units)
    while stop and units[stop - 1].heading:
        stop -= 1
    return (list(units[:stop]), list(units[stop:])) if stop else (list(units), [])


def _put_aside(headings: list[Unit], groups: list[list[Unit]], room: Room) -> None:
    """Headings that what follows leaves no room for: at the end of the chunk before rather than alone, where nobody finds them."""
    if groups and tokens_of([*groups[-1], *headings]) <= min(room(unit.path) for unit in (*groups[-1], *headings)):
        groups[-1] = [*groups[-1], *headings]
    else:
        groups.append(headings)


def filled(units: Sequence[Unit], room: Room, overlap: Callable[[Sequence[Unit]], list[Unit]]) -> list[list[Unit]]:
    """Units put together, in order, for as long as they fit. `overlap` gives what the next chunk repeats of a full one."""
    groups: list[list[Unit]] = []
    current: list[Unit] = []
    for unit in units:
        if current and tokens_of(current) + unit.tokens > room(unit.path):
            kept, headings = section_ends(current)
            if any(not one.repeated for one in kept):
                groups.append(kept)
                current = headings or overlap(kept)
            else:
                current = headings
            # Neither headings nor an overlap may push the next unit out.
            if current and tokens_of(current) + unit.tokens > room(unit.path):
                if any(not one.repeated for one in current):
                    _put_aside(current, groups, room)
                current = []
        current.append(unit)
    if any(not unit.repeated for unit in current):
        groups.append(current)
    return groups
