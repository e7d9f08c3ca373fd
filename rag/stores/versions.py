"""The state of a collection as a number: what was found under it is found again as long as it stands."""

from __future__ import annotations

from rag.stores.database import Database


def settled_version(database: Database, collection: str) -> int | None:
    """Rises with every document that is published, replaced, changed or deleted. None while the vector index has not followed yet."""
    version, waiting = database.reader.execute(
        "SELECT (SELECT version FROM versions WHERE collection = ?1), EXISTS (SELECT 1 FROM outbox WHERE collection = ?1)",
        (collection,),
    ).fetchone()
    return None if waiting else int(version or 0)
