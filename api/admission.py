"""How many answers are written at once, how many may wait, and what becomes of the others: they are told when to come again."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag import abandon
from rag.errors import Abandoned, Overloaded

LONGEST_RETRY_S = 60.0
WEIGHT = 0.2
"""Of the last answer's duration in the running mean."""


class Ticket:
    """A place in the queue of answers."""


class Admission:
    """First come, first served. Safe to use from several threads."""

    def __init__(self, at_once: int, waiting: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._waiting, self._now = at_once, waiting, now
        self._changed = threading.Condition()
        self._queue: list[Ticket] = []
        self._mean_s = 1.0

    @property
    def under_way(self) -> int:
        return min(len(self._queue), self._at_once)

    @property
    def waiting(self) -> int:
        return max(0, len(self._queue) - self._at_once)

    def admit(self) -> Ticket:
        """A place, to be given back by `turn` or `leave`. Raises Overloaded when all are taken."""
        with self._changed:
            if len(self._queue) >= self._at_once + self._waiting:
                raise Overloaded(
                    f"{self._at_once} answers are being written and {self._waiting} questions wait.",
                    "Ask again later; http.answers_at_once and http.answers_waiting are the limits.",
                    self._retry_after(),
                )
            ticket = Ticket()
            self._queue.append(ticket)
            return ticket

    @contextmanager
    def turn(self, ticket: Ticket) -> Iterator[None]:
        """Waits for the ticket's turn; its place is free behind it. Raises Abandoned when the caller has gone meanwhile."""
        waiting = abandon.current()
        try:
            with waiting.calling(self._wake), self._changed:
                self._changed.wait_for(lambda: waiting.gone or self._queue.index(ticket) < self._at_once)
            if waiting.gone:
                raise Abandoned("Nobody waits for this answer any more.", "Ask again.")
            begun = self._now()
            yield
            self._mean_s += WEIGHT * (self._now() - begun - self._mean_s)
        finally:
            self.leave(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Gives the place back; once more does nothing."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _retry_after(self) -> float:
        """When a place is likely to be free: the first of those under way ends after a share of the mean duration."""
        return min(LONGEST_RETRY_S, max(1.0, math.ceil(self._mean_s / self._at_once)))
