"""What several callers ask at the same time, done together.

Whoever comes while nothing is under way begins at once, so that a single caller never waits. Whoever comes meanwhile waits for its end; all
who wait then go together in the next. (Dynamic batching without a waiting time, as in Clipper, Crankshaw et al., NSDI 2017.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Caller(Generic[T, R]):
    """One who asks, and what became of it. `settled` is locked until there is an answer, or it is for this caller to lead."""

    __slots__ = ("answer", "asked", "leads", "settled")

    def __init__(self, asked: T) -> None:
        self.asked = asked
        self.answer: tuple[R] | None = None
        self.leads = False
        # A third of what an Event takes, which is a lock in a condition with a list of locks.
        self.settled = threading.Lock()
        self.settled.acquire()


class Combining(Generic[T, R]):
    """`together` answers several, in their order, at most `most`. Where it fails, each is asked again alone, so that nobody gets another's
    error. Safe to use from several threads: that is what it is for."""

    def __init__(self, together: Callable[[Sequence[T]], Sequence[R]], most: int) -> None:
        self._together, self._most = together, most
        self._guard = threading.Lock()
        self._waiting: list[_Caller[T, R]] = []
        self._running = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def __call__(self, asked: T) -> R:
        own: _Caller[T, R] = _Caller(asked)
        with self._guard:
            if self._running:
                self._waiting.append(own)
            else:
                self._running = own.leads = True
        if not own.leads:
            own.settled.acquire()
        if own.leads:
            self._lead(own)
        # Left without an answer by a call that failed: alone, the error is this caller's.
        return own.answer[0] if own.answer is not None else self._together([asked])[0]

    def _lead(self, own: _Caller[T, R]) -> None:
        """Asks for those who wait together with `own`, and hands over to one of those who came meanwhile."""
        with self._guard:
            others, self._waiting = self._waiting[: self._most - 1], self._waiting[self._most - 1 :]
        batch = [own, *others]
        try:
            for one, answer in zip(batch, self._together([one.asked for one in batch]), strict=True):
                one.answer = (answer,)
        except Exception:
            # Each of them finds no answer, and asks alone.
            return
        finally:
            with self._guard:
                if self._waiting:
                    follower = self._waiting.pop(0)
                    follower.leads = True
                    follower.settled.release()
                else:
                    self._running = False
            for one in others:
                one.settled.release()
