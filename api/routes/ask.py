"""Searching and answering."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api import conversations, schemas
from api.answering import Streamed, answering, last
from api.conversations import Answered
from api.deps import Asking, Reader, Tuwen
from api.events import as_event, read_image
from rag.answers import Answer
from rag.errors import TuwenError

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["questions"])

CLIENT_LEFT = 499
"""nginx's status for it; nobody reads it."""


@router.post("/search", response_model=None)
def search(body: schemas.SearchBody, tuwen: Tuwen, reader: Reader) -> JSONResponse:
    """Passages, tables and pictures for a question, a picture, or both."""
    image = read_image(body.image) if body.image else None
    # A finished response: checking plain values against a model again would take as long as fusing them.
    return JSONResponse(schemas.search_result(tuwen.service.search(body.to_query(image), access=reader)))


@router.post("/query", response_model=None)
async def query(body: schemas.QueryBody, request: Request, tuwen: Tuwen, asking: Asking) -> Response:
    """An answer with checked citations; with `stream`, as server-sent events while it is written. 429 with Retry-After when too many
    are asked for at once."""
    await run_in_threadpool(conversations.check, tuwen.service, body, caller=asking)
    ticket = tuwen.admission.admit()
    events = answering(tuwen.admission, ticket, lambda: conversations.ask(tuwen.service, body, caller=asking))
    if body.stream:
        return Streamed(_events(events), tuwen.admission, ticket)
    try:
        answer = await last(request, events)
    finally:
        tuwen.admission.leave(ticket)
    if answer is None:
        return Response(status_code=CLIENT_LEFT)
    if not isinstance(answer, Answer | Answered):
        raise TuwenError("The answer ended before it was complete.", "Ask again.")
    return JSONResponse(as_event(answer)[1])


async def _events(events: AsyncGenerator[Any, None]) -> AsyncGenerator[ServerSentEvent, None]:
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
        await events.aclose()
