"""Between the engine and the wire: events with their names, pictures out of requests. Needs no web framework."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import asdict
from typing import Any

from api import schemas
from api.conversations import Answered, Begun
from rag.answers import Answer, Citation, SearchResult
from rag.documents import ImageData
from rag.engine import Event, Rewritten
from rag.errors import BadRequest

MAX_PIXELS = 50_000_000


def as_event(event: Event | Begun | Answered) -> tuple[str, dict[str, Any]]:
    """The name and the data of a server-sent event."""
    if isinstance(event, Answered):
        kept = {"conversation_id": event.turn.conversation_id, "turn_id": event.turn.id} if event.turn else {}
        return "final_answer", schemas.answer(event.answer) | kept
    if isinstance(event, Begun):
        return "rewrite", asdict(event)
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
        # What Pillow says of unknown bytes is the address of a buffer.
        why = "its bytes are of no known format" if isinstance(error, UnidentifiedImageError) else str(error)
        raise BadRequest(f"`image` is not a picture: {why}.", "Send a PNG, JPEG or WebP, encoded as base64.") from error
