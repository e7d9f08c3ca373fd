"""BM25 over segmented words with SQLite's FTS5, in the library's file and transactions.

FTS5 scores by Okapi BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009, doi:10.1561/1500000019) after Porter
stemming, and returns the negated score.
"""

from __future__ import annotations

import json

from rag.answers import Filter
from rag.stores.database import Database
from rag.stores.filters import where
from rag.stores.permitted import Permitted
from rag.words import content_words, words

MAX_QUERY_WORDS = 64
"""A question of more distinct words is cut: each word costs a walk through its postings."""


_OVER_FETCH = 4
"""Where much is allowed, so many times more are found than wanted, and the rest is dropped; and again as many when too few are left."""
_DEEPEST = 10_000


def collection_token(collection: str) -> str:
    """A collection's name as one word of the index: no two names share it, whatever characters they have."""
    return "c" + collection.encode().hex()


class SqliteLexicalIndex:
    """Satisfies LexicalIndex over the library's database."""

    def __init__(self, database: Database, permitted: Permitted | None = None) -> None:
        self._database = database
        self._permitted = permitted or Permitted(database)

    def search(self, collection: str, text: str, k: int, allowed: Filter | None = None) -> list[tuple[str, float]]:
        wanted = list(dict.fromkeys(content_words(text) or words(text)))[:MAX_QUERY_WORDS]
        if not wanted or k < 1:
            return []
        any_word = " OR ".join('"' + word.replace('"', '""') + '"' for word in wanted)
        match = f"words : ({any_word})"
        if self._others(collection):
            # Only selects: its weight in the score is 0. It costs a third of the search, so that a library with one collection,
            # as most are, is asked without it; the join below holds in any case.
            match = f'collection : "{collection_token(collection)}" AND {match}'
        if not allowed:
            return self._best(match, collection, k, None)
        few = self._permitted.rows(collection, allowed)
        if few is not None:
            return self._best(match, collection, k, allowed, json.dumps(few)) if few else []
        deep = k * _OVER_FETCH
        while deep < _DEEPEST:
            found = self._best(match, collection, deep, allowed)
            # As many as there are: either enough of them are allowed, or fewer match than were asked for.
            if len(found) >= k or self._matches(match, deep) < deep:
                return found[:k]
            deep *= _OVER_FETCH
        return self._best(match, collection, -1, allowed)[:k]

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

    def _matches(self, match: str, limit: int) -> int:
        """How many chunks match, up to `limit`."""
        row = self._database.reader.execute(
            "SELECT count(*) FROM (SELECT 1 FROM lexical WHERE lexical MATCH ? LIMIT ?)", (match, limit)
        )
        return int(row.fetchone()[0])

    def _others(self, collection: str) -> bool:
        """Whether there is a document of another collection."""
        found = self._database.reader.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE collection < ?1) OR EXISTS (SELECT 1 FROM documents WHERE collection > ?1)",
            (collection,),
        )
        return bool(found.fetchone()[0])
