"""What FTS5 makes of a word: the term that it looks up in its index."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""Of the table `lexical` (rag/stores/schema.py)."""
_REMEMBERED = 50_000


class Terms:
    """FTS5's own tokenizer, asked through an empty table of a database in memory. Safe to use from several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: OrderedDict[str, str | None] = OrderedDict()
        self._db: sqlite3.Connection | None = None

    def of(self, words: Sequence[str]) -> list[str | None]:
        """The term of each word; None for one that is cut into several, or has none."""
        with self._guard:
            missing = [word for word in dict.fromkeys(words) if word not in self._known]
            found = self._ask(missing) if missing else {}
            terms = [found[word] if word in found else self._known[word] for word in words]
            self._known.update(found)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return terms

    def _ask(self, words: Sequence[str]) -> dict[str, str | None]:
        db = self._opened()
        db.execute("BEGIN")
        db.executemany("INSERT INTO asked (rowid, word) VALUES (?, ?)", list(enumerate(words)))
        rows = db.execute("SELECT doc, term FROM cut").fetchall()
        db.execute("ROLLBACK")
        cut: dict[int, list[str]] = {}
        for place, term in rows:
            cut.setdefault(place, []).append(term)
        return {word: terms[0] if len(terms := cut.get(place, [])) == 1 else None for place, word in enumerate(words)}

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._db.execute(f"CREATE VIRTUAL TABLE asked USING fts5 (word, tokenize = '{TOKENIZER}')")
            self._db.execute("CREATE VIRTUAL TABLE cut USING fts5vocab (asked, 'instance')")
        return self._db
