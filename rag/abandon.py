"""How whoever waits for an answer says that nobody waits any more, to code that is blocked in a read on another thread.

Closing an iterator ends its work too, but only the thread that iterates can do so, and while it waits for the first piece it cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token


class Abandonment:
    """Of one answer. Safe to use from several threads."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._calls: list[Callable[[], None]] = []
        self._guard = threading.Lock()

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def leave(self) -> None:
        """Nobody waits any more: what was registered is called, once. Calls must not raise or wait."""
        with self._guard:
            self._gone.set()
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Within it, `call` is called when nobody waits any more; at once, where that is so already."""
        with self._guard:
            gone = self._gone.is_set()
            if not gone:
                self._calls.append(call)
        if gone:
            call()
        try:
            yield
        finally:
            with self._guard:
                if call in self._calls:
                    self._calls.remove(call)


_current: ContextVar[Abandonment | None] = ContextVar("abandonment", default=None)


def current() -> Abandonment:
    """That of the answer under way in this context; one that is never left, outside of any."""
    return _current.get() or Abandonment()


def within(abandonment: Abandonment) -> Token[Abandonment | None]:
    """Makes it the current one of this context, that is, of this thread."""
    return _current.set(abandonment)
