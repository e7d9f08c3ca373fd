"""Chroma as the derived vector index: one Chroma collection per IndexKey, ids and vectors only.

Text and metadata stay in the library: Chroma's own `where` filters cost 65–760 ms at 100,000 chunks, and adding documents
and metadata costs five times as much as vectors alone (docs/benchmarks.md).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rag.errors import StoreCorrupt, Unavailable
from rag.protocols import IndexKey, Vectors

_HNSW = {
    "space": "cosine",
    # recall@100 was 0.81 with Chroma's defaults at 100,000 chunks.
    "ef_construction": 200,
    "max_neighbors": 32,
    "ef_search": 200,
    # A kill while Chroma writes its HNSW files broke them in 3 of 85 trials; it writes them every `sync_threshold` adds,
    # and until then replays them from its SQLite at start. `settle` has them written at a time of our choosing.
    "sync_threshold": 100_000,
}
_SETTLED_THRESHOLD = 1_000
_MAX_BATCH = 5_000
_MAX_K = 10_000

T = TypeVar("T")


class ChromaVectorStore:
    """Satisfies VectorStore over an embedded Chroma in a folder, or a Chroma server.

    An embedded Chroma belongs to one process: whoever opens the folder has to own the data directory.
    """

    def __init__(self, folder: Path | None = None, *, host: str = "", port: int = 8000, ssl: bool = False) -> None:
        self._where = str(folder) if folder else f"{host}:{port}"
        self._folder, self._server = folder, (host, port, ssl)
        self._collections: dict[IndexKey, Any] = {}
        self._absent: set[IndexKey] = set()
        self._guard = threading.RLock()
        self._client = self._connect()

    def _connect(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False, allow_reset=False)
        folder, (host, port, ssl) = self._folder, self._server
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                return chromadb.PersistentClient(str(folder), settings=settings)
            return chromadb.HttpClient(host=host, port=port, ssl=ssl, settings=settings)
        except Exception as error:
            if folder is None:
                raise Unavailable(
                    f"No Chroma server answers at {self._where}: {error}.",
                    "Start it, or correct `index.host` and `index.port`, or leave `index.host` empty for the embedded one.",
                ) from error
            # Chroma keeps its half-open system by path, and would hand it to whoever opens the repaired folder next.
            from chromadb.api.shared_system_client import SharedSystemClient

            SharedSystemClient.clear_system_cache()
            raise StoreCorrupt(
                f"The vector index in {self._where} cannot be opened: {error}.",
                "Run `tuwen doctor --rebuild`: it makes the index anew from the library.",
            ) from error

    def upsert(self, key: IndexKey, ids: Sequence[str], vectors: Vectors) -> None:
        if not ids:
            return
        with self._guard:
            collection = self._open(key, create=True)
            for start in range(0, len(ids), _MAX_BATCH):
                part = slice(start, start + _MAX_BATCH)
                self._call(partial(collection.upsert, ids=list(ids[part]), embeddings=vectors[part]))

    def delete(self, key: IndexKey, ids: Sequence[str]) -> None:
        with self._guard:
            collection = self._open(key) if ids else None
            if collection is None:
                return
            for start in range(0, len(ids), _MAX_BATCH):
                self._call(partial(collection.delete, ids=list(ids[start : start + _MAX_BATCH])))

    def query(self, key: IndexKey, vector: Vectors, k: int) -> list[tuple[str, float]]:
        collection = self._open(key)
        if collection is None or k < 1:
            return []
        wanted = min(k, _MAX_K)
        ask = partial(collection.query, query_embeddings=vector[np.newaxis], n_results=wanted, include=["distances"])
        found: Any = self._call(ask)
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(id_, 1.0 - float(distance)) for id_, distance in pairs]

    def count(self, key: IndexKey) -> int:
        collection = self._open(key)
        return 0 if collection is None else int(self._call(collection.count))

    def ids(self, key: IndexKey) -> set[str]:
        collection = self._open(key)
        return set() if collection is None else set(self._call(partial(collection.get, include=[]))["ids"])

    def held(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        there: list[str] = []
        vectors: list[Vectors] = []
        collection = self._open(key) if ids else None
        if collection is None:
            return there, np.zeros((0, 0), np.float32)
        for start in range(0, len(ids), _MAX_BATCH):
            part = list(ids[start : start + _MAX_BATCH])
            found: Any = self._call(partial(collection.get, ids=part, include=["embeddings"]))
            if found["ids"]:
                there += found["ids"]
                vectors.append(np.asarray(found["embeddings"], np.float32))
        return there, np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def keys(self) -> list[IndexKey]:
        found = self._call(self._client.list_collections)
        described = [collection.metadata or {} for collection in found]
        return [IndexKey(m["collection"], m["space"], m["content"]) for m in described if "space" in m]

    def drop(self, key: IndexKey) -> None:
        with self._guard:
            if self._open(key) is not None:
                self._call(partial(self._client.delete_collection, _name(key)))
                self._collections.pop(key, None)

    def settle(self) -> None:
        """Writes the graphs out, so that the next opening reads them instead of adding every vector again: 0.2 s instead of 8 s at
        9,000 vectors. Takes as long as that once; nobody may use the store meanwhile. A server sees to this itself.

        Chroma writes when a collection is opened whose threshold is below what it has to replay, so it is opened twice: with a low
        threshold, and with the usual one.
        """
        if self._folder is None:
            return
        with self._guard:
            for threshold in (_SETTLED_THRESHOLD, _HNSW["sync_threshold"]):
                for collection in self._call(self._client.list_collections):
                    configuration = {"hnsw": {"sync_threshold": threshold}}
                    self._call(partial(collection.modify, configuration=configuration))
                self.close()
                self._client = self._connect()
                for key in self.keys():
                    self.count(key)

    def close(self) -> None:
        self._collections.clear()
        self._absent.clear()
        # The embedded client is cached by path inside Chroma; without this a second open in one process shares it.
        close = getattr(self._client, "close", None)
        if close is not None:
            close()

    def _open(self, key: IndexKey, *, create: bool = False) -> Any:
        known = self._collections.get(key)
        if known is not None:
            return known
        with self._guard:
            if not create and key in self._absent:
                return None
            if create:
                made: Any = self._call(
                    partial(
                        self._client.get_or_create_collection,
                        _name(key),
                        embedding_function=None,
                        configuration={"hnsw": _HNSW},
                        metadata={"collection": key.collection, "space": key.space_id, "content": key.content},
                    )
                )
            else:
                try:
                    made = self._client.get_collection(_name(key), embedding_function=None)
                except Exception as error:
                    if type(error).__name__ == "NotFoundError":
                        # Only this process makes collections in a folder; to be told again that there are no pictures takes 0.5 ms.
                        if self._folder is not None:
                            self._absent.add(key)
                        return None
                    raise self._broken(error) from error
            self._absent.discard(key)
            self._collections[key] = made
            return made

    def _call(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except Exception as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> StoreCorrupt:
        return StoreCorrupt(
            f"The vector index in {self._where} failed: {error}.",
            "Run `tuwen doctor --rebuild`: it makes the index anew from the library.",
        )


def _name(key: IndexKey) -> str:
    """Chroma allows 512 characters of [a-zA-Z0-9._-]; a collection of ours may have any name."""
    return f"{key.content}-{key.space_id}-{hashlib.sha256(key.collection.encode()).hexdigest()[:16]}"
