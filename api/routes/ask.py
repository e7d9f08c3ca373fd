"""Searching and answering."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api import conversations, schemas
from api.conversations import Answered
from api.deps import Reader, State, Tuwen
from api.events import as_event, read_image
from api.streaming import pump
from rag.answers import Access, Answer
from rag.errors import TuwenError

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["questions"])


@router.post("/search", response_model=None)
def search(body: schemas.SearchBody, tuwen: Tuwen, reader: Reader) -> JSONResponse:
    """Passages, tables and pictures for a question, a picture, or both."""
    image = read_image(body.image) if body.image else None
    # A finished response: checking plain values against a model again would take as long as fusing them.
    return JSONResponse(schemas.search_result(tuwen.service.search(body.to_query(image), access=reader)))


@router.post("/query", response_model=None)
async def query(body: schemas.QueryBody, tuwen: Tuwen, reader: Reader) -> Response:
    """An answer with checked citations; with `stream`, as server-sent events while it is written."""
    if body.stream:
        await run_in_threadpool(conversations.check, tuwen.service, body)
        return EventSourceResponse(_events(tuwen, body, reader), ping=15)
    return JSONResponse(await run_in_threadpool(_whole, tuwen, body, reader))


def _whole(tuwen: State, body: schemas.QueryBody, reader: Access) -> dict[str, Any]:
    for event in conversations.ask(tuwen.service, body, access=reader):
        if isinstance(event, Answer | Answered):
            return as_event(event)[1]
    raise TuwenError("The answer ended before it was complete.", "Ask again.")


async def _events(tuwen: State, body: schemas.QueryBody, reader: Access) -> AsyncIterator[ServerSentEvent]:
    events = pump(lambda: conversations.ask(tuwen.service, body, access=reader))
    try:
        async for event in events:
            name, data = as_event(event)
            yield ServerSentEvent(json.dumps(data, ensure_ascii=False), event=name)
    except TuwenError as error:
        data = schemas.error(type(error).__name__, error.message, error.remedy)
        yield ServerSentEvent(json.dumps(data, ensure_ascii=False), event="error")
    except Exception:
        log.exception("an answer failed")
        data = schemas.error("InternalError", "The server failed to answer this question.", "See the server's log.")
        yield ServerSentEvent(json.dumps(data, ensure_ascii=False), event="error")
    finally:
        await events.aclose()  # type: ignore[attr-defined]
