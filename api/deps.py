"""The long-lived things of the server, in one place: made by the lifespan, handed to the routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.runner import Runner
from api.service import Service
from api.uploads import Uploads


@dataclass
class State:
    """`trouble` says why the server cannot answer yet, or at all; None once it can."""

    service: Service
    uploads: Uploads
    runner: Runner
    trouble: dict[str, str] | None = field(default_factory=lambda: {"message": "Models are being loaded."})


def _state(request: Request) -> State:
    state: State = request.app.state.tuwen
    return state


Tuwen = Annotated[State, Depends(_state)]
