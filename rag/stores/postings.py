"""BM25 scores of single words, kept in memory: of 20 ms that FTS5 takes for eight words in 100,000 chunks, 18 go into the scores of the
18,000 that have one of them, and the words that so many have come again in most questions.

They are made from the places of a word, which FTS5 tells (fts5vocab, `instance`), and the lengths of all chunks, by FTS5's own formula: the
same scores as its `bm25` gives, in 0.2 µs a place instead of 1.2, and by one statement, so that others run meanwhile. Where FTS5 looks
up several terms for a word, it is asked itself. What it gives for several words is their sum. All is kept while the index stays as it
is, and only from the second search on: while documents come in, nothing is gathered that would be thrown away.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.stores.database import Database
from rag.stores.terms import Terms

CAPACITY = 3_000_000
"""Chunks of all words kept together, 12 bytes each: 36 MB."""
SHARE = 0.05
"""Of the time, at most, that goes into reading lengths anew when the index changes again and again."""
_STATE = "SELECT group_concat(hex(block), ' ') FROM lexical_data WHERE id IN (1, 10)"
"""FTS5's totals and its list of segments, two rows that every change of the index rewrites (SQLite's description of FTS5, 5)."""
_LENGTHS = "SELECT group_concat(id), group_concat(hex(sz)) FROM lexical_docsize"
_NAMES = "SELECT group_concat(rowid), group_concat(id, char(10)) FROM chunks"
_COMMON = "SELECT term, cnt FROM lexical_words WHERE col = 'words' ORDER BY doc DESC LIMIT 2000"
_PLACES = "SELECT group_concat(doc) FROM lexical_places WHERE term = ? AND col = 'words'"
_K1, _B, _LEAST_IDF = 1.2, 0.75, 1e-6

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Chunks:
    """`weights` is what BM25 adds to a frequency, k1 · (1 − b + b · length / average), and `names` the id, by row."""

    count: int
    weights: NDArray[np.float64]
    names: list[str]


class Postings:
    """Safe to use from several threads."""

    def __init__(
        self, database: Database, capacity: int = CAPACITY, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._database, self._capacity, self._now = database, capacity, clock
        self._guard = threading.Lock()
        self._terms = Terms()
        self._state: str | None = None
        self._chunks: _Chunks | None = None
        self._not_before = -math.inf
        self._kept: OrderedDict[tuple[str, str], tuple[Rows, Scores]] = OrderedDict()
        self._members: dict[str, NDArray[np.bool_]] = {}
        self._size = 0

    def scores(
        self, words: Sequence[str], among: str | None = None
    ) -> tuple[Rows, NDArray[np.float64], Sequence[str]] | None:
        """Rows of the chunks with any of the words, in no order, and their BM25 scores; of the chunks only that `among` matches, as FTS5
        is asked. Then the ids of all chunks by row. None where the index has changed since the last time, or changes too often."""
        state = str(self._database.reader.execute(_STATE).fetchone()[0])
        with self._guard:
            if state != self._state:
                self._state, self._size, self._chunks = state, 0, None
                self._kept.clear()
                self._members.clear()
                return None
            if self._chunks is None:
                self._chunks = self._read_chunks()
            chunks = self._chunks
        if chunks is None:
            return None
        found = [self._of(word, term, state, chunks) for word, term in zip(words, self._terms.of(words), strict=True)]
        rows = np.concatenate([rows for rows, _ in found])
        if rows.max(initial=0) >= len(chunks.weights):
            return None  # published since the lengths were read
        sums = np.bincount(rows, weights=np.concatenate([scores for _, scores in found]), minlength=len(chunks.weights))
        # Each row once: where it was written down last. To look through the sums of all chunks takes five times as long.
        places = np.arange(len(rows))
        last = np.empty(len(sums), np.intp)
        last[rows] = places
        matching = rows[last[rows] == places]
        if among is not None:
            matching = matching[self._members_of(among, state, len(chunks.weights))[matching]]
        return matching, sums[matching], chunks.names

    def warm_up(self) -> int:
        """Reads the commonest words' places, which take longest, as far as half the room goes; answers their chunks."""
        for _ in range(2):
            self.scores(["a"])
        with self._guard:
            state, chunks = self._state, self._chunks
        if state is None or chunks is None:
            return 0
        for term, places in self._database.reader.execute(_COMMON).fetchall():
            if self._size + places > self._capacity // 2:
                break
            self._of(term, term, state, chunks)
        return self._size

    def _read_chunks(self) -> _Chunks | None:
        began = self._now()
        if began < self._not_before:
            return None
        reader = self._database.reader
        rows, sizes = reader.execute(_LENGTHS).fetchone()
        named, names = reader.execute(_NAMES).fetchone()
        if rows is None or named is None:
            return None
        by_row = np.fromstring(rows, np.int64, sep=",")
        coded = sizes.split(",")
        length_of = {code: _length(code) for code in set(coded)}
        lengths = np.zeros(int(by_row.max()) + 1)
        lengths[by_row] = [length_of[code] for code in coded]
        ids = [""] * len(lengths)
        for row, name in zip(np.fromstring(named, np.int64, sep=",").tolist(), names.split("\n"), strict=True):
            if row < len(ids):
                ids[row] = name
        ended = self._now()
        self._not_before = ended + (ended - began) / SHARE
        average = lengths.sum() / len(by_row)
        return _Chunks(len(by_row), _K1 * (1 - _B + _B * lengths / average), ids)

    def _of(self, word: str, term: str | None, state: str, chunks: _Chunks) -> tuple[Rows, Scores]:
        key = (word, "") if term is None else ("", term)
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._by_fts5(word) if term is None else self._by_places(term, chunks)
        with self._guard:
            if state == self._state and key not in self._kept:
                self._kept[key] = made
                self._size += len(made[0])
                while self._size > self._capacity:
                    self._size -= len(self._kept.popitem(last=False)[1][0])
        return made

    def _by_places(self, term: str, chunks: _Chunks) -> tuple[Rows, Scores]:
        (text,) = self._database.reader.execute(_PLACES, (term,)).fetchone()
        if text is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        places = np.fromstring(text, np.int64, sep=",")
        first = np.flatnonzero(np.diff(places, prepend=-1))
        rows = places[first]
        often = np.diff(first, append=len(places)).astype(np.float64)
        if rows[-1] >= len(chunks.weights):
            return rows, often.astype(np.float32)  # published since the lengths were read: nobody looks at the scores
        idf = math.log((chunks.count - len(rows) + 0.5) / (len(rows) + 0.5))
        scores = (idf if idf > 0 else _LEAST_IDF) * often * (_K1 + 1) / (often + chunks.weights[rows])
        return rows, scores.astype(np.float32)

    def _by_fts5(self, word: str) -> tuple[Rows, Scores]:
        match = 'words : "' + word.replace('"', '""') + '"'
        found = self._database.reader.execute(
            "SELECT rowid, -bm25(lexical, 1.0, 0.0) FROM lexical WHERE lexical MATCH ? ORDER BY rowid", (match,)
        ).fetchall()
        pairs = np.array(found, np.float64).reshape(-1, 2)
        return pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.float32)

    def _members_of(self, match: str, state: str, size: int) -> NDArray[np.bool_]:
        with self._guard:
            if match in self._members:
                return self._members[match]
        (text,) = self._database.reader.execute(
            "SELECT group_concat(rowid) FROM lexical WHERE lexical MATCH ?", (match,)
        ).fetchone()
        rows = np.fromstring(text or "", np.int64, sep=",")
        made = np.zeros(size, np.bool_)
        made[rows[rows < size]] = True
        with self._guard:
            if state == self._state:
                self._members[match] = made
        return made


def _length(code: str) -> int:
    """Tokens of a row in all columns, from the hexadecimal digits of SQLite's variable-length integers: seven bits a byte, the high bit
    where another follows (SQLite's file format, 1.4; a length has never its ninth byte)."""
    total = value = 0
    for byte in bytes.fromhex(code):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            total, value = total + value, 0
    return total
