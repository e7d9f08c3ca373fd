"""The library: the system of record. A document is in it whole or not at all.

One SQLite file holds documents, elements, chunks, words, vectors and the outbox of the vector index; a folder beside it
holds the originals and pictures by their hash. What is derived from what: docs/architecture.md.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from rag.answers import Filter
from rag.documents import SEEN, AnyChunk, Document, DocumentRef, Element, Page
from rag.errors import NotFound
from rag.stores import conversations, publishing
from rag.stores.blobs import BlobStore
from rag.stores.database import Database
from rag.stores.feedback import forget_document
from rag.stores.filters import where
from rag.stores.publishing import Publication, digests_of
from rag.stores.records import Failure, Look, Stored, Version
from rag.stores.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    chunks_from_rows,
    document_from_row,
    element_from_row,
    ref_from_row,
)
from rag.stores.stored_vectors import StoredVectors
from rag.stores.vectors import Precision

CHECKPOINTS = "checkpoints"
"""The folder with the pages of long files under way, by document (ingest/checkpoints.py)."""


class Incomplete(Exception):
    """A publication's vectors or blobs were removed, with another document, after they were stored: ingest it again."""


class SqliteLibrary(StoredVectors):
    """Satisfies Library, and is what ingestion writes to. Safe to use from several threads. New vectors are stored in `precision`."""

    def __init__(self, folder: Path, precision: Precision = "float32") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        super().__init__(Database(folder / "library.sqlite3"), precision)
        self.blobs = BlobStore(folder / "blobs")
        # Held from the check that a blob is there to the commit that refers to it, and while unused ones are removed.
        self._blob_guard = threading.Lock()

    def close(self) -> None:
        self.database.close()

    # --- writing -----------------------------------------------------------------------------------------------------

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
