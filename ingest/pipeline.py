"""The file flow: hash → known? stop → parse page by page → chunk → embed → publish in one transaction → index.

A reading thread for each parse worker turns files into chunks (reading.py); the calling thread embeds them in batches across files
and publishes each document when all of its vectors are stored (writing.py). The queue between them is bounded, so memory does not
grow with the number or the length of files beyond the text of the documents under way. What was embedded before a kill is not
embedded again: vectors are stored by the hash of their text, before the document that has the text is published.
"""

from __future__ import annotations

import hashlib
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterable

from ingest.checkpoints import Checkpoints
from ingest.embedding import Models
from ingest.events import FileEvent, Report
from ingest.files import InputFile
from ingest.flow import Flow
from ingest.known import Known
from ingest.protocols import Chunker, Limits, Worker
from ingest.reading import UNPACKED, Reader
from ingest.sources.remote import NOWHERE, Sources
from ingest.writing import Writer
from rag.stores.library import CHECKPOINTS, SqliteLibrary

DEFAULT_LIMITS = Limits()


class Pipeline:
    """Ingests files into a collection. One run at a time for a library: the caller sees to that.

    `open_models` is called when the first text has to be embedded: a run over unchanged files loads no model.
    """

    def __init__(
        self,
        library: SqliteLibrary,
        chunker: Chunker,
        open_models: Callable[[], Models],
        make_worker: Callable[[], Worker],
        toolbox_version: str,
        *,
        limits: Limits = DEFAULT_LIMITS,
        workers: int = 1,
        sources: Sources = NOWHERE,
    ) -> None:
        self._library, self._chunker, self._open_models = library, chunker, open_models
        self._make_worker, self._limits, self._workers, self._sources = make_worker, limits, workers, sources
        self.settings = hashlib.sha256(f"{toolbox_version}\0{chunker.version}".encode()).hexdigest()[:16]

    def run(
        self,
        files: Iterable[InputFile],
        collection: str,
        on_event: Callable[[FileEvent], None] = lambda _: None,
        *,
        retry_failed: bool = False,
        cancel: threading.Event | None = None,
        dropped: Callable[[InputFile], bool] = lambda _: False,
    ) -> Report:
        """`dropped` tells whether a single file is not wanted any more; it is asked often.

        Raises Unavailable or SetupError when no further file could succeed; what was published until then stays.
        """
        began = time.monotonic()
        flow = Flow(self._library, collection, self.settings, cancel or threading.Event(), dropped)
        known = Known(self._library, collection, self.settings, retry_failed=retry_failed)
        writer = Writer(flow, known, self._open_models, on_event)
        readers = self._start_readers(flow, known, files)
        try:
            writer.consume(len(readers))
        except BaseException:
            flow.cancel.set()
            raise
        finally:
            _drain_until_ended(flow, readers)
            known.remember()
            report = writer.close()
        report.seconds = time.monotonic() - began
        report.cancelled = flow.cancel.is_set()
        return report

    def _start_readers(self, flow: Flow, known: Known, files: Iterable[InputFile]) -> list[threading.Thread]:
        for left in self._library.folder.glob(f"{UNPACKED}*"):
            shutil.rmtree(left, ignore_errors=True)
        checkpoints = Checkpoints(self._library.folder / CHECKPOINTS)
        checkpoints.forget_old()
        source, guard = iter(files), threading.Lock()

        def next_file() -> InputFile | None:
            with guard:
                return next(source, None)

        readers = [
            Reader(flow, known, checkpoints, self._chunker, self._limits, self._make_worker, self._sources)
            for _ in range(self._workers)
        ]
        threads = [threading.Thread(target=reader.read, args=(next_file,), daemon=True) for reader in readers]
        for thread in threads:
            thread.start()
        return threads


def _drain_until_ended(flow: Flow, readers: list[threading.Thread]) -> None:
    """A reader that waits for room in the queue would never end."""
    while any(reader.is_alive() for reader in readers):
        try:
            flow.queue.get(timeout=0.05)
        except queue.Empty:
            continue
