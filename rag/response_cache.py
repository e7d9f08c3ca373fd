"""Answers kept in memory: the same question over the same documents with the same settings is answered once.

A kept answer holds as long as the state of the index that it was made from. Whoever asks gives that state, before the question and after
the answer: an answer during which it changed is not kept, and one of another state is never given.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from rag.answers import Answer

State = TypeVar("State", bound=Hashable)
E = TypeVar("E")

NOTE = "This answer was kept from before: the question, the documents and the settings are the same."


class ResponseCache(Generic[State, E]):
    """The last `size` answers used, as the events that made them; `characters` bounds their text. Safe to use from several threads."""

    def __init__(self, size: int, characters: int = 20_000_000) -> None:
        self._size, self._characters = size, characters
        self._kept: OrderedDict[Hashable, tuple[State, tuple[E | Answer, ...], int]] = OrderedDict()
        self._held = 0
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def answer(
        self, key: Hashable, state: Callable[[], State | None], make: Callable[[], Iterator[E | Answer]]
    ) -> Iterator[E | Answer]:
        """The events of an answer: those kept for the key, or those that `make` gives, which are kept when they end with an Answer.

        `state` is what the answer depends on besides the key; None while it is changing: then nothing is looked up or kept.
        """
        began = time.perf_counter()
        before = state()
        if before is not None:
            kept = self._get(key, before)
            if kept is not None:
                yield from _again(kept, began)
                return
        events: list[E | Answer] = []
        made = make()
        try:
            for event in made:
                events.append(event)
                if isinstance(event, Answer) and before is not None and state() == before:
                    self._put(key, before, tuple(events))
                yield event
        finally:
            # Who stops reading stops the generator.
            close = getattr(made, "close", None)
            if close is not None:
                close()

    def clear(self) -> None:
        with self._guard:
            self._kept.clear()
            self._held = 0

    def _get(self, key: Hashable, state: State) -> tuple[E | Answer, ...] | None:
        with self._guard:
            found = self._kept.get(key)
            if found is None:
                return None
            if found[0] != state:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return found[1]

    def _put(self, key: Hashable, state: State, events: tuple[E | Answer, ...]) -> None:
        weight = _weight(events)
        with self._guard:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = (state, events, weight)
            self._held += weight
            while self._kept and (len(self._kept) > self._size or self._held > self._characters):
                self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        self._held -= self._kept.pop(key)[2]


def _weight(events: tuple[object, ...]) -> int:
    """Characters of what is held: the passages are most of it."""
    return sum(
        len(event.text) + sum(len(hit.chunk.text) for hit in event.context)
        for event in events
        if isinstance(event, Answer)
    )


def _again(events: tuple[E | Answer, ...], began: float) -> Iterator[E | Answer]:
    for event in events:
        if isinstance(event, Answer):
            took = round((time.perf_counter() - began) * 1000, 3)
            yield replace(event, notes=(*event.notes, NOTE), timings={"cache": took, "total": took})
        else:
            yield event
