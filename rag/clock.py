"""Milliseconds per step of a flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Adds up what each step takes; `total` is the time since the clock was made."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now, self._began = now, now()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        began = self._now()
        try:
            yield
        finally:
            self.add(step, self._now() - began)

    def add(self, step: str, seconds: float) -> None:
        self._seconds[step] = self._seconds.get(step, 0.0) + seconds

    def mark(self, step: str) -> None:
        """The time since the beginning."""
        self._seconds[step] = self._now() - self._began

    def finish(self) -> dict[str, float]:
        self.mark("total")
        return {step: round(seconds * 1000, 3) for step, seconds in self._seconds.items()}
