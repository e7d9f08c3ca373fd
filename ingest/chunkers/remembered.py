"""The chunks of a document's last version, found again in its new text: what did not change is cut as it was, and keeps its vectors.

A strategy that cuts a text anew moves every boundary behind a change until two happen to fall together: of a text of 200 pages, one
paragraph changes up to a hundred chunks. So the old chunks are looked for in the new text, in their order, and the strategy is asked
only about what stands between those that are there (the idea of a diff: Hunt and McIlroy 1976, over chunks in place of lines).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ingest.chunkers.units import Unit, tokens_of
from rag.documents import AnyChunk

REACH = 60
"""Chunks ahead that are looked for: more than a change replaces, less than the distance at which texts repeat."""
SHORTEST = 24
"""Letters below which a chunk is found only where the last one ended: anywhere else it could be any text."""

Regroup = Callable[[Sequence[Unit]], list[list[Unit]]]
Overlap = Callable[[Sequence[Unit], int], list[Unit]]
"""What a chunk repeats of the one before it, which is given; so many letters it repeated when it was made (0: not known)."""
_LEAST = 6
"""Letters from which the end of one chunk that is the beginning of the next is no chance."""


@dataclass(frozen=True, slots=True)
class _Known:
    own: str
    """Its letters without white space, and without those that it repeats of the chunk before."""
    repeats: int


def nothing(_: Sequence[Unit], __: int) -> list[Unit]:
    return []


def tail(units: Sequence[Unit], letters: int) -> list[Unit]:
    """The end of a chunk, by the letters that were repeated of it."""
    text = _Text(units)
    end = len(text.letters)
    return [replace(unit, repeated=True) for unit in text.between(max(0, end - letters), end)]


def without_repeats(texts: Sequence[str]) -> list[str]:
    """Each text without white space, and without what it begins with of the end of the one before."""
    solid = ["".join(text.split()) for text in texts]
    return solid[:1] + [text[_repeated(before, text) :] for before, text in pairwise(solid)]


def _repeated(before: str, text: str) -> int:
    """Letters of the longest end of one text that the other begins with, less than the whole of either."""
    most = min(len(before), len(text)) - 1
    return next(
        (size for size in range(most, _LEAST - 1, -1) if text[0] == before[-size] and before.endswith(text[:size])), 0
    )


class Matches:
    """The chunks of text of one document's last version, looked for in their order; `overlapping` where one may repeat another's end."""

    def __init__(self, before: Sequence[AnyChunk], *, overlapping: bool) -> None:
        texts = [chunk.text for chunk in before if chunk.kind == "text"]
        solid = ["".join(text.split()) for text in texts]
        own = without_repeats(texts) if overlapping else solid
        self._chunks = [_Known(one, len(whole) - len(one)) for one, whole in zip(own, solid, strict=True)]
        self._next = 0
        self.at_end = False
        """Whether the letters ended with the last chunk that was found."""

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def find(self, letters: str, may_divide: Callable[[int], bool]) -> list[tuple[int, int, _Known]]:
        """`(start, stop, chunk)` of the old chunks that stand in the letters, in order. `may_divide` tells whether a chunk may begin or end
        before a letter: "for 45 euros" does not stand in "for 45 euros50", nor its chunk in that text."""
        found: list[tuple[int, int, _Known]] = []
        at = 0
        while at < len(letters):
            nearest: tuple[int, int] | None = None
            for index in range(self._next, min(self._next + REACH, len(self._chunks))):
                own = self._chunks[index].own
                if own and letters.startswith(own, at) and may_divide(at + len(own)):
                    nearest = at, index
                    break
                place = letters.find(own, at, nearest[0] + len(own) if nearest else len(letters))
                if len(own) >= SHORTEST and place >= 0 and may_divide(place) and may_divide(place + len(own)):
                    nearest = place, index
            if nearest is None:
                break
            start, index = nearest
            known = self._chunks[index]
            found.append((start, start + len(known.own), known))
            at, self._next = start + len(known.own), index + 1
        return found


class Remembered:
    """Of one document. `overlap` says what a chunk repeats; `tiny` are the tokens below which a changed stretch is put together with a
    neighbour (0: every stretch stands alone)."""

    def __init__(self, before: Sequence[AnyChunk], overlap: Overlap | None, tiny: int) -> None:
        self._matches = Matches(before, overlapping=overlap is not None)
        self._overlap, self._tiny = overlap or nothing, tiny

    def __bool__(self) -> bool:
        return bool(self._matches)

    def regroup(
        self, units: Sequence[Unit], group: Regroup, previous: Sequence[Unit], *, final: bool
    ) -> tuple[list[list[Unit]], list[Unit]]:
        """The units of each chunk, and those behind the last chunk that was found again, which wait for what comes unless this is
        `final`. `previous` are those of the chunk before."""
        units = [unit for unit in units if not unit.repeated]
        text = _Text(units)
        places = self._matches.find(text.letters, text.may_divide)
        rest: list[Unit] = []
        if not final:
            rest = text.between(places[-1][1], len(text.letters)) if places else units
        spans: list[tuple[int, int, _Known | None]] = []
        reached = 0
        for start, stop, chunk in places:
            if start > reached:
                spans.append((reached, start, None))
            spans.append((start, stop, chunk))
            reached = stop
        if final and reached < len(text.letters):
            spans.append((reached, len(text.letters), None))
        groups: list[list[Unit]] = []
        for start, stop, known in self._joined(spans, text):
            last = groups[-1] if groups else previous
            found = text.between(start, stop)
            if known is None:
                groups.extend(self._evened(group([*self._overlap(last, 0), *found])))
            else:
                groups.append([*(self._overlap(last, known.repeats) if known.repeats else ()), *found])
        return groups, rest

    def _joined(self, spans: list[tuple[int, int, _Known | None]], text: _Text) -> list[tuple[int, int, _Known | None]]:
        """A changed stretch that is tiny, or ends with a heading, takes a neighbour along."""
        joined: list[tuple[int, int, _Known | None]] = []
        for start, stop, known in spans:
            if joined and joined[-1][2] is None and known is not None:
                units = text.between(*joined[-1][:2])
                if units[-1].heading or (tokens_of(units) < self._tiny and len(joined) == 1):
                    joined[-1] = (joined[-1][0], stop, None)
                    continue
            small = known is None and tokens_of(text.between(start, stop)) < self._tiny
            if small and joined and not text.between(start, stop)[0].heading:
                joined[-1] = (joined[-1][0], stop, None)
            else:
                joined.append((start, stop, known))
        return joined

    def _evened(self, groups: list[list[Unit]]) -> list[list[Unit]]:
        """Shares the last two groups out where the last one is tiny."""
        if len(groups) < 2 or tokens_of(groups[-1]) >= self._tiny:
            return groups
        both = [*groups[-2], *(unit for unit in groups[-1] if not unit.repeated)]
        sums = list(accumulate(unit.tokens for unit in both))
        cuts = [place for place in range(1, len(both)) if not both[place - 1].heading]
        if not cuts:
            return groups
        cut = min(cuts, key=lambda place: abs(sums[place - 1] - sums[-1] / 2))
        return [*groups[:-2], both[:cut], [*self._overlap(both[:cut], 0), *both[cut:]]]


class _Text:
    """Units by the letters that they hold."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units
        solid = ["".join(unit.text.split()) for unit in units]
        self.letters = "".join(solid)
        self._ends = list(accumulate(map(len, solid)))

    def may_divide(self, place: int) -> bool:
        """Whether no word goes through the place: it is between two units, at white space, or beside a character of a script without spaces."""
        index = bisect_right(self._ends, place)
        begin = self._ends[index - 1] if index else 0
        if place == begin or index == len(self._units):
            return True
        text = self._units[index].text
        where = [at for at, character in enumerate(text) if not character.isspace()]
        before, after = where[place - begin - 1], where[place - begin]
        if after > before + 1:
            return True
        beside = text[before] + text[after]
        return max(beside) > "\u2e80" and not beside.isdecimal()

    def between(self, start: int, stop: int) -> list[Unit]:
        """The units, or their parts, that hold the letters from `start` to `stop`."""
        found = []
        for index in range(bisect_right(self._ends, start), len(self._units)):
            unit, end = self._units[index], self._ends[index]
            begin = self._ends[index - 1] if index else 0
            if begin >= stop:
                break
            found.append(_part(unit, max(0, start - begin), min(stop, end) - begin, end - begin))
        return found


def _part(unit: Unit, first: int, last: int, size: int) -> Unit:
    """A unit from one of its letters to another, of so many."""
    if (first, last) == (0, size):
        return unit
    places = [place for place, character in enumerate(unit.text) if not character.isspace()]
    low, high = places[first], places[last - 1] + 1
    text = unit.text[low:high]
    glue = unit.text[places[first - 1] + 1 : low] if first else unit.glue
    tokens = max(1, round(unit.tokens * len(text) / len(unit.text)))
    return replace(unit, text=text, tokens=tokens, glue=glue)
