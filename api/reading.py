"""What a caller reads by name: documents, their parts, and the lists of them.

A document that the caller's rule does not allow is as if it were not there: the same error, the same message. The rule is asked
before anything is read, in one place, so that a route cannot forget it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.service import Service
from ingest.job import Job
from ingest.jobs import Jobs
from rag.answers import Access
from rag.documents import AnyChunk, Document, Page
from rag.errors import NotFound
from rag.filters import fields_of
from rag.filters.match import Record, matches
from rag.stores.library import Failure, Stored, Version

_BEFORE_PUBLICATION = {"collection", "document", "name"}
"""What is known of a file that waits or failed: a rule that asks for more allows none of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The service's documents, as far as `access` allows. Every method raises NotFound for what is not there or not allowed."""

    service: Service
    access: Access

    def documents(self, collection: str | None = None) -> list[Stored]:
        found = self.service.documents(collection)
        allowed = self.service.library.readable([stored.document.id for stored in found], self.access.rule)
        return [stored for stored in found if stored.document.id in allowed]

    def failures(self, collection: str | None = None) -> list[Failure]:
        return [failed for failed in self.service.failures(collection) if self._expects(failed.collection, failed.name)]

    def jobs(self, found: Iterable[Job]) -> list[Job]:
        """Those of them that may be seen."""
        return [job for job in found if self._expects(job.collection, job.name)]

    def job(self, jobs: Jobs, document_id: str) -> Job:
        job = jobs.get(document_id)
        if not self.jobs([job]):
            raise NotFound(f"There is no file with id {document_id}.", "GET /v1/files lists those there are.")
        return job

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
        if not self._there(document_id):
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
        rule = self.access.rule.expression
        if rule is None:
            return True
        if not {field.name for field in fields_of(rule)} <= _BEFORE_PUBLICATION:
            return False
        known = {"collection": (collection,), "name": (name,), "document": (Document.make_id(collection, name),)}
        return matches(rule, Record(known))
