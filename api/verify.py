"""Checks a whole library: is every published chunk there, whole, and found by its own vector and its own words?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.stores.lexical import collection_token
from rag.words import words

if TYPE_CHECKING:
    from api.service import Service

_SAME = 0.999


def verify(service: Service) -> list[str]:
    """What is wrong, a sentence each; empty when nothing is. Reads everything: about 3 ms a chunk."""
    return [*_file(service), *_blobs(service), *_words(service), *_vectors(service)]


def _file(service: Service) -> list[str]:
    db = service.library.database.reader
    found = [row[0] for row in db.execute("PRAGMA integrity_check")]
    problems = [] if found == ["ok"] else [f"The library's file is damaged: {line}." for line in found]
    problems += [f"A row of {row[0]} refers to nothing." for row in db.execute("PRAGMA foreign_key_check")]
    for (name,) in db.execute(
        "SELECT name FROM documents d WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.document_id = d.id)"
    ):
        problems.append(f"{name} is published without a chunk.")
    waiting = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
    if waiting:
        problems.append(f"{waiting} changes have not reached the vector index.")
    return problems


def _blobs(service: Service) -> list[str]:
    stored = set(service.library.blobs.all())
    db = service.library.database.reader
    return [
        f"{name}: the stored file {sha256[:12]}… is missing."
        for name, sha256 in db.execute("SELECT d.name, b.sha256 FROM blobs b JOIN documents d ON d.id = b.document_id")
        if sha256 not in stored
    ]


def _words(service: Service) -> list[str]:
    db = service.library.database.reader
    problems = []
    rows = db.execute(
        "SELECT c.rowid, c.id, c.text, d.collection, d.name FROM chunks c JOIN documents d ON d.id = c.document_id "
        "WHERE c.kind <> 'image'"
    ).fetchall()
    for rowid, chunk_id, text, collection, name in rows:
        own = list(dict.fromkeys(words(text)))[:5]
        if not own:
            continue
        every = " AND ".join(f'"{word.replace(chr(34), chr(34) * 2)}"' for word in own)
        match = f'collection : "{collection_token(collection)}" AND words : ({every})'
        if not db.execute("SELECT 1 FROM lexical WHERE lexical MATCH ? AND rowid = ?", (match, rowid)).fetchone():
            problems.append(f"{name}: chunk {chunk_id} is not found by its own words.")
    return problems


def _vectors(service: Service) -> list[str]:
    problems = []
    for state in service.examine():
        named = f"{state.key.collection}/{state.key.content}"
        if not state.sound:
            problems.append(f"Index {named} has {state.found} of {state.expected} vectors.")
        expected, found = service.library.vector_ids(state.key), service.store.ids(state.key)
        problems += [f"Index {named}: {id_} is missing." for id_ in sorted(expected - found)]
        problems += [f"Index {named}: {id_} is not the library's." for id_ in sorted(found - expected)]
        ids, vectors = service.library.vectors_by_id(state.key)
        for id_, vector in zip(ids, vectors, strict=True):
            nearest = service.store.query(state.key, vector, 1)
            if not nearest or nearest[0][1] < _SAME:
                problems.append(f"Index {named}: {id_} is not found by its own vector.")
    return problems
