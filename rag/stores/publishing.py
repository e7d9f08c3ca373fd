"""The statements that put a document's version into the library and take it out. They run inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rag.documents import AnyChunk, Chunk, Document, Element, ImageChunk, Page
from rag.stores.lexical import collection_token
from rag.stores.rows import boxes_to_json, digest, lines_to_json
from rag.words import words

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything of a document that becomes visible at once. Its vectors and blobs are stored beforehand."""

    document: Document
    settings: str
    """Hash of the settings that the document was parsed and chunked with."""
    pages: Sequence[Page]
    elements: Sequence[tuple[Element, str | None]]
    """Elements, each with the sha256 of its picture; the bytes are in the blob store."""
    chunks: Sequence[AnyChunk]
    source: str = ""
    warnings: Sequence[str] = ()
    container: str = ""
    """The id of the document of the file that this one was inside of."""
    embedded: int = 0
    """How many of its texts had to be embedded for this version."""

    @property
    def blobs(self) -> set[str]:
        return {self.document.sha256, *(sha256 for _, sha256 in self.elements if sha256)}


@dataclass(frozen=True, slots=True)
class Remains:
    """What a withdrawn version may leave behind: digests of its vectors, hashes of its blobs."""

    digests: set[str]
    blobs: set[str]


def digests_of(chunk: AnyChunk) -> list[str]:
    """What the chunk's vectors of the text encoder are stored under: one for a text, one for each entry of a picture."""
    if isinstance(chunk, ImageChunk):
        return [digest(entry.text) for entry in chunk.entries]
    return [digest(chunk.embedded_text)]


def insert(db: sqlite3.Connection, publication: Publication) -> None:
    document = publication.document
    now = time.time()
    db.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.id,
            document.collection,
            document.name,
            document.media_type,
            document.sha256,
            publication.settings,
            document.size,
            document.title,
            document.language,
            document.page_count,
            json.dumps(dict(document.metadata), ensure_ascii=False),
            publication.source,
            json.dumps(list(publication.warnings), ensure_ascii=False),
            now,
            publication.container,
        ),
    )
    db.executemany(
        "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)",
        [(document.id, page.number, page.width, page.height, page.source) for page in publication.pages],
    )
    db.executemany(
        "INSERT INTO elements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                document.id,
                n,
                e.kind,
                e.text,
                e.page,
                boxes_to_json(e.boxes),
                e.level,
                e.caption,
                picture,
                lines_to_json(e.lines),
            )
            for n, (e, picture) in enumerate(publication.elements)
        ],
    )
    db.executemany("INSERT INTO blobs VALUES (?, ?)", [(document.id, sha256) for sha256 in sorted(publication.blobs)])
    for chunk in publication.chunks:
        _insert_chunk(db, document.collection, chunk)
    db.execute("DELETE FROM failures WHERE collection = ? AND name = ?", (document.collection, document.name))
    db.execute(
        "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            document.id,
            now,
            document.sha256,
            publication.settings,
            document.size,
            len(publication.chunks),
            publication.embedded,
        ),
    )


def _insert_chunk(db: sqlite3.Connection, collection: str, chunk: AnyChunk) -> None:
    if isinstance(chunk, ImageChunk):
        content, key, searched = "pixels", chunk.image_sha256, " ".join(entry.text for entry in chunk.entries)
        text = ("", "")
        picture: tuple[str | int | None, ...] = (chunk.image_sha256, chunk.media_type, chunk.width, chunk.height)
        tokens = 0
    else:
        content, key, searched = "text", digest(chunk.embedded_text), chunk.embedded_text
        text, picture, tokens = (chunk.text, chunk.context), (None, None, None, None), chunk.tokens
    row = db.execute(
        "INSERT INTO chunks (id, document_id, ordinal, kind, text, context, headings, page, boxes, tokens, language, digest,"
        " window_first, window_last, image_sha256, media_type, width, height)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            chunk.id,
            chunk.document_id,
            chunk.ordinal,
            chunk.kind,
            *text,
            json.dumps(chunk.headings, ensure_ascii=False),
            chunk.page,
            boxes_to_json(chunk.boxes),
            tokens,
            chunk.language,
            key,
            *((chunk.window if isinstance(chunk, Chunk) else None) or (None, None)),
            *picture,
        ),
    ).lastrowid
    db.execute("INSERT INTO lexemes VALUES (?, ?, ?)", (row, " ".join(words(searched)), collection_token(collection)))
    _post(db, "upsert", collection, content, chunk.id, key)
    if isinstance(chunk, ImageChunk):
        for n, entry in enumerate(chunk.entries):
            key = digest(entry.text)
            db.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (row, n, entry.kind, entry.text, entry.source, key)
            )
            _post(db, "upsert", collection, "entries", f"{chunk.id}#{n}", key)


def withdraw(db: sqlite3.Connection, document_id: str) -> Remains:
    """Takes the published version out, if there is one."""
    found = db.execute("SELECT collection FROM documents WHERE id = ?", (document_id,)).fetchone()
    if found is None:
        return Remains(set(), set())
    digests: set[str] = set()
    for chunk_id, kind, key in db.execute(
        "SELECT id, kind, digest FROM chunks WHERE document_id = ?", (document_id,)
    ).fetchall():
        digests.add(key)
        _post(db, "delete", found[0], "pixels" if kind == "image" else "text", chunk_id, key)
    for chunk_id, n, key in db.execute(
        "SELECT c.id, e.ordinal, e.digest FROM entries e JOIN chunks c ON c.rowid = e.chunk WHERE c.document_id = ?",
        (document_id,),
    ).fetchall():
        digests.add(key)
        _post(db, "delete", found[0], "entries", f"{chunk_id}#{n}", key)
    blobs = {row[0] for row in db.execute("SELECT sha256 FROM blobs WHERE document_id = ?", (document_id,))}
    db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
    return Remains(digests, blobs)


def inside(db: sqlite3.Connection, document_id: str) -> list[str]:
    """The documents inside a document, and inside those."""
    rows = db.execute(
        "WITH RECURSIVE held (id) AS (SELECT id FROM documents WHERE container = ?1 UNION "
        "SELECT d.id FROM documents d JOIN held ON d.container = held.id) SELECT id FROM held",
        (document_id,),
    )
    return [row[0] for row in rows]


def forget(db: sqlite3.Connection, document_id: str) -> None:
    """What is known of a document beside what was published: its job, its past, what its file looked like, what failed in it."""
    db.execute("DELETE FROM jobs WHERE id = ?", (document_id,))
    db.execute("DELETE FROM history WHERE document_id = ?", (document_id,))
    place = db.execute("SELECT collection, name FROM documents WHERE id = ?", (document_id,)).fetchone()
    if place is not None:
        db.execute("DELETE FROM looks WHERE collection = ? AND name = ?", place)
        db.execute(
            "DELETE FROM failures WHERE collection = ?1 AND (name = ?2 OR substr(name, 1, length(?2) + 1) = ?2 || '/')",
            place,
        )


def forget_failures_inside(db: sqlite3.Connection, container_id: str, keep: Collection[str]) -> None:
    """Forgets what failed in files that a document does not hold any more."""
    place = db.execute("SELECT collection, name FROM documents WHERE id = ?", (container_id,)).fetchone()
    if place is None:
        return
    rows = db.execute(
        "SELECT name FROM failures WHERE collection = ?1 AND substr(name, 1, length(?2) + 1) = ?2 || '/'", place
    ).fetchall()
    for (name,) in rows:
        if not any(name == kept or name.startswith(f"{kept}/") for kept in keep):
            db.execute("DELETE FROM failures WHERE collection = ? AND name = ?", (place[0], name))


def drop_unused_vectors(db: sqlite3.Connection, digests: Iterable[str]) -> None:
    """Deletes the vectors of those texts that no chunk and no entry has any more."""
    db.executemany(
        # Naming the spaces lets SQLite look the vector up; by the digest alone it would read every vector there is.
        "DELETE FROM embeddings WHERE space_id IN (SELECT id FROM spaces) AND digest = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE digest = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM entries WHERE digest = ?1)",
        [(key,) for key in digests],
    )


def unused_blobs(db: sqlite3.Connection, blobs: Iterable[str]) -> list[str]:
    """Those of the blobs that no document refers to, and no upload that waits, or failed and may be tried again."""
    return [
        sha256
        for sha256 in blobs
        if not db.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
        and not db.execute(
            "SELECT 1 FROM jobs WHERE sha256 = ? AND path = '' AND state IN "
            "('queued', 'paused', 'parsing', 'embedding', 'failed')",
            (sha256,),
        ).fetchone()
    ]


def without_vector(db: sqlite3.Connection, space_id: str, digests: Iterable[str]) -> list[str]:
    """Those of the digests, each once and in order, that have no vector in the space."""
    wanted = list(dict.fromkeys(digests))
    known: set[str] = set()
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        marks = ",".join("?" * len(part))
        query = f"SELECT digest FROM embeddings WHERE space_id = ? AND digest IN ({marks})"
        known.update(row[0] for row in db.execute(query, [space_id, *part]))
    return [key for key in wanted if key not in known]


def _post(db: sqlite3.Connection, operation: str, collection: str, content: str, vector_id: str, key: str) -> None:
    db.execute(
        "INSERT INTO outbox (operation, collection, content, vector_id, digest) VALUES (?, ?, ?, ?, ?)",
        (operation, collection, content, vector_id, key),
    )
