"""Runs of text as a page draws them, and the rows they form. All lengths in points, origin top left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ingest.layout.text import glue


class Placed(Protocol):
    """Anything with a place on a page."""

    @property
    def left(self) -> float: ...
    @property
    def top(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def bottom(self) -> float: ...


P = TypeVar("P", bound=Placed)


@dataclass(frozen=True, slots=True)
class Rect:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @classmethod
    def around(cls, items: Iterable[Placed]) -> Rect:
        found = list(items)
        return cls(
            min(item.left for item in found),
            min(item.top for item in found),
            max(item.right for item in found),
            max(item.bottom for item in found),
        )

    def grown(self, by: float) -> Rect:
        return Rect(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def clipped(self, width: float, height: float) -> Rect:
        """The part inside a page; of no size at its edge when there is none."""
        left, top = min(max(self.left, 0.0), width), min(max(self.top, 0.0), height)
        return Rect(left, top, min(max(self.right, left), width), min(max(self.bottom, top), height))


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style on one base line; `size` is the height of its font, `mark` its marked-content id, if any."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool = False
    mono: bool = False
    mark: int | None = None
    sideways: bool = False
    """Whether it runs up or down the page."""


@dataclass(frozen=True, slots=True)
class Row:
    """Runs side by side on one base line of one column, left to right."""

    runs: tuple[Run, ...]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def text(self) -> str:
        return glue(self.runs)

    @property
    def size(self) -> float:
        """Size of most of the characters: a footnote mark does not make a line small."""
        weights: dict[float, int] = {}
        for run in self.runs:
            weights[run.size] = weights.get(run.size, 0) + len(run.text)
        return max(weights, key=lambda size: (weights[size], size))

    @property
    def bold(self) -> bool:
        letters = sum(len(run.text) for run in self.runs)
        return sum(len(run.text) for run in self.runs if run.bold) >= 0.9 * letters

    @property
    def mono(self) -> bool:
        return all(run.mono for run in self.runs)

    @property
    def height(self) -> float:
        return self.bottom - self.top


def overlap(a: Placed, b: Placed) -> float:
    """Area that two places share, as a part of the smaller; 0 when one of them has no area."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    smaller = min((a.right - a.left) * (a.bottom - a.top), (b.right - b.left) * (b.bottom - b.top))
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0


def inside(inner: Placed, outer: Placed) -> bool:
    """Whether the middle of one place lies in another."""
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def rows(runs: Iterable[Run]) -> list[Row]:
    """Runs grouped by base line, top to bottom."""
    groups: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: ((run.top + run.bottom) / 2, run.left)):
        for group in reversed(groups[-3:]):
            if _same_line(group, run):
                group.append(run)
                break
        else:
            groups.append([run])
    made = [_row(sorted(group, key=lambda run: run.left)) for group in groups]
    return sorted(made, key=lambda row: ((row.top + row.bottom) / 2, row.left))


def _same_line(group: Sequence[Run], run: Run) -> bool:
    top, bottom = min(item.top for item in group), max(item.bottom for item in group)
    shared = min(bottom, run.bottom) - max(top, run.top)
    if shared < 0.5 * min(bottom - top, run.bottom - run.top):
        return False
    # Two runs in one place are two lines whose fonts have tall boxes, not one line.
    return all(min(item.right, run.right) - max(item.left, run.left) < 0.5 * run.size for item in group)


def _row(runs: list[Run]) -> Row:
    box = Rect.around(runs)
    return Row(tuple(runs), box.left, box.top, box.right, box.bottom)
