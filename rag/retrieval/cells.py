"""Numbers and names of a claim against the cells of a table: each has to stand in the row and the column that the claim names.

A claim names a column by the words that tell its heading from the others' (`2019` of `Revenue 2019` and `Revenue 2020`), and a row by those of its
label. What it does not name it does not bind: `It was 44.1` may stand anywhere. Where a claim says as many values as it names columns (or
rows), the first value belongs to the first one named, and so on: "44.1 in 2019 and 56.7 in 2018", "in 2019 and 2018 44.1 and 56.7".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.retrieval.quantities import Quantity, missing, quantities
from rag.stems import stem
from rag.words import STOP_WORDS, normalise, words

_RULE = re.compile(r"^\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")
_PIPE = re.compile(r"(?<!\\)\|")
_VALUE = re.compile(
    r"[-–—+(<>≥≤~约]*\s*(?:[$€£¥￥]|US\$|HK\$|RMB)?\s*[-(]?\d[\d.,，]*(?:\s?(?:%|％|‰|[A-Za-z]+|[万亿千百]{1,2}))?"
)
PARTLY = 0.5
"""Share of a column's own words from which it is named where none is named whole; of a row's label more has to be there."""
PARTLY_ROW = 2 / 3
MOST_ROWS = 400


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a Markdown table, rows of one width; the first `labels` columns name the rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int

    @property
    def columns(self) -> range:
        """Those that hold values."""
        return range(self.labels, len(self.header))

    def label(self, row: int) -> str:
        return " ".join(self.rows[row][: self.labels])


def table_around(text: str, place: int) -> Table | None:
    """The table that a place of a text stands in; None outside of one."""
    lines = text.split("\n")
    at = text.count("\n", 0, place)
    first = last = at
    while first > 0 and _is_row(lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and _is_row(lines[last + 1]):
        last += 1
    whole = _is_row(lines[at]) and last - first >= 2
    return _parsed("\n".join(line.strip() for line in lines[first : last + 1])) if whole else None


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


@lru_cache(maxsize=64)
def _parsed(block: str) -> Table | None:
    lines = block.split("\n")
    if not _RULE.match(lines[1]):
        return None
    header, *rows = (_cells(line) for line in (lines[0], *lines[2 : MOST_ROWS + 2]))
    width = len(header)
    body = tuple((*row, *[""] * width)[:width] for row in rows if not _RULE.match("|" + "|".join(row) + "|"))
    if width < 2 or not body:
        return None
    labels = 1
    # A label over several columns: country and city, segment and product.
    while (
        labels < width - 1 and _repeats([row[:labels] for row in body]) and not _holds_values([r[labels] for r in body])
    ):
        labels += 1
    return Table(tuple(header), body, labels)


def _cells(line: str) -> tuple[str, ...]:
    parts = _PIPE.split(line)
    inside = parts[1:-1] if len(parts) > 2 and not parts[-1].strip() else parts[1:]
    return tuple(part.replace("\\|", "|").strip() for part in inside)


def _repeats(labels: Sequence[tuple[str, ...]]) -> bool:
    return len(set(labels)) < len(labels)


def _holds_values(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip("-–— ")]
    return bool(filled) and 2 * sum(1 for cell in filled if _VALUE.match(cell)) >= len(filled)


@dataclass(frozen=True, slots=True)
class _Named:
    """Columns or rows that a claim names, each with where it does."""

    at: dict[int, int]

    def __bool__(self) -> bool:
        return bool(self.at)

    @property
    def in_order(self) -> list[int]:
        return sorted(self.at, key=lambda which: self.at[which])


def named_rows(claim: str, table: Table) -> list[int]:
    """The rows whose label the claim has, in its order."""
    return _rows(_Claim(claim), table).in_order


def telling_row(claim: str, table: Table) -> int | None:
    """The row that has most of the claim's values, of those that it names; None where none has any."""
    said = _Claim(claim)
    named = _rows(said, table).in_order or range(len(table.rows))
    held = {
        row: sum(any(_has(table.rows[row][c], value, claim) for c in table.columns) for _, _, value in said.values)
        for row in named
    }
    best = max(named, key=lambda row: held[row])
    return best if held[best] or len(held) < len(table.rows) else None


def cells_of(line: str) -> tuple[str, ...]:
    """The cells of one row as it is written."""
    return _cells(line.strip())


def misplaced(claim: str, table: Table, claim_names: Iterable[str] = ()) -> list[str]:
    """Values and names of the claim that the table has, and none of them in a row and a column that the claim names."""
    said = _Claim(claim)
    columns, rows = _columns(said, table), _rows(said, table)
    heads = quantities(" ".join((*table.header, *(table.label(row) for row in range(len(table.rows))))))
    values = [
        (place, text, value) for place, text, value in said.values if not any(value.matches(head) for head in heads)
    ]
    cells = [
        [(r, c) for r, row in enumerate(table.rows) for c in table.columns if _has(row[c], value, claim)]
        for _, _, value in values
    ]
    readings = [
        [
            text
            for (_, text, _), places, row, column in zip(values, cells, own_rows, own_columns, strict=True)
            if places and not any((not row or r in row) and (not column or c in column) for r, c in places)
        ]
        for own_rows, own_columns in _readings(len(values), columns, rows)
    ]
    return min(readings, key=len) + _misplaced_names(claim_names, table, rows)


_Sets = list[frozenset[int]]


def _readings(wanted: int, columns: _Named, rows: _Named) -> list[tuple[_Sets, _Sets]]:
    """The rows and the columns that each value may stand in, in each way that the claim can be read; an empty set allows all."""
    every_row, every_column = [frozenset(rows.at)] * wanted, [frozenset(columns.at)] * wanted
    made: list[tuple[_Sets, _Sets]] = []
    if wanted > 1 and len(columns.at) == wanted:
        made.append((every_row, [frozenset({column}) for column in columns.in_order]))
    if wanted > 1 and len(rows.at) == wanted:
        made.append(([frozenset({row}) for row in rows.in_order], every_column))
    return made or [(every_row, every_column)]


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


def _has(cell: str, value: Quantity, claim: str) -> bool:
    there = quantities(cell)
    return any(value.matches(other) for other in there) or (
        bool(there) and value.step > 0 and not _lacks(claim, value, there)
    )


def _lacks(claim: str, value: Quantity, there: frozenset[Quantity]) -> bool:
    return value in missing(claim, there)


class _Claim:
    """A claim's words and values with their places."""

    def __init__(self, text: str) -> None:
        self.text = normalise(text)
        self.words: dict[str, int] = {}
        self.count: Counter[str] = Counter()
        place = 0
        for word in words(text):
            # Parts of a Chinese compound come before it: their order says nothing.
            found = self.text.find(word, place if word.isascii() else 0)
            if found >= 0:
                place = found if word.isascii() else place
                self.words.setdefault(stem(word), found)
                self.count[stem(word)] += 1
        self.values = list(_values(text))

    def find(self, key: str) -> int:
        """Where a word stands; −1 where it does not. A Chinese one may be cut otherwise here."""
        return self.words[key] if key in self.words else -1 if key.isascii() else self.text.find(key)


_WRITTEN = re.compile(
    r"(?<![A-Za-z\d.])(?:[$€£¥￥]\s?)?\(?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\)?"
    r"(?:\s?(?:%|％|percent|per cent|thousand|million|billion|[万亿千百]{1,2}))?"
)


def _values(text: str) -> Iterable[tuple[int, str, Quantity]]:
    for match in _WRITTEN.finditer(text):
        yield from ((match.start(), match.group(), value) for value in quantities(match.group()))


def _columns(said: _Claim, table: Table) -> _Named:
    heads = {column: _keys(table.header[column]) for column in table.columns}
    return _named(said, heads, PARTLY) if len(heads) > 1 else _Named({})


def _rows(said: _Claim, table: Table) -> _Named:
    labels = {row: _keys(table.label(row)) for row in range(len(table.rows))}
    return _named(said, labels, PARTLY_ROW) if len(labels) > 1 else _Named({})


def _named(said: _Claim, keys: dict[int, frozenset[str]], partly: float) -> _Named:
    """Those of which the claim has every word that tells them from the others, or, where there is none such, most of them; of one that is
    part of another's name the longer."""
    shared = frozenset.intersection(*keys.values()) if keys else frozenset()
    own = {which: words - shared for which, words in keys.items() if words - shared}
    there = {which: frozenset(word for word in words if said.find(word) >= 0) for which, words in own.items()}
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
    placed = {}
    for which in chosen:
        others = frozenset().union(*(own[other] for other in chosen if other != which))
        telling = (there[which] - others) or there[which]
        # A word of it may stand earlier for something else.
        placed[which] = max(said.find(word) for word in telling)
    return _Named(placed)


def _within(which: int, whole: set[int], own: dict[int, frozenset[str]], said: _Claim) -> bool:
    """Whether a name is said only as a part of longer ones."""
    longer = [own[other] for other in whole if own[which] < own[other]]
    return bool(longer) and all(said.count[word] <= len(longer) for word in own[which])


@lru_cache(maxsize=4096)
def _keys(text: str) -> frozenset[str]:
    """Stems; of a text of nothing but stop words (`Other`) those."""
    found = words(text)
    return frozenset(stem(word) for word in found if word not in STOP_WORDS) or frozenset(map(stem, found))
