"""BM25 over segmented words with SQLite's FTS5, in the library's file and transactions.

FTS5 scores by Okapi BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009, doi:10.1561/1500000019) after Porter
stemming, and returns the negated score.
"""

from __future__ import annotations

from rag.answers import Filter
from rag.stores.database import Database
from rag.stores.filters import where
from rag.words import content_words, words

MAX_QUERY_WORDS = 64
"""A question of more distinct words is cut: each word costs a walk through its postings."""


def collection_token(collection: str) -> str:
    """A collection's name as one word of the index: no two names share it, whatever characters they have."""
    return "c" + collection.encode().hex()


class SqliteLexicalIndex:
    """Satisfies LexicalIndex over the library's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        condition, values = where(allowed)
        if allowed:
            statement = f"""
                SELECT c.id, bm25(lexical, 1.0, 0.0) AS score FROM lexical
                JOIN chunks c ON c.rowid = lexical.rowid JOIN documents d ON d.id = c.document_id
                WHERE lexical MATCH ? AND d.collection = ? AND {condition} ORDER BY score LIMIT ?"""
            rows = self._database.reader.execute(statement, [match, collection, *values, k])
        else:
            statement = """
                SELECT c.id, found.score FROM (
                  SELECT rowid, bm25(lexical, 1.0, 0.0) AS score FROM lexical WHERE lexical MATCH ? ORDER BY score LIMIT ?
                ) found JOIN chunks c ON c.rowid = found.rowid JOIN documents d ON d.id = c.document_id
                WHERE d.collection = ? ORDER BY found.score"""
            rows = self._database.reader.execute(statement, [match, k, collection])
        return [(chunk_id, -score) for chunk_id, score in rows]

    def _others(self, collection: str) -> bool:
        """Whether there is a document of another collection."""
        found = self._database.reader.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE collection < ?1) OR EXISTS (SELECT 1 FROM documents WHERE collection > ?1)",
            (collection,),
        )
        return bool(found.fetchone()[0])
