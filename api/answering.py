"""Answers over HTTP: admitted or refused before anything is sent, written on a thread of their own, ended when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar, cast

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api.admission import Admission, Ticket
from api.streaming import pump

T = TypeVar("T")
PING_S = 15


def answering(admission: Admission, ticket: Ticket, make: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
    """The events of an answer, when it is the ticket's turn."""

    def written() -> Iterator[T]:
        with admission.turn(ticket), closing(cast("Any", make())) as events:
            yield from events

    return pump(written)


class Streamed(EventSourceResponse):
    """Server-sent events of an answer that gives its place back also where the client left before the first of them."""

    def __init__(self, content: AsyncGenerator[Any, None], admission: Admission, ticket: Ticket) -> None:
        super().__init__(content, ping=PING_S)
        self._admission, self._ticket = admission, ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._admission.leave(self._ticket)


async def last(request: Request, events: AsyncGenerator[T, None]) -> T | None:
    """The last event; None when the client left before it, and then the work is ended."""
    reading = asyncio.ensure_future(_last(events))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        leaving.cancel()
        if not reading.done():
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _last(events: AsyncGenerator[T, None]) -> T | None:
    found = None
    try:
        async for event in events:
            found = event
    finally:
        await events.aclose()
    return found


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
