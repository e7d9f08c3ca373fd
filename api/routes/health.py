"""Whether the server lives, and whether it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api import schemas
from api.deps import Shelf, Tuwen
from ingest.job import WAITING
from rag.errors import TuwenError

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(tuwen: Tuwen, shelf: Shelf) -> JSONResponse:
    """Models are loaded and questions can be answered; 503 with the reason otherwise. A generator that is away later is told by
    `generator_error`, with 200: searching goes on. What is counted is what the caller may read."""
    found = shelf.collections()
    body: dict[str, Any] = {
        "ready": tuwen.trouble is None,
        "profile": tuwen.service.settings.profile,
        "documents": sum(found.values()),
        "collections": found,
        "waiting": sum(job.state in WAITING for job in shelf.jobs(tuwen.jobs.all())),
    }
    if tuwen.trouble is not None:
        return JSONResponse(body | {"error": tuwen.trouble}, 503)
    return JSONResponse(body | {"models": tuwen.service.active()} | _generator(tuwen))


def _generator(tuwen: Tuwen) -> dict[str, Any]:
    try:
        tuwen.service.generator.ready()
    except TuwenError as error:
        return {"generator_error": schemas.error(type(error).__name__, error.message, error.remedy)["error"]}
    return {}
