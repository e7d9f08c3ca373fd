"""What an ingest tells while it runs, and at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

State = Literal["parsing", "embedding", "published", "unchanged", "failed", "cancelled"]
UNDER_WAY = frozenset({"parsing", "embedding"})


@dataclass(frozen=True, slots=True)
class FileEvent:
    """What happens to a file. `page` of `pages` is told while it is being parsed, where the format has pages; `chunks` while
    it is being embedded, and in the end. A cancelled run tells nothing of the files that were under way."""

    name: str
    state: State
    document_id: str = ""
    page: int | None = None
    pages: int | None = None
    chunks: int = 0
    warnings: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    remedy: str = ""
    moved_from: str = ""
    """The name that the file had before, where it was published at another place and is not there any more."""


@dataclass
class Report:
    """The end of a run: how many files, chunks and pages, every file that failed, what moved (from, to) and what was deleted."""

    states: Counter[str] = field(default_factory=Counter)
    chunks: int = 0
    embedded: int = 0
    pages: int = 0
    seconds: float = 0.0
    cancelled: bool = False
    failures: list[FileEvent] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Makes this the report of both runs, one after the other."""
        self.states += other.states
        self.chunks += other.chunks
        self.embedded += other.embedded
        self.pages += other.pages
        self.seconds += other.seconds
        self.cancelled = self.cancelled or other.cancelled
        self.failures += other.failures
        self.warnings += other.warnings
        self.moved += other.moved
        self.deleted += other.deleted
