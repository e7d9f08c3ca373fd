"""Files on their way, as the HTTP interface shows them. The queue itself: ingest/jobs.py."""

from __future__ import annotations

from typing import Any

from api import schemas
from ingest.dead_letters import DeadLetter
from ingest.job import Job
from rag.stores.records import Version


def shown(job: Job) -> dict[str, Any]:
    """`status` is one of queued, paused, parsing, embedding, published, unchanged, failed, cancelled."""
    found: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "collection": job.collection,
        "size": job.size,
        "sha256": job.sha256,
        "status": job.state,
        "at": job.at,
    }
    if job.state == "parsing" and job.page is not None:
        found["progress"] = {"page": job.page, "pages": job.pages}
    if job.state == "embedding":
        # All pages were read; the page that was told last is some pages before the end.
        found["progress"] = {"page": job.pages, "pages": job.pages, "chunks": job.chunks}
    if job.attempts > 1:
        found["attempts"] = job.attempts
    if job.message:
        found |= schemas.error(job.error or "IngestFailed", job.message, job.remedy)
    return found


def letter(dead: DeadLetter) -> dict[str, Any]:
    """A file that failed for good, as `shown`; `inside` names the archive or message that it is in."""
    found: dict[str, Any] = {"id": dead.id, "name": dead.name, "collection": dead.collection, "status": "failed"}
    found |= {"at": dead.at, "attempts": dead.attempts}
    if dead.inside:
        found["inside"] = dead.inside
    return found | schemas.error(dead.error or "IngestFailed", dead.message, dead.remedy)


def version(item: Version) -> dict[str, Any]:
    """`embedded` of its `chunks` texts were new when it was published."""
    return {
        "published_at": item.published_at,
        "sha256": item.sha256,
        "size": item.size,
        "chunks": item.chunks,
        "embedded": item.embedded,
        "settings": item.settings,
    }
