"""Files on their way, as the HTTP interface shows them. The queue itself: ingest/jobs.py."""

from __future__ import annotations

from typing import Any

from api import schemas
from ingest.jobs import Job


def shown(job: Job) -> dict[str, Any]:
    """`status` is one of queued, paused, parsing, embedding, published, unchanged, failed, cancelled."""
    found: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "collection": job.collection,
        "size": job.size,
        "sha256": job.sha256,
        "status": job.state,
    }
    if job.state in ("parsing", "embedding") and job.page is not None:
        found["progress"] = {"page": job.page, "pages": job.pages}
    if job.attempts > 1:
        found["attempts"] = job.attempts
    if job.message:
        found |= schemas.error(job.error or "IngestFailed", job.message, job.remedy)
    return found
