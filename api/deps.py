"""The long-lived things of the server, in one place: made by the lifespan, handed to the routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.runner import Runner
from api.service import Service
from ingest.jobs import Jobs
from rag.answers import EVERYTHING, Access


@dataclass
class State:
    """`trouble` says why the server cannot answer yet, or at all; None once it can."""

    service: Service
    jobs: Jobs
    runner: Runner
    trouble: dict[str, str] | None = field(default_factory=lambda: {"message": "Models are being loaded."})


def _state(request: Request) -> State:
    state: State = request.app.state.tuwen
    return state


Tuwen = Annotated[State, Depends(_state)]


def _access() -> Access:
    """What whoever sent the request may read. There is one caller now, the owner of the data directory."""
    return EVERYTHING


Reader = Annotated[Access, Depends(_access)]
