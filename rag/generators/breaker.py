"""A circuit breaker: who failed several times in a row is left alone for a while, then tried once (M. Nygard, Release It!, 2007)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Closed: everything is let through. Open: nothing, until the pause is over; then one trial, which closes it or doubles the pause.

    Safe to use from several threads.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        pause_s: float = 1.0,
        longest_s: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._first_s, self._longest_s, self._now = failures, pause_s, longest_s, now
        self._guard = threading.Lock()
        self._failed = 0
        self._pause_s = pause_s
        self._until = 0.0
        self._trial = False

    @property
    def closed(self) -> bool:
        return self._failed < self._limit

    @property
    def opens_in(self) -> float:
        """Seconds until the next trial; 0 when there is none to wait for."""
        return 0.0 if self.closed else max(0.0, self._until - self._now())

    def allows(self) -> bool:
        """Whether to ask now. Where the answer is a trial, nobody else gets one until its pause is over."""
        with self._guard:
            if self._failed < self._limit:
                return True
            if self._now() < self._until:
                return False
            self._until, self._trial = self._now() + self._pause_s, True
            return True

    def succeeded(self) -> None:
        with self._guard:
            self._failed, self._pause_s, self._trial = 0, self._first_s, False

    def failed(self) -> None:
        with self._guard:
            self._failed += 1
            if self._failed < self._limit:
                return
            if self._failed > self._limit:
                # Questions that ran when it opened are one outage, not a failed trial each.
                if not self._trial:
                    return
                self._pause_s = min(self._pause_s * 2, self._longest_s)
            self._until, self._trial = self._now() + self._pause_s, False

    def still_away(self) -> None:
        """The trial found nobody there, which cost nothing: the next may follow after the first pause."""
        with self._guard:
            self._until, self._trial = self._now() + self._first_s, False
