"""Files that failed and are not tried again by themselves: what each of them died of, and how to try it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.documents import Document
from rag.stores.library import SqliteLibrary


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`inside` is the file that it is inside of, where it is in an archive or a message: that one is read again with it."""

    id: str
    collection: str
    name: str
    error: str
    message: str
    remedy: str
    at: float
    """When it failed for its own fault; otherwise when it came into the queue. Seconds since 1970."""
    attempts: int = 1
    inside: str = ""


def dead_letters(library: SqliteLibrary, collection: str | None = None) -> list[DeadLetter]:
    """By collection and name."""
    jobs = library.database.reader.execute(
        "SELECT id, collection, name, error, message, remedy, at, attempts FROM jobs WHERE state = 'failed'"
        " AND (?1 IS NULL OR collection = ?1)",
        (collection,),
    )
    letters = {
        id_: DeadLetter(id_, held_by, name, error, message, remedy, at, max(1, attempts))
        for id_, held_by, name, error, message, remedy, at, attempts in jobs
    }
    for failure in library.failures(collection):
        id_ = Document.make_id(failure.collection, failure.name)
        tried = letters[id_].attempts if id_ in letters else 1
        letters[id_] = DeadLetter(
            id_,
            failure.collection,
            failure.name,
            failure.error,
            failure.message,
            failure.remedy,
            failure.at,
            tried,
            _outermost(library, failure.collection, failure.name) or "",
        )
    return sorted(letters.values(), key=lambda letter: (letter.collection, letter.name))


def revive(library: SqliteLibrary, letters: Sequence[DeadLetter]) -> list[str]:
    """Forgets why files failed, so that they are tried again. Answers the ids of those that have to be read for it: their own, or that
    of the file that they are inside of."""
    wanted: list[str] = []
    with library.database.transaction() as db:
        for letter in letters:
            db.execute("DELETE FROM failures WHERE collection = ? AND name = ?", (letter.collection, letter.name))
            wanted.append(Document.make_id(letter.collection, letter.inside) if letter.inside else letter.id)
            if letter.inside:
                # It was published without what failed in it: as if by other settings, it is read once more.
                db.execute("UPDATE documents SET settings = '' WHERE id = ?", (wanted[-1],))
    return list(dict.fromkeys(wanted))


def _outermost(library: SqliteLibrary, collection: str, name: str) -> str | None:
    """The file of the queue that a file is inside of; None when it is one itself."""
    parts = name.split("/")
    for end in range(1, len(parts)):
        outer = "/".join(parts[:end])
        if library.database.reader.execute(
            "SELECT 1 FROM jobs WHERE collection = ? AND name = ?", (collection, outer)
        ).fetchone():
            return outer
    return None
