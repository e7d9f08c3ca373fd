"""Searching and answering."""

from __future__ import annotations

import base64
import binascii
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.deps import State, Tuwen
from api.streaming import pump
from rag.answers import Answer, Citation, Query, SearchResult
from rag.documents import ImageData
from rag.engine import Event, Rewritten
from rag.errors import BadRequest, TuwenError

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["questions"])

MAX_PIXELS = 50_000_000


@router.post("/search")
def search(body: schemas.SearchBody, tuwen: Tuwen) -> dict[str, Any]:
    """Passages, tables and pictures for a question, a picture, or both."""
    image = read_image(body.image) if body.image else None
    return schemas.search_result(tuwen.service.search(body.to_query(image)))


@router.post("/query", response_model=None)
async def query(body: schemas.QueryBody, tuwen: Tuwen) -> Response:
    """An answer with checked citations; with `stream`, as server-sent events while it is written."""
    if body.stream:
        return EventSourceResponse(_events(tuwen, body.to_query()), ping=15)
    return JSONResponse(await run_in_threadpool(_whole, tuwen, body.to_query()))


def _whole(tuwen: State, query: Query) -> dict[str, Any]:
    for event in tuwen.service.answer(query):
        if isinstance(event, Answer):
            return schemas.answer(event)
    raise TuwenError("The answer ended before it was complete.", "Ask again.")


async def _events(tuwen: State, query: Query) -> AsyncIterator[ServerSentEvent]:
    events = pump(lambda: tuwen.service.answer(query))
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


def as_event(event: Event) -> tuple[str, dict[str, Any]]:
    """The name and the data of a server-sent event."""
    if isinstance(event, Rewritten):
        return "rewrite", {"question": event.question}
    if isinstance(event, SearchResult):
        return "search_results", schemas.search_result(event)
    if isinstance(event, Citation):
        return "citation", schemas.citation(event)
    if isinstance(event, Answer):
        return "final_answer", schemas.answer(event)
    return "message", {"delta": event}


def read_image(encoded: str) -> ImageData:
    """A picture from base64 (a `data:` URL is understood, too). Raises BadRequest."""
    from PIL import Image, UnidentifiedImageError

    try:
        data = base64.b64decode(encoded.partition("base64,")[2] or encoded, validate=True)
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise BadRequest(f"The picture has {opened.width} × {opened.height} pixels.", "Send a smaller one.")
            media_type = Image.MIME.get(opened.format or "", "")
            return ImageData(data, media_type, opened.width, opened.height)
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadRequest(
            f"`image` is not a picture: {error}.", "Send a PNG, JPEG or WebP, encoded as base64."
        ) from error
