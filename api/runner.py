"""Ingests uploads in the background, in the order in which they came, as long as the server runs."""

from __future__ import annotations

import logging
import threading

from api.service import Service
from api.uploads import Upload, Uploads
from ingest.files import InputFile
from ingest.pipeline import UNDER_WAY, FileEvent
from rag.errors import TuwenError

log = logging.getLogger(__name__)

_TOGETHER = 64
"""Uploads ingested in one run: their texts share batches of the encoder."""
_RETRY_SECONDS = 10.0


class Runner:
    """One thread. `wake` after an upload was accepted; `stop` ends it after the file under way is abandoned, not lost."""

    def __init__(self, service: Service, uploads: Uploads) -> None:
        self._service, self._uploads = service, uploads
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="tuwen-ingest", daemon=True)

    def start(self) -> None:
        self._uploads.requeue_interrupted()
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _work(self) -> None:
        while not self._stopping.is_set():
            taken = self._uploads.take(_TOGETHER)
            if not taken:
                self._wake.wait()
                self._wake.clear()
                continue
            try:
                self._ingest(taken)
            except TuwenError as error:
                # Not the files' fault: a model is missing, a server does not answer.
                log.error("uploads wait: %s", error)
                self._put_back(taken, error.message, error.remedy)
            except Exception:
                log.exception("uploads wait")
                self._put_back(taken, "The server failed to ingest this file.", "See the server's log.")

    def _ingest(self, taken: list[Upload]) -> None:
        by_name = {upload.name: upload for upload in taken}
        blobs = self._service.library.blobs
        files = [InputFile(blobs.path(u.sha256), u.name, sha256=u.sha256) for u in taken]

        def settle(event: FileEvent) -> None:
            # Files inside an uploaded file have events of their own.
            if event.state not in UNDER_WAY and event.name in by_name:
                self._uploads.settle(by_name[event.name], event.state, event.message, event.remedy)

        self._service.ingest(files, taken[0].collection, settle, cancel=self._stopping)

    def _put_back(self, taken: list[Upload], message: str, remedy: str) -> None:
        for upload in taken:
            self._uploads.settle(upload, "queued", message, remedy)
        self._stopping.wait(_RETRY_SECONDS)
