"""A review without a screen: which question is next, what a decision does, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rag.stores.question_sets import QuestionSet, State, state_of

Edit = Callable[[dict[str, Any]], tuple[str, str | None] | None]
"""Shows a question to be edited; gives its new text and answer, or None when nothing was changed."""


@dataclass
class Session:
    """Goes through the questions that are still `proposed` (or through all), in the order of the file. Whoever stops and comes
    back goes on with the first one that has no decision."""

    questions: QuestionSet
    everything: bool = False
    _records: list[dict[str, Any]] = field(init=False)
    _queue: list[str] = field(init=False)
    _at: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._reload()
        self._queue = [
            str(record["id"]) for record in self._records if self.everything or state_of(record) == "proposed"
        ]

    @property
    def current(self) -> dict[str, Any] | None:
        """The question to decide about; None when there is none left."""
        return self._by_id.get(self._queue[self._at]) if self._at < len(self._queue) else None

    @property
    def place(self) -> tuple[int, int]:
        """Number of the current question, from 1, and how many there are in this session."""
        return self._at + 1, len(self._queue)

    @property
    def decided(self) -> dict[str, int]:
        """Questions of the whole set by state."""
        return self.questions.counts()

    def accept(self) -> None:
        self._decide("accepted")

    def reject(self) -> None:
        self._decide("rejected")

    def edit(self, question: str, answer: str | None) -> None:
        """Raises BadRequest for an empty question; nothing has changed then."""
        self._decide("edited", question, answer)

    def skip(self) -> None:
        """Leaves the question as it is; it comes again in the next session."""
        self._at = min(self._at + 1, len(self._queue))

    def back(self) -> None:
        """To the question before, whatever was decided about it; deciding anew replaces that."""
        self._at = max(self._at - 1, 0)

    def _decide(self, state: State, question: str | None = None, answer: str | None = None) -> None:
        if (record := self.current) is not None:
            self.questions.decide(str(record["id"]), state, question=question, answer=answer)
            self._reload()
            self._at += 1

    def _reload(self) -> None:
        self._records = self.questions.read()
        self._by_id = {str(record["id"]): record for record in self._records}
