"""Works on the queue in the background, the most urgent job first, as long as the server runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from api.service import Service
from ingest.events import FileEvent
from ingest.files import InputFile
from ingest.jobs import Job, Jobs
from rag.errors import NotFound, TuwenError

log = logging.getLogger(__name__)


class Runner:
    """One thread. `wake` after something was queued; `stop` ends it after the file under way is abandoned, not lost."""

    def __init__(self, service: Service, jobs: Jobs) -> None:
        self._service, self._jobs = service, jobs
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="tuwen-ingest", daemon=True)

    def start(self) -> None:
        self._jobs.requeue_interrupted()
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
            self._wake.clear()
            following = self._jobs.waiting()
            if following is None or following[1] > 0:
                self._wake.wait(None if following is None else following[1])
                continue
            try:
                self._ingest(following[0])
            except TuwenError as error:
                # Not the files' fault: a model is missing, a server does not answer.
                log.error("jobs wait: %s", error)
                self._jobs.put_back(error)
            except Exception as error:
                log.exception("jobs wait")
                message = f"The server failed to ingest this file: {type(error).__name__}."
                self._jobs.put_back(TuwenError(message, "See the server's log."))

    def _ingest(self, collection: str) -> None:
        taken: dict[str, Job] = {}

        def files() -> Iterator[InputFile]:
            """Asked for one at a time: an upload that comes meanwhile is next, whatever waits."""
            while not self._stopping.is_set() and (job := self._jobs.take(collection)) is not None:
                taken[job.name] = job
                try:
                    yield self._jobs.input(job)
                except NotFound as error:
                    lost = FileEvent(job.name, "failed", error="NotFound", message=error.message, remedy=error.remedy)
                    self._jobs.tell(job.id, lost)

        def tell(event: FileEvent) -> None:
            # Files inside an uploaded file have events of their own.
            job = taken.get(event.name)
            if job is not None:
                self._jobs.tell(job.id, event, job.sha256)

        self._service.ingest(files(), collection, tell, cancel=self._stopping, dropped=self._jobs.dropped)
