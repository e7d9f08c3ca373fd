"""The long-lived things of the server, in one place: made by the lifespan, handed to the routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.access import OWNER, Caller
from api.admission import Admission
from api.conversations import Conversations
from api.reading import Reading
from api.runner import Runner
from api.service import Service
from ingest.jobs import Jobs
from rag.answers import Access


@dataclass
class State:
    """`trouble` says why the server cannot answer yet, or at all; None once it can."""

    service: Service
    jobs: Jobs
    runner: Runner
    admission: Admission
    trouble: dict[str, str] | None = field(default_factory=lambda: {"message": "Models are being loaded."})


async def _state(request: Request) -> State:
    state: State = request.app.state.tuwen
    return state


Tuwen = Annotated[State, Depends(_state)]


async def caller() -> Caller:
    """Who sent the request. There is one caller now, the owner of the data directory."""
    return OWNER


Asking = Annotated[Caller, Depends(caller)]


async def _access(asking: Asking) -> Access:
    return asking.access


Reader = Annotated[Access, Depends(_access)]


async def _reading(tuwen: Tuwen, asking: Asking) -> Reading:
    return Reading(tuwen.service, asking)


Shelf = Annotated[Reading, Depends(_reading)]
"""The documents and files that whoever sent the request may read; no route reaches one by its id in another way."""


async def _conversations(tuwen: Tuwen, asking: Asking) -> Conversations:
    return tuwen.service.conversations.of(asking)


Talks = Annotated[Conversations, Depends(_conversations)]
"""The conversations of whoever sent the request; nobody else's can be reached through it."""
