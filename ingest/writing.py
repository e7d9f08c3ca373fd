"""The writing side of a run: chunks are embedded in batches across files, and a document is published when all of its vectors
are stored."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Sequence

from ingest.embedding import Embedder, Models
from ingest.events import UNDER_WAY, FileEvent, Report
from ingest.flow import Batch, Coming, Draft, Flow, Item
from ingest.known import Known
from rag.documents import AnyChunk
from rag.errors import NotFound, TuwenError
from rag.stores.library import Incomplete
from rag.stores.publishing import Publication, digests_of

_GATHERED_CHUNKS = 128
"""Chunks of any documents that are sorted by length together. With the few that a queue of eight items held, half of each of the encoder's
batches was padding, and an ingest of plain text reached 0.6 of the encoder's own chunks per second."""
_FIRST_CHUNKS = 32
"""With fewer the encoder begins: it has waited for the reader to start."""
_GATHER_SECONDS = 0.5
"""How long the encoder waits for more: a reader that is slower than the encoder must not keep what it read from being embedded."""
_FLUSH_SECONDS = 2.0
_TOGETHER = 16
"""Documents that are published in one transaction: nobody else writes meanwhile."""
AGAIN = "Ingest it again."


class Writer:
    """The only one that writes documents. Runs in the thread that called the pipeline.

    `open_models` is called when the first text has to be embedded.
    """

    def __init__(
        self, flow: Flow, known: Known, open_models: Callable[[], Models], on_event: Callable[[FileEvent], None]
    ) -> None:
        self._flow, self._known, self._open_models, self._on_event = flow, known, open_models, on_event
        self._pending: list[Batch] = []
        self._report = Report()
        self._flushed = time.monotonic()
        self._opened: Models | None = None
        self._embedder: Embedder | None = None

    def consume(self, running: int) -> None:
        """Takes items until that many readers have ended. Raises what a reader could not survive, and what the encoder raises."""
        while running:
            item = self._next()
            if item is None:
                running -= 1
            elif isinstance(item, TuwenError):
                raise item
            elif isinstance(item, FileEvent):
                self._tell(item)
            elif isinstance(item, Coming):
                self._opened = self._opened or self._open_models()
            elif isinstance(item, Batch):
                if self._unwanted(item.draft):
                    continue
                item.draft.waiting += 1
                self._pending.append(item)
                if sum(len(batch.chunks) for batch in self._pending) >= self._wanted:
                    self._embed()
            else:
                self._finished_reading(item.draft)
        self._embed()

    def close(self) -> Report:
        """Brings the vector index up to the library."""
        if self._opened is not None:
            self._opened.finish_index()
        if self._embedder is not None:
            self._report.embedded = self._embedder.embedded
        return self._report

    @property
    def _wanted(self) -> int:
        """Chunks that are worth a call of the encoder."""
        if self._opened is None or self._embedder is None:
            return _FIRST_CHUNKS
        return _GATHERED_CHUNKS * self._opened.lanes

    @property
    def _models(self) -> Models:
        self._opened = self._opened or self._open_models()
        return self._opened

    def _store_vectors(self, chunks: list[AnyChunk]) -> set[str] | None:
        """The digests of what was new; None when the run was cancelled meanwhile."""
        flow = self._flow
        self._embedder = self._embedder or Embedder(flow.library, self._models, flow.cancel.is_set)
        return self._embedder.store_vectors(chunks)

    def _next(self) -> Item:
        """The next item. When none comes for a while, the time is used to embed what is there."""
        try:
            return self._flow.queue.get(timeout=_GATHER_SECONDS if self._pending else None)
        except queue.Empty:
            self._embed()
            return self._flow.queue.get()

    def _finished_reading(self, draft: Draft) -> None:
        draft.read = True
        if draft.dropped:
            self._tell(FileEvent(draft.file.name, "cancelled", draft.document.id))
            return
        if draft.waiting:
            self._tell(FileEvent(draft.file.name, "embedding", draft.document.id, chunks=len(draft.chunks)))
        self._publish_complete([draft])

    def _unwanted(self, draft: Draft) -> bool:
        """Whether the file was cancelled by itself. It is told once: here, or by the reader where that is still at it."""
        if not draft.dropped and self._flow.dropped(draft.file):
            draft.dropped = True
            if draft.read:
                self._tell(FileEvent(draft.file.name, "cancelled", draft.document.id))
        return draft.dropped

    def _embed(self) -> None:
        batches, self._pending = [batch for batch in self._pending if not self._unwanted(batch.draft)], []
        if not batches or self._flow.cancel.is_set():
            return
        new = self._store_vectors([chunk for batch in batches for chunk in batch.chunks])
        if new is None:
            return
        for batch in batches:
            batch.draft.embedded += len(new & {key for chunk in batch.chunks for key in digests_of(chunk)})
            batch.draft.waiting -= 1
        self._publish_complete(list({id(batch.draft): batch.draft for batch in batches}.values()))

    def _publish_complete(self, drafts: Sequence[Draft]) -> None:
        """Publishes those of the drafts of which nothing is missing."""
        for start in range(0, len(drafts), _TOGETHER):
            if self._flow.cancel.is_set():
                return
            self._publish(drafts[start : start + _TOGETHER])

    def _publish(self, drafts: Sequence[Draft]) -> None:
        complete = [draft for draft in drafts if draft.read and not draft.waiting and not self._unwanted(draft)]
        if not complete:
            return
        # At its opening the index is compared with the library, and what it lacks is added: what is published meanwhile would be added
        # twice, and a vector that is put over itself can drop out of the graph.
        self._models.index()
        publications = [self._publication(draft) for draft in complete]
        visible = {id(made) for made in self._flow.library.publish_all(publications, self._models.encoder.space.id)}
        for draft, publication in zip(complete, publications, strict=True):
            if id(publication) in visible or self._publish_again(draft):
                self._published(draft)

    def _published(self, draft: Draft) -> None:
        if draft.checkpoint is not None:
            draft.checkpoint.forget()
        moved_from = self._after(draft)
        self._report.chunks += len(draft.chunks)
        self._report.pages += len(draft.pages)
        event = FileEvent(
            draft.file.name,
            "published",
            draft.document.id,
            pages=draft.document.page_count,
            chunks=len(draft.chunks),
            warnings=tuple(draft.warnings),
            moved_from=moved_from,
        )
        self._tell(event)
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._models.flush_index()
            # What was fetched from elsewhere is not fetched again after a kill.
            self._known.remember()
            self._flushed = time.monotonic()

    def _publication(self, draft: Draft) -> Publication:
        return Publication(
            draft.document,
            self._flow.settings,
            draft.pages,
            draft.elements,
            draft.chunks,
            draft.file.source,
            tuple(draft.warnings),
            draft.file.container,
            draft.embedded,
        )

    def _publish_again(self, draft: Draft) -> bool:
        """Whether the document is visible now. Another one with the same text or picture was deleted in the meantime, its vectors and
        blobs with it."""
        flow = self._flow
        try:
            flow.library.blobs.put_file(draft.file.path, draft.file.sha256)
            if self._store_vectors(draft.chunks) is None:
                return False
            flow.library.publish(self._publication(draft), self._models.encoder.space.id)
        except (Incomplete, FileNotFoundError):
            message = f"{draft.file.name}: its pictures were removed with another document while it was ingested."
            self._tell(FileEvent(draft.file.name, "failed", error="Incomplete", message=message, remedy=AGAIN))
            return False
        return True

    def _after(self, draft: Draft) -> str:
        """Deletes what the new version leaves without a file: members that are not in it any more, the place that it was moved from,
        whose name it answers."""
        library = self._flow.library
        library.prune(draft.document.id, {f"{draft.file.name}/{member.name}" for member in draft.members})
        moved = None if draft.file.container else self._known.moved_from(draft.file)
        if moved is None:
            return ""
        with contextlib.suppress(NotFound):
            library.delete(moved[0])
        return moved[1]

    def _tell(self, event: FileEvent) -> None:
        if event.state not in UNDER_WAY:
            self._report.states[event.state] += 1
        if event.state == "failed":
            self._report.failures.append(event)
        if event.moved_from:
            self._report.moved.append((event.moved_from, event.name))
        self._report.warnings.extend((event.name, warning) for warning in event.warnings)
        self._on_event(event)
