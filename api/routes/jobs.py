"""The queue over HTTP: what waits, what is under way, what failed; cancel, pause, resume, retry; progress as events.

Of all jobs, those that whoever asks may see (api/reading.py)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.bulk import change
from api.deps import Shelf, Tuwen
from api.reading import Reading
from api.schemas import Word
from api.uploads import letter, shown
from ingest.jobs import Jobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_LOOK_SECONDS = 0.25


class JobsBody(BaseModel):
    """`ids` or names of files; without them the action is for all that it makes sense for."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Word] | None = None


@router.get("")
def list_jobs(tuwen: Tuwen, shelf: Shelf, collection: str | None = None, status: str | None = None) -> dict[str, Any]:
    """Every job in the order in which it came, and how many there are in each state."""
    found = [job for job in tuwen.jobs.all(collection) if status is None or job.state == status]
    return {"jobs": [shown(job) for job in shelf.jobs(found)], "counts": shelf.job_counts(tuwen.jobs)}


@router.get("/failed")
def dead_letters(tuwen: Tuwen, shelf: Shelf, collection: str | None = None) -> dict[str, Any]:
    """Every file that failed and is not tried again by itself, also those inside archives, with why and what to do."""
    return {"failed": [letter(dead) for dead in shelf.dead_letters(tuwen.jobs, collection)]}


@router.get("/events")
async def events(
    request: Request,
    tuwen: Tuwen,
    shelf: Shelf,
    since: Annotated[int | None, Query(ge=0, le=2**62, description="Begin with what changed after this event.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**62)] = None,
) -> EventSourceResponse:
    """Every change of a job from now on, as server-sent events `job`; whoever comes back with Last-Event-ID misses none."""
    after = last_event_id if last_event_id is not None else since
    leaving = anyio.Event()
    changes = _changes(request, shelf, tuwen.jobs, after, leaving)
    # A server that ends lets its listeners end, instead of breaking off what they read.
    return EventSourceResponse(changes, ping=15, shutdown_event=leaving, shutdown_grace_period=2 * _LOOK_SECONDS)


async def _changes(
    request: Request, shelf: Reading, jobs: Jobs, after: int | None, leaving: anyio.Event
) -> AsyncIterator[ServerSentEvent]:
    seen = await run_in_threadpool(jobs.revision) if after is None else after
    while not (leaving.is_set() or await request.is_disconnected()):
        changed = await run_in_threadpool(jobs.changed_since, seen)
        for job in await run_in_threadpool(shelf.jobs, changed) if changed else ():
            seen = job.revision
            yield ServerSentEvent(json.dumps(shown(job), ensure_ascii=False), event="job", id=str(seen))
        seen = max([seen, *(job.revision for job in changed)])
        with anyio.move_on_after(_LOOK_SECONDS):
            await leaving.wait()


@router.post("/{action}")
def act(
    action: Literal["cancel", "pause", "resume", "retry"], body: JobsBody, tuwen: Tuwen, shelf: Shelf
) -> dict[str, Any]:
    """Answers how many jobs it concerned."""
    changed = change(tuwen.jobs, action, shelf.changeable(tuwen.jobs, action, body.ids))
    tuwen.runner.wake()
    return {"action": action, "jobs": changed}
