"""The vectors of the library: kept by what they were made from, read under filters, and all that the vector index is derived from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from rag.answers import Filter
from rag.errors import SpaceMismatch
from rag.protocols import IndexKey, Space, Vectors
from rag.stores import publishing
from rag.stores.database import Database
from rag.stores.filters import where
from rag.stores.kept import Kept
from rag.stores.permitted import FEW, Permitted
from rag.stores.vectors import Precision, from_stored, stored_size, to_stored

_VECTORS_OF = {
    "text": ("c.id", "chunks c", "c.kind <> 'image'", "c.digest"),
    "pixels": ("c.id", "chunks c", "c.kind = 'image'", "c.digest"),
    "entries": ("c.id || '#' || e.ordinal", "entries e JOIN chunks c ON c.rowid = e.chunk", "1", "e.digest"),
}
"""For each content of an index: the vector's id, where it comes from, which rows, and what the vector is stored under."""


_FEW_IDS = 1_000
"""Ids whose vectors are kept in memory once they were asked for: candidates of a question. Who copies an index asks for more."""
_CONVERTED = 5_000
"""Vectors that are converted in one transaction."""


class StoredVectors:
    """The part of a library that knows vectors; rag/stores/library.py has the rest. New ones are stored in `precision`. Safe to use from
    several threads."""

    def __init__(self, database: Database, precision: Precision) -> None:
        self.database = database
        self.permitted = Permitted(database)
        self.precision = precision
        self._kept = Kept()
        self._dimensions: dict[str, int] = {}

    # --- writing -----------------------------------------------------------------------------------------------------

    def register(self, space: Space) -> None:
        """Makes a space known; vectors can be stored under it from then on."""
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO spaces VALUES (?, ?, ?, ?, ?)",
                (space.id, space.model, space.weights_sha256, space.dimension, space.rules),
            )

    def store_vectors(self, space: Space, digests: Sequence[str], vectors: Vectors) -> None:
        """Keeps vectors `[len(digests), dimension]` by what they were made from. No search sees one before a document
        that has its text is published. Raises SpaceMismatch."""
        if vectors.shape != (len(digests), space.dimension):
            raise SpaceMismatch(
                f"Vectors of shape {vectors.shape} do not fit {len(digests)} texts in {space.dimension} dimensions."
            )
        blobs = to_stored(vectors, self.precision)
        rows = [(space.id, key, blob) for key, blob in zip(digests, blobs, strict=True)]
        with self.database.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)

    def missing_vectors(self, space_id: str, digests: Iterable[str]) -> list[str]:
        """Those of the digests, each once and in order, that have no vector in the space."""
        return publishing.without_vector(self.database.reader, space_id, digests)

    def to_bytes(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Stores every vector that is in single precision as bytes, and gives the file's space back. Answers how many."""
        rows = self.database.reader.execute(
            "SELECT e.rowid, s.dimension FROM embeddings e JOIN spaces s ON s.id = e.space_id"
            " WHERE length(e.vector) = 4 * s.dimension"
        ).fetchall()
        for start in range(0, len(rows), _CONVERTED):
            with self.database.transaction() as db:
                for rowid, dimension in rows[start : start + _CONVERTED]:
                    (blob,) = db.execute("SELECT vector FROM embeddings WHERE rowid = ?", (rowid,)).fetchone()
                    (made,) = to_stored(from_stored([blob], dimension), "int8")
                    db.execute("UPDATE embeddings SET vector = ? WHERE rowid = ?", (made, rowid))
            if progress:
                progress(min(start + _CONVERTED, len(rows)), len(rows))
        if rows:
            self._kept.clear()
            self.database.shrink()
        return len(rows)

    # --- what questions ask ------------------------------------------------------------------------------------------

    def allowed_vectors(self, key: IndexKey, allowed: Filter, limit: int) -> tuple[list[str], Vectors] | None:
        condition, values = where(allowed)
        few = self.permitted.rows(key.collection, allowed)
        if few is None and limit <= FEW:
            return None
        if few is not None:
            condition, values = (
                f"c.rowid IN (SELECT value FROM json_each(?)) AND {condition}",
                [json.dumps(few), *values],
            )
        if few is not None and key.content == "text":
            # Where they are kept in memory, to read their ids takes a fifth of the time.
            found = self.database.reader.execute(
                "SELECT c.id FROM chunks c CROSS JOIN documents d ON d.id = c.document_id "
                f"WHERE d.collection = ? AND c.kind <> 'image' AND {condition} LIMIT ?",
                [key.collection, *values, limit + 1],
            ).fetchall()
            return None if len(found) > limit else self._vectors(key, [row[0] for row in found])
        rows = self._vector_rows(key, condition, values, limit + 1)
        if len(rows) > limit:
            return None
        return [row[0] for row in rows], self._as_matrix(key, [row[1] for row in rows])

    def vectors_by_id(self, key: IndexKey, ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        """Ids and vectors `[n, dimension]` of the given ids that have one, or of the whole index."""
        if ids is None:
            rows = self._vector_rows(key, "1", [], -1)
            return [row[0] for row in rows], self._as_matrix(key, [row[1] for row in rows])
        if len(ids) > _FEW_IDS or key.content != "text":
            rows = self._rows_by_id(key, ids)
            return [row[0] for row in rows], self._as_matrix(key, [row[1] for row in rows])
        return self._vectors(key, ids)

    def keep(self, key: IndexKey) -> int:
        """Reads what questions ask of the candidates of an index into memory, where there is room for all of it. Answers the vectors."""
        generation = self._kept.generation
        count = len(self.vector_ids(key))
        if not count or count * stored_size(self._dimension(key.space_id), self.precision) > self._kept.room:
            return 0
        languages = self.database.reader.execute(
            "SELECT c.id, c.language, c.document_id FROM documents d CROSS JOIN chunks c ON c.document_id = d.id WHERE d.collection = ?",
            (key.collection,),
        )
        while rows := languages.fetchmany(_CONVERTED):
            self._kept.keep_languages(rows, generation)
        cursor = self._vector_cursor(key, "1", [], -1)
        while rows := cursor.fetchmany(_CONVERTED):
            self._kept.keep_vectors(key, rows, generation)
        return count

    # --- for the derived index ---------------------------------------------------------------------------------------

    def vector_ids(self, key: IndexKey) -> set[str]:
        """Ids of everything an index should hold."""
        return {row[0] for row in self._vector_cursor(key, "1", [], -1, vectors=False)}

    def index_contents(self) -> list[tuple[str, str]]:
        """Collection and content of every index that should exist."""
        rows = self.database.reader.execute(
            "SELECT DISTINCT d.collection, c.kind FROM chunks c JOIN documents d ON d.id = c.document_id"
        ).fetchall()
        found = {(collection, "text") for collection, kind in rows if kind != "image"}
        for collection, kind in rows:
            if kind == "image":
                found |= {(collection, "entries"), (collection, "pixels")}
        return sorted(found)

    def texts_without_vector(self, space_id: str) -> list[tuple[str, str]]:
        """Digest and text of everything published that the space has no vector for: what a new model has to embed."""
        return self._texts("digest NOT IN (SELECT digest FROM embeddings WHERE space_id = ?1)", space_id)

    def texts_in_bytes(self, space_id: str) -> list[tuple[str, str]]:
        """Digest and text of everything published whose vector is kept as bytes: what single precision has to embed again."""
        return self._texts(
            "digest IN (SELECT e.digest FROM embeddings e JOIN spaces s ON s.id = e.space_id"
            " WHERE e.space_id = ?1 AND length(e.vector) < 4 * s.dimension)",
            space_id,
        )

    def precisions(self, space_id: str) -> dict[Precision, int]:
        """How many vectors of a space are stored in which precision."""
        whole, short = self.database.reader.execute(
            "SELECT total(length(e.vector) = 4 * s.dimension), total(length(e.vector) < 4 * s.dimension)"
            " FROM embeddings e JOIN spaces s ON s.id = e.space_id WHERE e.space_id = ?",
            (space_id,),
        ).fetchone()
        return {"float32": int(whole), "int8": int(short)}

    def pictures_without_vector(self, space_id: str) -> list[tuple[str, str, int, int]]:
        """Sha256, media type, width and height of each published picture that the space has no vector for."""
        rows = self.database.reader.execute(
            "SELECT DISTINCT image_sha256, media_type, width, height FROM chunks WHERE kind = 'image' AND "
            "digest NOT IN (SELECT digest FROM embeddings WHERE space_id = ?)",
            (space_id,),
        )
        return rows.fetchall()

    def picture_count(self) -> int:
        """Different pictures of all published documents."""
        row = self.database.reader.execute("SELECT count(DISTINCT image_sha256) FROM chunks WHERE kind = 'image'")
        return int(row.fetchone()[0])

    # --- rows --------------------------------------------------------------------------------------------------------

    def _vectors(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """Of those ids of texts that have one; kept in memory from then on."""
        generation = self._kept.generation
        found = self._kept.vectors(key, ids)
        missing = [id_ for id_ in ids if id_ not in found] if len(found) < len(ids) else []
        if missing:
            rows = self._rows_by_id(key, missing)
            self._kept.keep_vectors(key, rows, generation)
            found |= {row[0]: row[1] for row in rows}
        return list(found), self._as_matrix(key, list(found.values()))

    def _rows_by_id(self, key: IndexKey, ids: Sequence[str]) -> list[tuple[str, bytes, str]]:
        name = _VECTORS_OF[key.content][0]
        rows = []
        for start in range(0, len(ids), 500):
            part = list(ids[start : start + 500])
            chunk_ids = list({id_.partition("#")[0] for id_ in part})
            condition, values = f"c.id IN ({','.join('?' * len(chunk_ids))})", chunk_ids
            if name != "c.id":
                condition, values = f"{condition} AND {name} IN ({','.join('?' * len(part))})", [*chunk_ids, *part]
            rows += self._vector_rows(key, condition, values, -1)
        return rows

    def _texts(self, condition: str, space_id: str) -> list[tuple[str, str]]:
        rows = self.database.reader.execute(
            "SELECT digest, CASE context WHEN '' THEN text ELSE context || char(10) || text END FROM chunks "
            f"WHERE kind <> 'image' AND {condition} UNION SELECT digest, text FROM entries WHERE {condition}",
            (space_id,),
        )
        return rows.fetchall()

    def _vector_rows(
        self, key: IndexKey, condition: str, values: Sequence[str | float | int], limit: int
    ) -> list[tuple[str, bytes, str]]:
        """Rows of vector id, stored vector and document id."""
        return self._vector_cursor(key, condition, values, limit).fetchall()

    def _vector_cursor(
        self, key: IndexKey, condition: str, values: Sequence[str | float | int], limit: int, *, vectors: bool = True
    ) -> sqlite3.Cursor:
        name, tables, rows, stored_under = _VECTORS_OF[key.content]
        column, join = (
            # CROSS keeps SQLite from walking through all documents, or all vectors, first: 100 vectors of 100,000 take 1 ms
            # instead of 65.
            ("v.vector", f"CROSS JOIN embeddings v ON v.digest = {stored_under} AND v.space_id = ?")
            if vectors
            else (
                "NULL",
                f"WHERE EXISTS (SELECT 1 FROM embeddings v WHERE v.digest = {stored_under} AND v.space_id = ?) AND",
            )
        )
        glue = "WHERE" if vectors else ""
        statement = (
            f"SELECT {name}, {column}, c.document_id FROM {tables} CROSS JOIN documents d ON d.id = c.document_id {join} {glue} "
            f"d.collection = ? AND {rows} AND {condition} LIMIT ?"
        )
        parameters = [key.space_id, key.collection, *values, limit]
        return self.database.reader.execute(statement, parameters)

    def _as_matrix(self, key: IndexKey, blobs: Sequence[bytes]) -> Vectors:
        return from_stored(blobs, self._dimension(key.space_id)) if blobs else from_stored((), 0)

    def _dimension(self, space_id: str) -> int:
        """Of a space that is known."""
        if space_id not in self._dimensions:
            row = self.database.reader.execute("SELECT dimension FROM spaces WHERE id = ?", (space_id,)).fetchone()
            self._dimensions[space_id] = int(row[0])
        return self._dimensions[space_id]
