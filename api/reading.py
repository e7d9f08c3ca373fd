"""What a caller reads by name, and may change: documents, their parts, files on their way, and the lists of them.

A document that the caller's rule does not allow is as if it were not there: the same error, the same message. The rule is asked
before anything is read, in one place, so that a route cannot forget it. A file on its way is seen by who sent it, and by whom the rule
will certainly let read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.access import Caller
from api.service import Service
from ingest.dead_letters import DeadLetter
from ingest.job import WAITING, Job
from ingest.jobs import Jobs
from rag.answers import Access, Filter
from rag.documents import AnyChunk, Document, Element, Page
from rag.errors import Forbidden, NotFound
from rag.filters.match import Record, foreseen
from rag.stores.records import Failure, Stored, Version

_BEFORE_PUBLICATION = {"collection", "document", "name"}
"""What is known of a file that waits or failed: where a rule asks for more, only who sent it sees it."""
_DONE = ("published", "unchanged")


@dataclass(frozen=True, slots=True)
class Reading:
    """The service's documents, as far as the caller's access allows. Every method raises NotFound for what is not there or not allowed."""

    service: Service
    caller: Caller

    @property
    def access(self) -> Access:
        return self.caller.access

    def documents(self, collection: str | None = None) -> list[Stored]:
        found = self.service.documents(collection)
        allowed = self.service.library.readable([stored.document.id for stored in found], self.access.rule)
        return [stored for stored in found if stored.document.id in allowed]

    def failures(self, collection: str | None = None) -> list[Failure]:
        found = self.service.failures(collection)
        return [failed for failed in found if self._expects(failed.collection, failed.name)]

    def jobs(self, found: Iterable[Job]) -> list[Job]:
        """Those of them that may be seen: what the caller sent, what they will be able to read, and what became a document that they read."""
        found = list(found)
        if self.caller.reads_everything:
            return found
        done = self.service.library.readable([job.id for job in found if job.state in _DONE], self.access.rule)
        return [job for job in found if self._sent(job) or job.id in done or self._expects(job.collection, job.name)]

    def job(self, jobs: Jobs, document_id: str) -> Job:
        job = jobs.get(document_id)
        if not self.jobs([job]):
            raise NotFound(f"There is no file with id {document_id}.", "GET /v1/files lists those there are.")
        return job

    def job_counts(self, jobs: Jobs) -> dict[str, int]:
        """Jobs by state, of those that may be seen."""
        if self.caller.reads_everything:
            return jobs.counts()
        return dict(sorted(Counter(job.state for job in self.jobs(jobs.all())).items()))

    def dead_letters(self, jobs: Jobs, collection: str | None = None) -> list[DeadLetter]:
        """Of what failed inside an archive, only what the rule is certain of: its place is all that tells whose it is."""
        found = jobs.dead_letters(collection)
        if self.caller.reads_everything:
            return found
        seen = {job.id for job in self.jobs(jobs.all(collection))}
        return [dead for dead in found if dead.id in seen or self._expects(dead.collection, dead.name)]

    def changeable(self, jobs: Jobs, action: str, given: list[str] | None) -> list[str] | None:
        """The ids of the jobs and dead letters that are meant by id or name, or all that the action makes sense for, of those that may be
        seen; None for all there are."""
        if self.caller.reads_everything:
            return None if given is None else jobs.named(given)
        letters = [(dead.id, dead.name) for dead in self.dead_letters(jobs)]
        seen = [(job.id, job.name) for job in self.jobs(jobs.all())]
        if given is None:
            return [id_ for id_, _ in (letters if action == "retry" else seen)]
        found: dict[str, None] = {}
        for text in given:
            ids = [id_ for id_, name in [*seen, *letters] if text in (id_, name)]
            if not ids:
                raise NotFound(f"There is no job {text!r}.", "GET /v1/jobs lists those there are.")
            found |= dict.fromkeys(ids)
        return list(found)

    def check_sendable(self, jobs: Jobs, collection: str, name: str) -> None:
        """Raises Forbidden for a file that the caller could never read, or that would take the place of another's."""
        if self.caller.reads_everything:
            return
        if self._foreseen(collection, name) is False:
            raise Forbidden(
                f"{name} would not be yours to read in collection {collection!r}.",
                "Choose a collection and a name that you may read.",
            )
        id_ = Document.make_id(collection, name)
        published = bool(self.service.library.readable([id_], Filter()))
        try:
            job = jobs.get(id_)
        except NotFound:
            waits = False
        else:
            waits = job.state in (*WAITING, "failed") and not self._sent(job) and not self._expects(collection, name)
        if waits or (published and not self._there(id_)):
            raise Forbidden(f"The name {name} is taken in collection {collection!r}.", "Send the file by another name.")

    def asked(self, question: Mapping[str, Any]) -> bool:
        """Whether a question of a labelled set may be seen: who reads everything sees all, others what was made from documents that they
        read, and nothing of which that is not known."""
        if self.caller.reads_everything:
            return True
        made = question.get("provenance")
        made = made if isinstance(made, dict) else {}
        collection, sources = made.get("collection"), {made.get("source"), question.get("source")} - {None}
        if not isinstance(collection, str) or not sources or not all(isinstance(name, str) for name in sources):
            return False
        named = {Document.make_id(collection, str(name)) for name in sources}
        if made.get("chunk_id"):
            named.add(str(made["chunk_id"]).partition(".")[0])
        return self.service.library.readable(sorted(named), self.access.rule) == named

    def collections(self) -> dict[str, int]:
        return self.service.library.collections(self.access.rule)

    def document(self, document_id: str) -> Stored:
        self._check(document_id)
        return self.service.document(document_id)

    def versions(self, document_id: str) -> list[Version]:
        self._check(document_id)
        return self.service.versions(document_id)

    def chunks(self, document_id: str) -> list[AnyChunk]:
        self._check(document_id)
        return self.service.chunks(document_id)

    def pages(self, document_id: str) -> list[Page]:
        self._check(document_id)
        return self.service.pages(document_id)

    def tables(self, document_id: str) -> list[Element]:
        self._check(document_id)
        return self.service.library.tables(document_id)

    def original(self, document_id: str) -> tuple[Path, Stored]:
        self._check(document_id)
        return self.service.original(document_id)

    def page_image(self, document_id: str, number: int, scale: float) -> bytes:
        self._check(document_id)
        return self.service.page_image(document_id, number, scale)

    def picture(self, chunk_id: str) -> tuple[bytes, str]:
        if not self.service.library.allows([chunk_id], self.access.rule):
            raise NotFound(f"There is no picture {chunk_id}.", "Take the chunk_id of a hit of kind `image`.")
        return self.service.picture(chunk_id)

    def check_removable(self, jobs: Jobs, document_id: str) -> None:
        """Only what may be read, or will be when it is published, may be deleted."""
        if self.caller.reads_everything:
            return
        held = self.service.library.held_in(document_id)
        if self.service.library.readable(held, self.access.rule) != set(held):
            raise NotFound(
                f"There is no document with id {document_id}.", "`tuwen documents list` shows those there are."
            )
        if document_id not in held:
            self._expected(jobs, document_id)

    def _expected(self, jobs: Jobs, document_id: str) -> None:
        failed = {Document.make_id(f.collection, f.name) for f in self.failures()}
        if document_id not in failed:
            self.job(jobs, document_id)

    def _there(self, document_id: str) -> bool:
        return bool(self.service.library.readable([document_id], self.access.rule))

    def _check(self, document_id: str) -> None:
        if not self._there(document_id):
            raise NotFound(
                f"There is no published document with id {document_id}.",
                "`tuwen documents list` shows those there are.",
            )

    def _expects(self, collection: str, name: str) -> bool:
        """Whether the rule allows a file by what is known of it before it is read."""
        return self._foreseen(collection, name) is True

    def _foreseen(self, collection: str, name: str) -> bool | None:
        known = {"collection": (collection,), "name": (name,), "document": (Document.make_id(collection, name),)}
        return foreseen(self.access.rule.expression, Record(known), _BEFORE_PUBLICATION)

    def _sent(self, job: Job) -> bool:
        return bool(job.owner) and job.owner == self.caller.name
