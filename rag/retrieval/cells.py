"""Numbers and names of a claim against the cells of a table: each has to stand in the row and the column that the claim names.

A claim names a column by the words that tell its heading from the others' (`2019` of `Revenue 2019` and `Revenue 2020`), and a row by those of its
label. What it does not name it does not bind: `It was 44.1` may stand anywhere. Where a claim says as many values as it names columns (or
rows), the first value belongs to the first one named, and so on: "44.1 in 2019 and 56.7 in 2018", "in 2019 and 2018 44.1 and 56.7".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.retrieval.quantities import Quantity, is_rounded, quantities
from rag.retrieval.table_text import Table
from rag.stems import stem
from rag.words import STOP_WORDS, normalise, words

PARTLY = 0.5
"""Share of a column's own words from which it is named where none is named whole; of a row's label more has to be there."""
PARTLY_ROW = 2 / 3
LOOSE = 3
"""Characters from a name's first word to its last, by those of the words' stems, beyond which it is not said in one piece."""


@dataclass(frozen=True, slots=True)
class _Named:
    """Columns or rows that a claim names, each with where it does."""

    at: dict[int, int]
    whole: frozenset[int] = frozenset()
    """Those of them of which the claim has every word."""

    def __bool__(self) -> bool:
        return bool(self.at)

    @property
    def in_order(self) -> list[int]:
        return sorted(self.at, key=lambda which: self.at[which])

    def one_each(self, values: int) -> list[frozenset[int]]:
        """The one that each of so many values belongs to, in the order of the claim; empty where they are not as many."""
        for those in (self.in_order, [which for which in self.in_order if which in self.whole]):
            if len(those) == values > 1:
                return [frozenset({which}) for which in those]
        return []


def named_rows(claim: str, table: Table) -> list[int]:
    """The rows whose label the claim has, in its order."""
    return _rows(_Claim(claim), table).in_order


def telling_row(claim: str, table: Table) -> int | None:
    """The row that has most of the claim's values, of those that it names; None where none has any."""
    said = _Claim(claim)
    named = _rows(said, table).in_order or range(len(table.rows))
    there = _values_of(table)
    held = {
        row: sum(any(said.says(value, there[row][c]) for c in table.columns) for _, _, value in said.values)
        for row in named
    }
    best = max(named, key=lambda row: held[row])
    return best if held[best] or len(held) < len(table.rows) else None


def misplaced(claim: str, table: Table, claim_names: Iterable[str] = ()) -> list[str]:
    """Values and names of the claim that the table has, and none of them in a row and a column that the claim names."""
    said = _Claim(claim)
    columns, rows = _columns(said, table), _rows(said, table)
    heads = quantities(" ".join((*table.header, *(table.label(row) for row in range(len(table.rows))))))
    values = [
        (place, text, value) for place, text, value in said.values if not any(value.matches(head) for head in heads)
    ]
    there = _values_of(table)
    cells = [
        [(r, c) for r, row in enumerate(there) for c in table.columns if said.says(value, row[c])]
        for _, _, value in values
    ]
    readings = [
        [
            text
            for (_, text, _), places, row, column in zip(values, cells, own_rows, own_columns, strict=True)
            if places and not any((not row or r in row) and (not column or c in column) for r, c in places)
        ]
        for own_rows, own_columns in [
            *_readings(len(values), columns, rows),
            *_beside(said, [place for place, _, _ in values], columns, rows, table),
        ]
    ]
    return min(readings, key=len) + _misplaced_names(claim_names, table, rows)


_Sets = list[frozenset[int]]


def _readings(wanted: int, columns: _Named, rows: _Named) -> list[tuple[_Sets, _Sets]]:
    """The rows and the columns that each value may stand in, in each way that the claim can be read; an empty set allows all."""
    every_row, every_column = [frozenset(rows.at)] * wanted, [frozenset(columns.at)] * wanted
    made: list[tuple[_Sets, _Sets]] = []
    if by_column := columns.one_each(wanted):
        made.append((every_row, by_column))
    if by_row := rows.one_each(wanted):
        made.append((by_row, every_column))
    return made or [(every_row, every_column)]


def _beside(
    said: _Claim, places: Sequence[int], columns: _Named, rows: _Named, table: Table
) -> list[tuple[_Sets, _Sets]]:
    """The reading of "it had 5 in 2019, with a target of 18" where the columns are `Results 2019` and `Target 2019`: the value next to the words
    that only the named column has is that column's, another may stand in a column that the claim names by the rest of its words."""
    if len(columns.at) != 1 or not columns.whole or len(rows.at) > 1 or len(places) < 2:
        return []
    (named,) = columns.at
    heads = {column: _keys(table.header[column]) for column in table.columns}
    common = frozenset.intersection(*heads.values())
    own = heads[named] - common
    partly = {
        column: (words - common) & own
        for column, words in heads.items()
        if not own <= words and len((words - common) & own) >= PARTLY * len(words - common)
    }
    telling = own - frozenset().union(*partly.values()) if partly else frozenset()
    mentions = [place for word in telling for place in said.places(word)]
    if not mentions:
        return []
    nearest = min(range(len(places)), key=lambda which: min(abs(places[which] - at) for at in mentions))
    own_columns = [
        frozenset({named}) if which == nearest else frozenset({named, *partly}) for which in range(len(places))
    ]
    return [([frozenset(rows.at)] * len(places), own_columns)]


def _misplaced_names(names: Iterable[str], table: Table, rows: _Named) -> list[str]:
    """Names are looked for in whole cells' words; one that a heading or a label has is how the claim names it."""
    wanted = set(names)
    if not wanted or not rows:
        return []
    heads = normalise(" ".join((*table.header, *(table.label(row) for row in range(len(table.rows))))))
    found = []
    for name in sorted(wanted):
        cells = [(r, c) for r, row in enumerate(table.rows) for c in table.columns if name in normalise(row[c])]
        if name not in heads and cells and not any(r in rows.at for r, _ in cells):
            found.append(name)
    return found


def scaled(table: Table, rows: Iterable[int]) -> str:
    """The values of rows as they would be written out, where the table counts in thousands or more."""
    cells = (table.rows[row][column] for row in rows for column in table.columns) if table.scale != 1.0 else ()
    return " ".join(
        f"{value.value * table.scale:.15g}" for cell in cells for value in sorted(quantities(cell), key=str)
    )


@lru_cache(maxsize=32)
def _values_of(table: Table) -> tuple[tuple[frozenset[Quantity], ...], ...]:
    """Of each cell, as it is written and as it is meant."""
    return tuple(tuple(_meant(quantities(cell), table.scale) for cell in row) for row in table.rows)


def _meant(values: frozenset[Quantity], scale: float) -> frozenset[Quantity]:
    if scale == 1.0:
        return values
    return values | {
        replace(one, value=one.value * scale, step=one.step * scale) for one in values if one.kind == "number"
    }


_FOOTNOTE = re.compile(r"(?<=\w)\s?(?:[(（]\d{1,2}[)）]\s?)+$")


class _Claim:
    """A claim's words and values with their places."""

    def __init__(self, text: str) -> None:
        self.text = normalise(text)
        self._places: dict[str, list[int]] = {}
        place = 0
        for word in words(text):
            # Parts of a Chinese compound come before it: they are looked for where they are asked for.
            found = self.text.find(word, place) if word.isascii() else -1
            if found >= 0:
                place = found + len(word)
                self._places.setdefault(stem(word), []).append(found)
        self.values = list(_values(text))
        self._rounded = is_rounded(text)

    def says(self, value: Quantity, there: frozenset[Quantity]) -> bool:
        return any(value.matches(other, rounded=self._rounded) for other in there)

    def places(self, key: str) -> Sequence[int]:
        """Where a word stands, as a stem; a Chinese one wherever its characters do, since it may be cut otherwise here."""
        if key not in self._places:
            found = () if key.isascii() else (match.start() for match in re.finditer(re.escape(key), self.text))
            self._places[key] = list(found)
        return self._places[key]


_WRITTEN = re.compile(
    r"(?<![A-Za-z\d.])(?:[$€£¥￥]\s?)?\(?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\)?"
    r"(?:\s?(?:%|％|percent|per cent|thousand|million|billion|[万亿千百]{1,2}))?"
)


def _values(text: str) -> Iterable[tuple[int, str, Quantity]]:
    for match in _WRITTEN.finditer(text):
        yield from ((match.start(), match.group(), value) for value in quantities(match.group()))


def _columns(said: _Claim, table: Table) -> _Named:
    heads = {column: _ordered(table.header[column]) for column in table.columns}
    return _named(said, heads, PARTLY) if len(heads) > 1 else _Named({})


def _rows(said: _Claim, table: Table) -> _Named:
    labels = {row: _ordered(table.label(row)) for row in range(len(table.rows))}
    return _named(said, labels, PARTLY_ROW) if len(labels) > 1 else _Named({})


def _named(said: _Claim, names: dict[int, tuple[str, ...]], partly: float) -> _Named:
    """Those of which the claim has every word that tells them from the others, or, where there is none such, most of them; of one that is
    part of another's name the longer, and none whose words all belong to others: "interest income was 3 and other expense 4" does not name
    `Interest expense`."""
    keys = {which: frozenset(words) for which, words in names.items()}
    shared = frozenset.intersection(*keys.values()) if keys else frozenset()
    # `Net bookings` above `In-game net bookings` has no word of its own, and is a name.
    own = {which: words - shared or words for which, words in keys.items() if words}
    there = {which: frozenset(word for word in words if said.places(word)) for which, words in own.items()}
    whole = {which for which, words in own.items() if there[which] == words}
    told = frozenset().union(*(own[which] for which in whole))
    share = {which: len(found) / len(own[which]) for which, found in there.items()}
    if whole:
        # "Fixed price was 5, the total 7": the total is named by a word that no row named whole has.
        rest = {which for which, found in there.items() if share[which] >= PARTLY and found - told}
        chosen = {which for which in whole if not _within(which, whole, own, said)} | rest
    else:
        most = max(share.values(), default=0.0)
        chosen = {which for which in share if most >= partly and share[which] == most}
    spoken = {which: tuple(word for word in names[which] if word in there[which]) for which in chosen}
    at = _mentions(spoken, said)
    return _Named(at, frozenset(whole & at.keys()))


def _mentions(names: dict[int, tuple[str, ...]], said: _Claim) -> dict[int, int]:
    """Where each name is said: its words nearest together, those that are said in one piece first, then the longest. What stands between a
    name's words is its own; a name that has no word left then is not said."""
    free = {word: list(said.places(word)) for words in names.values() for word in words}
    found = {which: _nearest_together(words, free) for which, words in names.items()}
    loose = {which: max(window) - min(window) > LOOSE * sum(map(len, names[which])) for which, window in found.items()}
    placed: dict[int, int] = {}
    for which in sorted(names, key=lambda which: (loose[which], -len(names[which]), which)):
        words = names[which]
        alike = next((other for other in placed if set(names[other]) == set(words)), None)
        if alike is not None:
            # `$ Difference` and `% Difference`: either may be meant.
            placed[which] = placed[alike]
            continue
        if placed and not any(free[word] for word in words):
            continue
        window = _nearest_together(words, {word: free[word] or list(said.places(word)) for word in words})
        placed[which] = min(window)
        taken = set(window) if loose[which] else range(min(window), max(window) + 1)
        free = {word: [place for place in places if place not in taken] for word, places in free.items()}
    return placed


def _nearest_together(words: Sequence[str], there: dict[str, list[int]]) -> list[int]:
    """A place for each word, in as little room as they take around the rarest of them: in the order of the name, or in any."""
    rarest = min(range(len(words)), key=lambda which: (len(there[words[which]]), words[which]))
    windows = []
    for at in there[words[rarest]]:
        near, ordered = [], []
        for which, word in enumerate(words):
            places = there[word]
            side = [place for place in places if which == rarest or (place < at) == (which < rarest)]
            near.append(at if which == rarest else min(places, key=lambda x: abs(x - at)))
            ordered.append(at if which == rarest else min(side or places, key=lambda x: abs(x - at)))
        windows += [ordered, near]
    return min(windows, key=lambda found: (max(found) - min(found), min(found)))


def _within(which: int, whole: set[int], own: dict[int, frozenset[str]], said: _Claim) -> bool:
    """Whether a name is said only as a part of longer ones."""
    longer = [own[other] for other in whole if own[which] < own[other]]
    return bool(longer) and all(len(said.places(word)) <= len(longer) for word in own[which])


def _keys(text: str) -> frozenset[str]:
    return frozenset(_ordered(text))


@lru_cache(maxsize=4096)
def _ordered(text: str) -> tuple[str, ...]:
    """Stems, each once, without the numbers of footnotes; of a text of nothing but stop words (`Other`) those."""
    found = words(_FOOTNOTE.sub("", text))
    telling = [stem(word) for word in found if word not in STOP_WORDS] or [stem(word) for word in found]
    return tuple(dict.fromkeys(telling))
