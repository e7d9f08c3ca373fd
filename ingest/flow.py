"""What flows from the reading threads to the writer of one run, and what both of them know of it."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.checkpoints import Checkpoint
from ingest.events import FileEvent
from ingest.files import InputFile
from ingest.protocols import Member
from rag.documents import AnyChunk, Document, Element, Page
from rag.errors import TuwenError
from rag.stores.library import SqliteLibrary

QUEUED = 256
"""Batches, ends and events between reading and embedding: the text of a few hundred short files."""


@dataclass
class Draft:
    """A document under way."""

    file: InputFile
    document: Document
    chunks: list[AnyChunk] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    elements: list[tuple[Element, str | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    dropped: bool = False
    """Cancelled by itself, while the run goes on."""
    embedded: int = 0
    waiting: int = 0
    """Batches that are not embedded yet."""
    read: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Chunks of one document on their way together."""

    draft: Draft
    chunks: list[AnyChunk]


@dataclass(frozen=True, slots=True)
class Coming:
    """A file has to be read: the models can be opened while the parse process starts."""


@dataclass(frozen=True, slots=True)
class End:
    """The last chunk of a document was on its way before this."""

    draft: Draft


Item = Coming | Batch | End | FileEvent | TuwenError | None
"""None is a reading thread's last word; an error is one that no further file could escape."""


class Line:
    """A bounded queue: what is only told comes first, then the chunks of urgent files, then the others, each kind in the order in which it
    was put. With 256 batches of a bulk load before them, the few chunks of a person's upload waited ten minutes for the encoder."""

    def __init__(self, size: int) -> None:
        self._queue: queue.PriorityQueue[tuple[int, int, Item]] = queue.PriorityQueue(size)
        self._numbers = itertools.count()

    def put(self, item: Item) -> None:
        """Waits for room."""
        self._queue.put((_rank(item), next(self._numbers), item))

    def get(self, timeout: float | None = None) -> Item:
        """Raises queue.Empty."""
        return self._queue.get(timeout=timeout)[2]


def _rank(item: Item) -> int:
    if isinstance(item, Batch | End):
        return 1 if item.draft.file.urgent else 2
    # A thread's last word comes behind all that it said.
    return 3 if item is None else 0


class Cancelled(Exception):
    """The run, or this file, was cancelled while it was read: nothing is recorded of it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One run. The queue is bounded, so that memory does not grow with the number of files."""

    library: SqliteLibrary
    collection: str
    settings: str
    """Hash of what parsing and chunking depend on."""
    cancel: threading.Event
    dropped: Callable[[InputFile], bool]
    """Whether a single file is not wanted any more."""
    queue: Line = field(default_factory=lambda: Line(QUEUED))

    def stopped(self, file: InputFile) -> bool:
        return self.cancel.is_set() or self.dropped(file)
