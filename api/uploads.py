"""The queue of uploaded files, in the library's database: an upload that was accepted is ingested, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.documents import Document
from rag.errors import NotFound
from rag.hashing import sha256_of
from rag.stores.library import SqliteLibrary

_COLUMNS = "id, collection, name, sha256, size, state, message, remedy"


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file on its way. `id` is the document's. `message` and `remedy` tell of a failure."""

    id: str
    collection: str
    name: str
    sha256: str
    size: int
    state: str
    message: str = ""
    remedy: str = ""


class Uploads:
    """Satisfies what the routes and the runner need; each state change is one transaction."""

    def __init__(self, library: SqliteLibrary, now: Callable[[], float] = time.time) -> None:
        self._library, self._now = library, now

    def accept(self, path: Path, name: str, collection: str) -> Upload:
        """Takes the file over: once this returns, the bytes are stored and the work is queued."""
        sha256 = sha256_of(path)
        self._library.blobs.put_file(path, sha256)
        upload = Upload(Document.make_id(collection, name), collection, name, sha256, path.stat().st_size, "queued")
        with self._library.database.transaction() as db:
            db.execute(
                f"INSERT OR REPLACE INTO uploads ({_COLUMNS}, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.id,
                    upload.collection,
                    upload.name,
                    upload.sha256,
                    upload.size,
                    upload.state,
                    "",
                    "",
                    self._now(),
                ),
            )
        return upload

    def get(self, id_: str) -> Upload:
        """Raises NotFound."""
        row = self._library.database.reader.execute(f"SELECT {_COLUMNS} FROM uploads WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise NotFound(f"There is no file with id {id_}.", "GET /v1/files lists those there are.")
        return Upload(*row)

    def all(self, collection: str | None = None) -> list[Upload]:
        rows = self._library.database.reader.execute(
            f"SELECT {_COLUMNS} FROM uploads WHERE ?1 IS NULL OR collection = ?1 ORDER BY at", (collection,)
        )
        return [Upload(*row) for row in rows]

    def requeue_interrupted(self) -> int:
        """At start: what an earlier process was working on when it ended is work again."""
        with self._library.database.transaction() as db:
            return db.execute("UPDATE uploads SET state = 'queued' WHERE state = 'running'").rowcount

    def take(self, limit: int) -> list[Upload]:
        """The oldest queued uploads of one collection, marked as running."""
        with self._library.database.transaction() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM uploads WHERE state = 'queued' AND collection = "
                "(SELECT collection FROM uploads WHERE state = 'queued' ORDER BY at LIMIT 1) ORDER BY at LIMIT ?",
                (limit,),
            ).fetchall()
            db.executemany("UPDATE uploads SET state = 'running' WHERE id = ?", [(row[0],) for row in rows])
        return [Upload(*row) for row in rows]

    def settle(self, upload: Upload, state: str, message: str = "", remedy: str = "") -> None:
        """The end of the work, unless the same file was uploaded anew, or deleted, in the meantime."""
        with self._library.database.transaction() as db:
            db.execute(
                "UPDATE uploads SET state = ?, message = ?, remedy = ? WHERE id = ? AND sha256 = ? AND state = 'running'",
                (state, message, remedy, upload.id, upload.sha256),
            )
