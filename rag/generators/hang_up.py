"""Closing a connection under a read: the only way to tell a server that nobody waits, while one waits for its first word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from rag import abandon
from rag.errors import Abandoned


@contextmanager
def hung_up_when_abandoned(response: httpx.Response, seconds: float | None = None) -> Iterator[None]:
    """Within it, the response's connection is cut as soon as nobody waits for the answer; the read then raises, here Abandoned. So it is
    after `seconds`, however often the server says that it is still there; here the read raises TimeoutError."""
    waiting = abandon.current()
    late = threading.Event()
    stream: Any = response.extensions.get("network_stream")
    connection: socket.socket | None = stream.get_extra_info("socket") if stream is not None else None

    def cut() -> None:
        # Closing alone does not wake a thread that reads.
        with suppress(OSError):
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

    def end() -> None:
        late.set()
        cut()

    timer = threading.Timer(seconds, end) if seconds is not None else None
    try:
        with waiting.calling(cut):
            if timer is not None:
                timer.start()
            yield
    except Exception as error:
        if waiting.gone:
            raise Abandoned("Nobody waits for this answer any more.", "Ask again.") from error
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        if timer is not None:
            timer.cancel()
