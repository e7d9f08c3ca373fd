"""A file in the queue, its states and its priorities."""

from __future__ import annotations

from dataclasses import dataclass

PERSON, BULK = 10, 0
"""Priorities: the higher goes first."""
UNDER_WAY = ("parsing", "embedding")
BUSY = ("queued", *UNDER_WAY)
WAITING = ("paused", *BUSY)

COLUMNS = (
    "id, collection, name, sha256, size, path, root, priority, state, page, pages, chunks, attempts, not_before, "
    "error, message, remedy, at, revision, owner"
)
NEXT_REVISION = "(SELECT coalesce(max(revision), 0) + 1 FROM jobs)"


@dataclass(frozen=True, slots=True)
class Job:
    """A file in the queue. `id` is that of its document. `path` is where a bulk load found it, or its address; an upload's bytes are a blob."""

    id: str
    collection: str
    name: str
    sha256: str
    size: int
    path: str
    root: str
    priority: int
    state: str
    page: int | None = None
    pages: int | None = None
    chunks: int = 0
    attempts: int = 0
    not_before: float = 0.0
    error: str = ""
    message: str = ""
    remedy: str = ""
    at: float = 0.0
    revision: int = 0
    owner: str = ""
    """The name of the caller who sent it; empty for the owner of the data directory."""
