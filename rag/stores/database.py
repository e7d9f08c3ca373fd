"""One SQLite file, one writer at a time, a reading connection per thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from rag.errors import StoreCorrupt
from rag.stores.schema import migrate

# A power cut may lose the last transactions, never an older one and never half of one (SQLite's WAL documentation);
# a killed process loses nothing that was committed. FULL would cost one fsync for each of thousands of small documents.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    "PRAGMA mmap_size = 1073741824",
)


class Database:
    """Opens (and if necessary creates or migrates) the library's file. Raises StoreCorrupt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self.version = 0
        """Rises after every transaction of this process: what was read under an older one may be out of date."""
        try:
            self._writer = self._connect()
            migrate(self._writer)
        except sqlite3.DatabaseError as error:
            raise StoreCorrupt(
                f"The library {path} cannot be opened: {error}.",
                "Restore it from a copy, or move the data directory away and ingest again.",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        # Connections are used by one thread each; only close() reaches over from another.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        with self._guard:
            self._opened.append(connection)
        return connection

    @property
    def reader(self) -> sqlite3.Connection:
        """This thread's connection for reading: it sees what was committed when a statement begins."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            # Where each word of the lexical index stands, and how many there are of each.
            connection.execute("CREATE VIRTUAL TABLE temp.lexical_words USING fts5vocab (main, lexical, col)")
            connection.execute("CREATE VIRTUAL TABLE temp.lexical_places USING fts5vocab (main, lexical, instance)")
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
        return connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection in a transaction: committed at the end, rolled back when anything is raised."""
        with self._writing:
            if self._writer.in_transaction:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
            self.version += 1

    def shrink(self) -> None:
        """Gives back to the file system what deleted and shortened rows left. Takes as long as copying the file, and as much room."""
        with self._writing:
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
