"""BM25 scores of single words, kept in memory: of 20 ms that FTS5 takes for eight words in 100,000 chunks, 18 go into the scores of the
18,000 that have one of them, and the words that so many have come again in most questions.

The scores are FTS5's own, asked for word by word: what it gives for several words is their sum. They are kept while the index stays as
it is, and only from the second search on: while documents come in, nothing is gathered that would be thrown away.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.stores.database import Database

CAPACITY = 3_000_000
"""Chunks of all words kept together, 12 bytes each: 36 MB."""
_STATE = "SELECT group_concat(hex(block), ' ') FROM lexical_data WHERE id IN (1, 10)"
"""FTS5's totals and its list of segments, two rows that every change of the index rewrites (SQLite's description of FTS5, 5)."""

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class Postings:
    """Safe to use from several threads."""

    def __init__(self, database: Database, capacity: int = CAPACITY) -> None:
        self._database, self._capacity = database, capacity
        self._guard = threading.Lock()
        self._state: str | None = None
        self._kept: OrderedDict[str, tuple[Rows, Scores]] = OrderedDict()
        self._size = 0

    def scores(self, words: Sequence[str], among: str | None = None) -> tuple[Rows, NDArray[np.float64]] | None:
        """Rows of the chunks with any of the words, `words : "…"` each as FTS5 is asked for it, ascending, and their BM25 scores; of the
        chunks that `among` matches only. None where the index has changed since the last time."""
        state = str(self._database.reader.execute(_STATE).fetchone()[0])
        with self._guard:
            if state != self._state:
                self._state, self._size = state, 0
                self._kept.clear()
                return None
        found = [self._of(word, state, scored=True) for word in words]
        rows = np.concatenate([rows for rows, _ in found])
        sums = np.asarray(np.bincount(rows, weights=np.concatenate([scores for _, scores in found])), np.float64)
        if among is None:
            matching = np.flatnonzero(sums)
        else:
            members = self._of(among, state, scored=False)[0]
            matching = members[: int(np.searchsorted(members, len(sums)))]
            matching = matching[sums[matching] > 0]
        return matching, sums[matching]

    def _of(self, match: str, state: str, *, scored: bool) -> tuple[Rows, Scores]:
        with self._guard:
            if match in self._kept:
                self._kept.move_to_end(match)
                return self._kept[match]
        score = "-bm25(lexical, 1.0, 0.0)" if scored else "0"
        found = self._database.reader.execute(
            f"SELECT rowid, {score} FROM lexical WHERE lexical MATCH ? ORDER BY rowid", (match,)
        ).fetchall()
        pairs = np.array(found, np.float64).reshape(-1, 2)
        made = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.float32)
        with self._guard:
            if state == self._state and match not in self._kept:
                self._kept[match] = made
                self._size += len(found)
                while self._size > self._capacity:
                    self._size -= len(self._kept.popitem(last=False)[1][0])
        return made
