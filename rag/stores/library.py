"""The library: the system of record. A document is in it whole or not at all.

One SQLite file holds documents, elements, chunks, words, vectors and the outbox of the vector index; a folder beside it
holds the originals and pictures by their hash. What is derived from what: docs/architecture.md.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.answers import Filter
from rag.documents import SEEN, AnyChunk, Document, DocumentRef, Element, Page
from rag.errors import NotFound, SpaceMismatch
from rag.protocols import IndexKey, Space, Vectors
from rag.stores import conversations, publishing
from rag.stores.blobs import BlobStore
from rag.stores.database import Database
from rag.stores.feedback import forget_document
from rag.stores.filters import where
from rag.stores.kept import Kept
from rag.stores.permitted import FEW, Permitted
from rag.stores.publishing import Publication, digests_of
from rag.stores.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    chunks_from_rows,
    document_from_row,
    element_from_row,
    ref_from_row,
)
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

CHECKPOINTS = "checkpoints"
"""The folder with the pages of long files under way, by document (ingest/checkpoints.py)."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looked like when its hash was computed: size in bytes, times of its last change and its inode's, in ns, inode."""

    sha256: str
    size: int
    modified: int
    changed: int
    inode: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document that was published. `embedded` of its `chunks` texts were new."""

    published_at: float
    sha256: str
    settings: str
    size: int
    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What the library tells about a published document beside the document itself."""

    document: Document
    settings: str
    source: str
    warnings: tuple[str, ...]
    published_at: float
    chunks: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested: not tried again until it, or the settings, change."""

    collection: str
    name: str
    sha256: str
    settings: str
    error: str
    message: str
    remedy: str
    at: float = field(default_factory=time.time)


class Incomplete(Exception):
    """A publication's vectors or blobs were removed, with another document, after they were stored: ingest it again."""


class SqliteLibrary:
    """Satisfies Library, and is what ingestion writes to. Safe to use from several threads. New vectors are stored in `precision`."""

    def __init__(self, folder: Path, precision: Precision = "float32") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = Database(folder / "library.sqlite3")
        self.blobs = BlobStore(folder / "blobs")
        self.permitted = Permitted(self.database)
        self.precision = precision
        self._kept = Kept()
        self._dimensions: dict[str, int] = {}
        # Held from the check that a blob is there to the commit that refers to it, and while unused ones are removed.
        self._blob_guard = threading.Lock()

    def close(self) -> None:
        self.database.close()

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

    def publish(self, publication: Publication, space_id: str) -> None:
        """Makes a document visible, in the place of its older version if there is one, in one transaction.

        Raises Incomplete when a text has no vector in the space or a blob is not stored; nothing has changed then.
        """
        if not self.publish_all([publication], space_id):
            raise Incomplete(publication.document.name)

    def publish_all(self, publications: Sequence[Publication], space_id: str) -> list[Publication]:
        """As `publish`, many small documents in one transaction: half the work of a transaction for each. Answers those that are visible
        now; for the others `publish` would have raised Incomplete."""
        made: list[Publication] = []
        left: set[str] = set()
        with self._blob_guard:
            with self.database.transaction() as db:
                for publication in publications:
                    keys = [key for chunk in publication.chunks for key in digests_of(chunk)]
                    if publishing.without_vector(db, space_id, keys) or not all(map(self.blobs.has, publication.blobs)):
                        continue
                    remains = publishing.withdraw(db, publication.document.id)
                    publishing.insert(db, publication)
                    publishing.drop_unused_vectors(db, remains.digests)
                    left |= remains.blobs
                    made.append(publication)
                unused = publishing.unused_blobs(db, left)
            self._kept.forget([publication.document.id for publication in made])
            self._remove_blobs(unused)
        return made

    def delete(self, document_id: str) -> None:
        """Removes every trace: chunks, words, vectors, and the blobs that no other document has; of a file that held others
        (archive, message) theirs, too. Raises NotFound."""
        with self._blob_guard:
            with self.database.transaction() as db:
                known = db.execute(
                    "SELECT 1 FROM documents WHERE id = ?1 OR container = ?1 UNION SELECT 1 FROM jobs WHERE id = ?1",
                    (document_id,),
                ).fetchone()
                # A failure has no id of its own: it is that of the document which the file would have become.
                failed = [
                    place
                    for place in db.execute("SELECT collection, name FROM failures").fetchall()
                    if Document.make_id(place[0], place[1]) == document_id
                ]
                if known is None and not failed:
                    raise NotFound(
                        f"There is no document with id {document_id}.", "`tuwen documents list` shows those there are."
                    )
                gone = [document_id, *publishing.inside(db, document_id)]
                unused = self._delete(db, gone)
                db.executemany(
                    "DELETE FROM failures WHERE collection = ? AND name = ?", [tuple(place) for place in failed]
                )
            self._kept.forget(gone)
            self._remove_blobs(unused)

    def _delete(self, db: sqlite3.Connection, ids: Sequence[str]) -> list[str]:
        """Takes the documents out, and answers which blobs nobody needs any more."""
        blobs: set[str] = set()
        for id_ in ids:
            blobs |= {row[0] for row in db.execute("SELECT sha256 FROM jobs WHERE id = ? AND sha256 <> ''", (id_,))}
            publishing.forget(db, id_)
            forget_document(db, id_)
            conversations.forget_document(db, id_)
            remains = publishing.withdraw(db, id_)
            publishing.drop_unused_vectors(db, remains.digests)
            blobs |= remains.blobs
            (self.folder / CHECKPOINTS / f"{id_}.pages").unlink(missing_ok=True)
        return publishing.unused_blobs(db, blobs)

    def prune(self, container_id: str, keep: Collection[str]) -> list[str]:
        """Removes what a file does not hold any more: documents inside it whose names are not among `keep`. Answers their names."""
        there = "SELECT EXISTS (SELECT 1 FROM documents WHERE container = ?) OR EXISTS (SELECT 1 FROM failures)"
        if not self.database.reader.execute(there, (container_id,)).fetchone()[0]:
            return []
        with self._blob_guard:
            with self.database.transaction() as db:
                gone = [
                    (id_, name)
                    for id_, name in db.execute(
                        "SELECT id, name FROM documents WHERE container = ? ORDER BY name", (container_id,)
                    ).fetchall()
                    if name not in keep
                ]
                ids = [inner for id_, _ in gone for inner in (id_, *publishing.inside(db, id_))]
                unused = self._delete(db, ids)
                publishing.forget_failures_inside(db, container_id, keep)
            self._kept.forget(ids)
            self._remove_blobs(unused)
        return [name for _, name in gone]

    def _remove_blobs(self, unused: Iterable[str]) -> None:
        for sha256 in unused:
            self.blobs.remove(sha256)

    def sweep(self) -> int:
        """Removes what an interrupted ingest left: blobs and vectors that nothing refers to. Answers how many.

        Only while no ingest is running: it cannot tell a vector that is about to be published from a forgotten one.
        """
        with self._blob_guard, self.database.transaction() as db:
            unused = publishing.unused_blobs(db, list(self.blobs.all()))
            self._remove_blobs(unused)
            vectors = db.execute(
                "DELETE FROM embeddings WHERE digest NOT IN (SELECT digest FROM chunks)"
                " AND digest NOT IN (SELECT digest FROM entries)"
            ).rowcount
        return len(unused) + vectors

    def record_failure(self, failure: Failure) -> None:
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    failure.collection,
                    failure.name,
                    failure.sha256,
                    failure.settings,
                    failure.error,
                    failure.message,
                    failure.remedy,
                    failure.at,
                ),
            )

    # --- reading -----------------------------------------------------------------------------------------------------

    def collections(self, allowed: Filter | None = None) -> dict[str, int]:
        """Documents per collection, of those that a filter over documents allows."""
        condition, values = where(allowed)
        rows = self.database.reader.execute(
            f"SELECT d.collection, count(*) FROM documents d WHERE {condition} GROUP BY 1 ORDER BY 1", values
        )
        return dict(rows.fetchall())

    def has_collection(self, collection: str, allowed: Filter | None = None) -> bool:
        """Whether it has a document, of those that a filter over documents allows."""
        condition, values = where(allowed)
        row = self.database.reader.execute(
            f"SELECT EXISTS (SELECT 1 FROM documents d WHERE d.collection = ? AND {condition})", [collection, *values]
        )
        return bool(row.fetchone()[0])

    def readable(self, document_ids: Sequence[str], allowed: Filter) -> set[str]:
        """Those of the published documents that a filter over documents allows."""
        condition, values = where(allowed)
        rows = self.database.reader.execute(
            "SELECT d.id FROM json_each(?) asked CROSS JOIN documents d ON d.id = asked.value WHERE " + condition,
            [json.dumps(list(document_ids)), *values],
        )
        return {row[0] for row in rows}

    def documents(self, collection: str | None = None) -> list[Stored]:
        """Published documents by collection and name."""
        return self._stored("?1 IS NULL OR d.collection = ?1", collection)

    def document(self, document_id: str) -> Stored:
        """Raises NotFound."""
        found = self._stored("d.id = ?1", document_id)
        if not found:
            raise NotFound(
                f"There is no published document with id {document_id}.",
                "`tuwen documents list` shows those there are.",
            )
        return found[0]

    def state(self, collection: str) -> dict[str, tuple[str, str, str, str]]:
        """Sha256, settings, source and container of each published document of a collection, by name: what is unchanged is skipped."""
        rows = self.database.reader.execute(
            "SELECT name, sha256, settings, source, container FROM documents WHERE collection = ?", (collection,)
        )
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}

    def looks(self, collection: str) -> dict[str, Look]:
        """What the files of a collection looked like, by name."""
        rows = self.database.reader.execute(
            "SELECT name, sha256, size, modified, changed, inode FROM looks WHERE collection = ?", (collection,)
        )
        return {row[0]: Look(*row[1:]) for row in rows}

    def remember_looks(self, collection: str, looks: Mapping[str, Look]) -> None:
        rows = [(collection, name, k.sha256, k.size, k.modified, k.changed, k.inode) for name, k in looks.items()]
        with self.database.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def held_in(self, document_id: str) -> list[str]:
        """The published documents that go when this one is deleted: itself, and those inside it."""
        reader = self.database.reader
        there = reader.execute("SELECT 1 FROM documents WHERE id = ?", (document_id,)).fetchone()
        return [*([document_id] if there else []), *publishing.inside(reader, document_id)]

    def sources(self, collection: str, sha256: str | None = None) -> list[tuple[str, str, str]]:
        """Id, name and source of each published document (of these bytes) that is not inside another."""
        return self.database.reader.execute(
            "SELECT id, name, source FROM documents WHERE collection = ? AND container = ''"
            + (" AND sha256 = ?" if sha256 is not None else ""),
            (collection,) if sha256 is None else (collection, sha256),
        ).fetchall()

    def versions(self, document_id: str) -> list[Version]:
        """Every version that was published, the newest first."""
        rows = self.database.reader.execute(
            "SELECT published_at, sha256, settings, size, chunks, embedded FROM history WHERE document_id = ?"
            " ORDER BY published_at DESC, rowid DESC",
            (document_id,),
        )
        return [Version(*row) for row in rows]

    def failures(self, collection: str | None = None) -> list[Failure]:
        rows = self.database.reader.execute(
            "SELECT * FROM failures WHERE ?1 IS NULL OR collection = ?1 ORDER BY collection, name", (collection,)
        )
        return [Failure(*row) for row in rows]

    def pages(self, document_id: str) -> list[Page]:
        rows = self.database.reader.execute(
            "SELECT number, width, height, source FROM pages WHERE document_id = ? ORDER BY number", (document_id,)
        )
        return [Page(*row) for row in rows]

    def chunks(self, document_id: str) -> list[AnyChunk]:
        rows = self.database.reader.execute(
            f"SELECT {CHUNK_COLUMNS} FROM chunks c WHERE c.document_id = ? ORDER BY c.ordinal", (document_id,)
        )
        return chunks_from_rows(self.database.reader, rows.fetchall())

    def hydrate(self, chunk_ids: Sequence[str]) -> dict[str, tuple[AnyChunk, DocumentRef]]:
        if not chunk_ids:
            return {}
        # All in one row: between two rows another question takes the interpreter, and has to be waited for.
        (found,) = self.database.reader.execute(
            f"SELECT json_group_array(json_array({CHUNK_COLUMNS}, d.id, d.name, d.media_type, d.collection)) "
            "FROM json_each(?) asked CROSS JOIN chunks c ON c.id = asked.value JOIN documents d ON d.id = c.document_id",
            (json.dumps(list(chunk_ids)),),
        ).fetchone()
        rows = json.loads(found)
        chunks = chunks_from_rows(self.database.reader, rows)
        return {chunk.id: (chunk, ref_from_row(row[-4:])) for chunk, row in zip(chunks, rows, strict=True)}

    def elements(self, document_id: str, pages: Collection[int]) -> list[Element]:
        marks = ",".join("?" * len(pages))
        rows = self.database.reader.execute(
            f"SELECT kind, text, page, boxes, level, caption, lines FROM elements WHERE document_id = ? AND page IN ({marks})"
            " ORDER BY ordinal",
            [document_id, *sorted(pages)],
        )
        return [element_from_row(row) for row in rows]

    def tables(self, document_id: str) -> list[Element]:
        """The tables of a document in order, also of formats without pages."""
        rows = self.database.reader.execute(
            "SELECT kind, text, page, boxes, level, caption, lines FROM elements"
            " WHERE document_id = ? AND kind = 'table' ORDER BY ordinal",
            [document_id],
        )
        return [element_from_row(row) for row in rows]

    def languages(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        generation = self._kept.generation
        found = self._kept.languages(chunk_ids)
        missing = [id_ for id_ in chunk_ids if id_ not in found] if len(found) < len(chunk_ids) else []
        if missing:
            rows = self.database.reader.execute(
                f"SELECT id, language, document_id FROM chunks WHERE id IN ({','.join('?' * len(missing))})", missing
            ).fetchall()
            self._kept.keep_languages(rows, generation)
            found |= {row[0]: row[1] for row in rows}
        return found

    def seen_entries(self, chunk_ids: Sequence[str]) -> set[str]:
        rows = self.database.reader.execute(
            "SELECT c.id, e.ordinal FROM chunks c JOIN entries e ON e.chunk = c.rowid"
            f" WHERE c.id IN (SELECT value FROM json_each(?)) AND e.kind IN ({','.join('?' * len(SEEN))})",
            [json.dumps(list(chunk_ids)), *SEEN],
        )
        return {f"{id_}#{ordinal}" for id_, ordinal in rows}

    def neighbours(self, chunk_id: str, before: int, after: int) -> list[AnyChunk]:
        rows = self.database.reader.execute(
            f"SELECT {CHUNK_COLUMNS} FROM chunks c JOIN chunks centre ON centre.document_id = c.document_id "
            "WHERE centre.id = ? AND c.ordinal BETWEEN centre.ordinal - ? AND centre.ordinal + ? ORDER BY c.ordinal",
            (chunk_id, before, after),
        )
        return chunks_from_rows(self.database.reader, rows.fetchall())

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

    def allows(self, chunk_ids: Sequence[str], allowed: Filter) -> set[str]:
        if not chunk_ids:
            return set()
        condition, values = where(allowed)
        rows = self.database.reader.execute(
            "SELECT c.id FROM json_each(?) asked CROSS JOIN chunks c ON c.id = asked.value "
            f"JOIN documents d ON d.id = c.document_id WHERE {condition}",
            [json.dumps(list(chunk_ids)), *values],
        )
        return {row[0] for row in rows}

    # --- for the derived index ---------------------------------------------------------------------------------------

    def vector_ids(self, key: IndexKey) -> set[str]:
        """Ids of everything an index should hold."""
        return {row[0] for row in self._vector_cursor(key, "1", [], -1, vectors=False)}

    def vectors_by_id(self, key: IndexKey, ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        """Ids and vectors `[n, dimension]` of the given ids that have one, or of the whole index."""
        if ids is None:
            rows = self._vector_rows(key, "1", [], -1)
            return [row[0] for row in rows], self._as_matrix(key, [row[1] for row in rows])
        if len(ids) > _FEW_IDS or key.content != "text":
            rows = self._rows_by_id(key, ids)
            return [row[0] for row in rows], self._as_matrix(key, [row[1] for row in rows])
        return self._vectors(key, ids)

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

    def _texts(self, condition: str, space_id: str) -> list[tuple[str, str]]:
        rows = self.database.reader.execute(
            "SELECT digest, CASE context WHEN '' THEN text ELSE context || char(10) || text END FROM chunks "
            f"WHERE kind <> 'image' AND {condition} UNION SELECT digest, text FROM entries WHERE {condition}",
            (space_id,),
        )
        return rows.fetchall()

    def precisions(self, space_id: str) -> dict[Precision, int]:
        """How many vectors of a space are stored in which precision."""
        whole, short = self.database.reader.execute(
            "SELECT total(length(e.vector) = 4 * s.dimension), total(length(e.vector) < 4 * s.dimension)"
            " FROM embeddings e JOIN spaces s ON s.id = e.space_id WHERE e.space_id = ?",
            (space_id,),
        ).fetchone()
        return {"float32": int(whole), "int8": int(short)}

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

    def _stored(self, condition: str, value: str | None) -> list[Stored]:
        rows = self.database.reader.execute(
            f"SELECT {DOCUMENT_COLUMNS}, d.settings, d.source, d.warnings, d.published_at, "
            "(SELECT count(*) FROM chunks c WHERE c.document_id = d.id) "
            f"FROM documents d WHERE {condition} ORDER BY d.collection, d.name",
            (value,),
        )
        return [
            Stored(document_from_row(row[:10]), row[10], row[11], tuple(json.loads(row[12])), row[13], row[14])
            for row in rows
        ]
