"""Which rows of chunks a filter allows, when they are few: remembered until something is written.

A conversation asks again and again under one filter, and the retrievers of one question ask side by side.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from rag.answers import Filter
from rag.stores.database import Database
from rag.stores.filters import where

FEW = 5_000
"""Rows that are kept in mind for one filter, at most."""
_REMEMBERED = 64

_Key = tuple[int, str, Filter]


class Permitted:
    """Safe to use from several threads."""

    def __init__(self, database: Database, few: int = FEW) -> None:
        self._database, self._few = database, few
        self._known: OrderedDict[_Key, tuple[int, ...] | None] = OrderedDict()
        self._guard = threading.Lock()

    def rows(self, collection: str, allowed: Filter) -> tuple[int, ...] | None:
        """`chunks.rowid` of all that the filter allows in a collection; None when they are more than `few`.

        A shortcut, not the rule: a row may have got another chunk by the time it is read, so that whoever reads it applies the
        filter there, too.
        """
        # Read before the rows are: what is committed meanwhile is filed under the older version, and looked for no more.
        key = (self._database.version, collection, allowed)
        with self._guard:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        condition, values = where(allowed)
        found = self._database.reader.execute(
            "SELECT c.rowid FROM documents d JOIN chunks c ON c.document_id = d.id "
            f"WHERE d.collection = ? AND {condition} LIMIT ?",
            [collection, *values, self._few + 1],
        ).fetchall()
        rows = tuple(row[0] for row in found) if len(found) <= self._few else None
        with self._guard:
            self._known[key] = rows
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return rows
