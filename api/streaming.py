"""A blocking iterator as an asynchronous one, ended when the reader goes away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from rag import abandon

T = TypeVar("T")

_AHEAD = 256
"""Items a fast producer may be ahead of a slow reader."""


async def pump(make: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
    """Items as they come from a thread of their own. When this iterator is closed, the blocking one is closed after the item
    it is at, and what it waits for is told by `rag.abandon`: a generator's connection is cut at once, while it still reads the prompt."""
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[T | BaseException | None] = asyncio.Queue()
    room = threading.Semaphore(_AHEAD)
    left = threading.Event()
    waiting = abandon.Abandonment()

    def put(item: T | BaseException | None) -> None:
        loop.call_soon_threadsafe(items.put_nowait, item)

    def work() -> None:
        abandon.within(waiting)
        try:
            iterator = make()
            try:
                for item in iterator:
                    while not room.acquire(timeout=0.5):
                        if left.is_set():
                            return
                    if left.is_set():
                        return
                    put(item)
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
            put(None)
        except BaseException as error:
            if not left.is_set():
                put(error)

    threading.Thread(target=work, name="tuwen-answer", daemon=True).start()
    try:
        while (item := await items.get()) is not None:
            room.release()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
        waiting.leave()
