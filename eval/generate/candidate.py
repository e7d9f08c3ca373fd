"""A proposed question, and the passage it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.stems import stems

Kind = Literal["heading", "definition", "table", "caption", "fact", "near-miss", "feedback"]
"""What a question was made from; `fact` are those that a generator wrote."""


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A chunk as it is indexed. `called` is what a question calls its document: the title where that tells documents apart."""

    id: str
    document: str
    """The document's name: its path below the folder that was ingested."""
    called: str
    kind: Literal["text", "table", "image"]
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[tuple[float, ...], ...] = ()
    """`(page, left, top, right, bottom)` in points."""
    language: str = "en"

    @property
    def searched(self) -> str:
        """Everything that a question can find the passage by."""
        return "\n".join((self.called, *self.headings, self.text))


@dataclass(frozen=True, slots=True)
class Candidate:
    """`span` are the first character of the quote in the passage's text and the one after its last: what supports the answer."""

    question: str
    answer: str
    kind: Kind
    passage: SourcePassage
    span: tuple[int, int]
    written_by: str = "rules"
    """`rules`, or the name of the generator."""
    variables: tuple[str, ...] = ()
    """Parts of the question that name one thing among several: a row, a column. What a near miss changes first."""
    altered: Mapping[str, str] = field(default_factory=dict)
    """For a near miss: `question` it was made from, what was changed `from` and `to`, and `taken_from` where."""
    difficulty: Mapping[str, float] = field(default_factory=dict)

    @property
    def quote(self) -> str:
        return self.passage.text[self.span[0] : self.span[1]]

    @property
    def answerable(self) -> bool:
        return self.kind != "near-miss"

    @property
    def id(self) -> str:
        """The same question about the same document has the same id in every set."""
        return hashlib.sha256(f"{self.passage.document}\0{self.question}".encode()).hexdigest()[:12]

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(stems(self.question))
