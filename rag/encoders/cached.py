"""A text encoder that remembers passages: what was encoded once, by any process, comes from a file.

For runs that differ in how text is cut or searched: a sweep over chunk sizes encodes each text once. Questions are not
remembered, because how long they take is measured. With int8 weights a text's vector depends a little on its neighbours in the
batch (rag/encoders/text_onnx.py); one that is remembered is the same in every run.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.encoders.wrapped import WrappedTextEncoder
from rag.protocols import TextEncoder, Vectors

log = logging.getLogger(__name__)

LIMIT_BYTES = 4_000_000_000
"""2.4 million vectors of 384 dimensions."""

_BATCH = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
  space TEXT NOT NULL, digest BLOB NOT NULL, vector BLOB NOT NULL, UNIQUE (space, digest)
)
"""


class CachedTextEncoder(WrappedTextEncoder):
    """Satisfies TextEncoder over another one. Safe to use from several threads, and from several processes over one file.

    `path` is an SQLite file, made when it is not there; it may be deleted whenever nobody uses it, and is begun anew when it
    is damaged. Beyond `limit_bytes` of vectors the oldest are forgotten.
    """

    def __init__(self, inner: TextEncoder, path: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__(inner)
        self._limit = max(1, limit_bytes // (inner.space.dimension * 4))
        self._guard = threading.Lock()
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            log.warning("The vectors in %s cannot be read (%s): they are made anew.", path, error)
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            self._db = _open(path)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16] for text in texts]
        known = self._known(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = self._inner.encode_passages(list(missing.values()))
            known.update(zip(missing, made, strict=True))
            self._keep(list(missing), made)
        vectors = np.zeros((len(texts), self.space.dimension), np.float32)
        for row, key in enumerate(keys):
            vectors[row] = known[key]
        return vectors

    def close(self) -> None:
        with self._guard:
            self._db.close()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        wanted = list(dict.fromkeys(keys))
        found: dict[bytes, Vectors] = {}
        with self._guard:
            for start in range(0, len(wanted), _BATCH):
                part = wanted[start : start + _BATCH]
                rows = self._db.execute(
                    f"SELECT digest, vector FROM vectors WHERE space = ? AND digest IN ({','.join('?' * len(part))})",
                    (self.space.id, *part),
                )
                found.update((digest, np.frombuffer(vector, "<f4")) for digest, vector in rows)
        # A length that does not fit is damage: such a text is encoded again.
        return {digest: vector for digest, vector in found.items() if len(vector) == self.space.dimension}

    def _keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        rows = [(self.space.id, key, row.astype("<f4").tobytes()) for key, row in zip(keys, vectors, strict=True)]
        with self._guard, self._db:
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            self._db.execute("DELETE FROM vectors WHERE rowid <= (SELECT max(rowid) FROM vectors) - ?", (self._limit,))


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One connection for all threads, used under a lock.
    db = sqlite3.connect(path, timeout=60, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 60000"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(_SCHEMA)
    db.commit()
    return db
