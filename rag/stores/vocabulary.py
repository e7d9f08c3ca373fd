"""The words of the lexical index as they are written, read from FTS5's own term list (fts5vocab)."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from rag.answers import Filter
from rag.stores.database import Database
from rag.stores.filters import where
from rag.stores.lexical import collection_token

_REMEMBERED = 50_000


class SqliteVocabulary:
    """Satisfies Vocabulary over the library's database. The words of a letter are read once (10 ms for 4,000), what was asked without a
    filter is remembered (0.03 ms a word), both until the library changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._version = -1
        self._letters: dict[str, dict[str, int]] = {}
        self._known: dict[tuple[int, str, str], bool] = {}

    def has(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        if allowed:
            return self._found(collection, word, allowed)
        # Read before the index is: what is committed meanwhile is filed under the older version, and looked for no more.
        key = (self._database.version, collection, word)
        known = self._known.get(key)
        if known is None:
            known = self._found(collection, word, None)
            if len(self._known) >= _REMEMBERED:
                self._known = {}
            self._known[key] = known
        return known

    def _found(self, collection: str, word: str, allowed: Filter | None) -> bool:
        quoted = word.replace('"', '""')
        match = f'collection : "{collection_token(collection)}" AND words : "{quoted}"'
        condition, values = where(allowed)
        narrowed = (
            f"JOIN chunks c ON c.rowid = lexical.rowid JOIN documents d ON d.id = c.document_id WHERE {condition} AND"
            if allowed
            else "WHERE"
        )
        found = self._database.reader.execute(
            f"SELECT EXISTS (SELECT 1 FROM lexical {narrowed} lexical MATCH ?)", [*values, match]
        )
        return bool(found.fetchone()[0])

    def written(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        """By its form, not its stem: a form that only others have would tell of them."""
        quoted = word.replace('"', '""')
        condition, values = where(allowed)
        found = self._database.reader.execute(
            "SELECT EXISTS (SELECT 1 FROM spellings JOIN chunks c ON c.rowid = spellings.rowid JOIN documents d ON d.id = c.document_id "
            f"WHERE spellings MATCH ? AND d.collection = ? AND ({condition}))",
            [f'"{quoted}"', collection, *values],
        )
        return bool(found.fetchone()[0])

    def beginning(self, letter: str) -> Mapping[str, int]:
        version = self._database.version
        with self._guard:
            if version != self._version:
                self._version, self._letters = version, {}
            if letter not in self._letters:
                rows = self._database.reader.execute(
                    "SELECT term, doc FROM spelled WHERE term >= ? AND term < ?", (letter, chr(ord(letter) + 1))
                )
                self._letters[letter] = {term: count for term, count in rows if term.isalpha()}
            return self._letters[letter]
