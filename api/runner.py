"""Works on the queue in the background, the most urgent job first, as long as the server runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from api.service import Service
from ingest.events import FileEvent, Report
from ingest.files import InputFile
from ingest.job import Job
from ingest.jobs import Jobs
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

    def empty(self, on_event: Callable[[FileEvent], None]) -> Report:
        """Works in this thread until nothing is queued, instead of `start`: for a process that serves nobody.

        Raises what a run breaks off for; its files are queued again then.
        """
        self._jobs.requeue_interrupted()
        self._jobs.hurry()
        total = Report()
        while not total.cancelled and (following := self._jobs.waiting()) is not None:
            try:
                report = self._ingest(following[0], on_event)
            except TuwenError as error:
                self._jobs.put_back(error)
                raise
            except BaseException:
                self._jobs.requeue_interrupted()
                raise
            total.add(report)
        return total

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

    def _ingest(self, collection: str, on_event: Callable[[FileEvent], None] = lambda _: None) -> Report:
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
            on_event(event)

        try:
            return self._service.ingest(files(), collection, tell, cancel=self._stopping, dropped=self._jobs.dropped)
        finally:
            self._jobs.release(job.id for job in taken.values())
