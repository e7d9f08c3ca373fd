"""BM25 over segmented words with SQLite's FTS5, in the library's file and transactions.

FTS5 scores by Okapi BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009, doi:10.1561/1500000019) after Porter
stemming, and returns the negated score.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answers import Filter
from rag.stores.database import Database
from rag.stores.filters import where
from rag.stores.permitted import Permitted
from rag.stores.postings import Postings
from rag.words import content_words, words

MAX_QUERY_WORDS = 64
"""A question of more distinct words is cut: each word costs a walk through its postings."""


_OVER_FETCH = 4
"""Where much is allowed, so many times as many as are wanted are looked at first, and so many times more while too few are allowed."""
_DEEPEST = 2_000
"""Matches that are looked at before all of them are."""


def collection_token(collection: str) -> str:
    """A collection's name as one word of the index: no two names share it, whatever characters they have."""
    return "c" + collection.encode().hex()


class SqliteLexicalIndex:
    """Satisfies LexicalIndex over the library's database."""

    def __init__(self, database: Database, permitted: Permitted | None = None) -> None:
        self._database = database
        self._permitted = permitted or Permitted(database)
        self._postings = Postings(database)

    def search(self, collection: str, text: str, k: int, allowed: Filter | None = None) -> list[tuple[str, float]]:
        wanted = list(dict.fromkeys(content_words(text) or words(text)))[:MAX_QUERY_WORDS]
        if not wanted or k < 1:
            return []
        few = self._permitted.rows(collection, allowed) if allowed else None
        if few is not None and not few:
            return []
        # Only selects: its weight in the score is 0. It costs a third of the search, so that a library with one collection, as most
        # are, is asked without it; the joins below hold in any case.
        only = f'collection : "{collection_token(collection)}"' if self._others(collection) else None
        known = self._postings.scores(wanted, only)
        if known is not None:
            return self._ranked(*known, collection, k, allowed, few)
        quoted = ['"' + word.replace('"', '""') + '"' for word in wanted]
        match = f"words : ({' OR '.join(quoted)})"
        if only:
            match = f"{only} AND {match}"
        if not allowed:
            return self._best(match, collection, k, None)
        if few is not None:
            return self._best(match, collection, k, allowed, json.dumps(few))
        return self._sieved(match, collection, k, allowed)

    def warm_up(self) -> int:
        """Reads what most questions need into memory; answers how many chunks of words."""
        return self._postings.warm_up()

    def _ranked(
        self,
        rows: NDArray[np.int64],
        scores: NDArray[np.float64],
        names: Sequence[str],
        collection: str,
        k: int,
        allowed: Filter | None,
        few: Sequence[int] | None,
    ) -> list[tuple[str, float]]:
        """The best `k` that are allowed, by score and row."""
        if few is not None:
            permitted = np.isin(rows, few)
            rows, scores = rows[permitted], scores[permitted]
        kept: list[tuple[str, float]] = []
        done, reach = 0, k * (2 if allowed and few is None else 1)
        while done < len(rows) and len(kept) < k:
            least = np.partition(scores, -reach)[-reach] if reach < len(rows) else -np.inf
            near = np.flatnonzero(scores >= least)
            order = near[np.lexsort((rows[near], -scores[near]))]
            block = order[done:]
            wanted = rows[block].tolist()
            # Without a filter, being among the collection's words is all that is asked.
            ids = self._among(wanted, collection, allowed) if allowed else {row: names[row] for row in wanted}
            found = zip(wanted, scores[block].tolist(), strict=True)
            kept.extend((ids[row], score) for row, score in found if row in ids)
            done, reach = len(order), len(order) * _OVER_FETCH
        return kept[:k]

    def _among(self, rows: Sequence[int], collection: str, allowed: Filter | None) -> dict[int, str]:
        """Ids of those rows that are of the collection and allowed."""
        condition, values = where(allowed)
        found = self._database.reader.execute(
            "SELECT c.rowid, c.id FROM json_each(?) asked CROSS JOIN chunks c ON c.rowid = asked.value "
            f"CROSS JOIN documents d ON d.id = c.document_id WHERE d.collection = ? AND {condition}",
            [json.dumps(rows), collection, *values],
        )
        return dict(found.fetchall())

    def _sieved(self, match: str, collection: str, k: int, allowed: Filter) -> list[tuple[str, float]]:
        """The best `k` that are allowed, out of all matches in their order. To score them all costs the same however many are wanted;
        to ask whether one is allowed costs more, and is done until there are enough."""
        for limit in (_DEEPEST, -1):
            ranked = self._database.reader.execute(
                "SELECT rowid, bm25(lexical, 1.0, 0.0) AS score FROM lexical WHERE lexical MATCH ? "
                "ORDER BY score, rowid LIMIT ?",
                (match, limit),
            ).fetchall()
            kept: list[tuple[str, float]] = []
            start, size = 0, k * _OVER_FETCH
            while start < len(ranked) and len(kept) < k:
                block = ranked[start : start + size]
                permitted = self._among([row for row, _ in block], collection, allowed)
                kept.extend((permitted[row], -score) for row, score in block if row in permitted)
                start, size = start + size, size * _OVER_FETCH
            if len(kept) >= k or len(ranked) < _DEEPEST:
                break
        return kept[:k]

    def _best(
        self, match: str, collection: str, limit: int, allowed: Filter | None, rows: str | None = None
    ) -> list[tuple[str, float]]:
        """What the filter allows of the best `limit` (-1: all) matches, or of the best among the `rows`."""
        condition, values = where(allowed)
        # The unary plus keeps SQLite from asking FTS5 for each row anew, with all its statistics.
        among = "AND +rowid IN (SELECT value FROM json_each(?))" if rows is not None else ""
        found = self._database.reader.execute(
            f"""
            SELECT c.id, found.score FROM (
              SELECT rowid, bm25(lexical, 1.0, 0.0) AS score FROM lexical WHERE lexical MATCH ? {among}
              ORDER BY score, rowid LIMIT ?
            ) found JOIN chunks c ON c.rowid = found.rowid JOIN documents d ON d.id = c.document_id
            WHERE d.collection = ? AND {condition} ORDER BY found.score, found.rowid""",
            [match, *([] if rows is None else [rows]), limit, collection, *values],
        )
        return [(chunk_id, -score) for chunk_id, score in found]

    def _others(self, collection: str) -> bool:
        """Whether there is a document of another collection."""
        found = self._database.reader.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE collection < ?1) OR EXISTS (SELECT 1 FROM documents WHERE collection > ?1)",
            (collection,),
        )
        return bool(found.fetchone()[0])
