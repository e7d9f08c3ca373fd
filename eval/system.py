"""What is measured, seen from outside: something that takes documents, finds passages and answers questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eval.datasets.corpus import CorpusFile


@dataclass(frozen=True, slots=True)
class FoundHit:
    """A hit by the name of its document. `pages` are all pages its text lies on, none for formats without pages."""

    document: str
    chunk_id: str
    score: float
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and the milliseconds that the system says each step took."""

    hits: tuple[FoundHit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer. `citations` are document names with a page, or None where the format has none."""

    text: str
    abstained: bool
    citations: tuple[tuple[str, int | None], ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    verified: int = 0
    """Citations that the system itself checked and found supported."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The index that is measured, after the documents went in."""

    documents: int
    chunks: int
    unchanged: int
    seconds: float
    failures: tuple[tuple[str, str], ...] = ()
    """Name and reason of every document that could not be read."""


class System(Protocol):
    """Raises TuwenError where the system does."""

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        """Makes exactly these documents searchable; what is there unchanged is not read again."""
        ...

    def search(self, question: str, top_k: int) -> Found: ...

    def answer(self, question: str, top_k: int) -> Given: ...

    def describe(self) -> dict[str, Any]:
        """The settings that are measured, as plain values without secrets."""
        ...

    def close(self) -> None: ...
