"""What is measured, seen from outside: something that takes documents, finds passages and answers questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eval.datasets.corpus import CorpusFile
from rag.answers import Turn


@dataclass(frozen=True, slots=True)
class FoundHit:
    """A hit by the name of its document. `pages` are all pages its text lies on, none for formats without pages."""

    document: str
    chunk_id: str
    score: float
    pages: tuple[int, ...] = ()
    text: str = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and the milliseconds that the system says each step took.

    `stages` holds, by the name of each step and in the order of the flow, the chunk ids that it left, best first (rag.answers.Stage);
    `evidence` is the score that abstention is decided by, in [0, 1].
    """

    hits: tuple[FoundHit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: float | None = None
    reranked: tuple[tuple[str, float, float], ...] = ()
    """Of the passages that a reranker looked at, in the order before: document, score before, and the reranker's own. Empty where the
    scores that were told are not its own alone."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of an answer: where it points, what it quotes, and whether the system found the quote to support the claim.
    `boxes` are `(page, left, top, right, bottom)` in points."""

    document: str
    page: int | None
    chunk_id: str
    marker: int
    quote: str
    verified: bool
    boxes: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """An answer. `citations` are document names with a page, or None where the format has none."""

    text: str
    abstained: bool
    citations: tuple[tuple[str, int | None], ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    verified: int = 0
    """Citations that the system itself checked and found supported."""
    cited: tuple[Cited, ...] = ()
    context: tuple[FoundHit, ...] = ()
    """What was found for the answer, best first."""
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As of a search, and `pack`: the chunks that the generator read, by marker."""
    evidence: float | None = None
    self_check: float | None = None
    """What the generator said, asked whether the passages hold the answer; `evidence` has it in."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    generator: str = ""
    prompt: str = ""
    """Everything that the generator was given, for a system that tells."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk as it is indexed: what the pages and the quotes of a judgement are looked up in."""

    chunk_id: str
    kind: str
    text: str
    pages: tuple[int, ...] = ()
    headings: tuple[str, ...] = ()
    source: str = ""
    """`digital` or `ocr`, by how its first page was read; empty for formats without pages."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The index that is measured, after the documents went in."""

    documents: int
    chunks: int
    unchanged: int
    seconds: float
    failures: tuple[tuple[str, str], ...] = ()
    """Name and reason of every document that could not be read."""
    fingerprint: str = ""
    """Hash of what is in the index: the documents' bytes, how they were read and cut, and the space of their vectors."""
    embedded: int = 0
    """Texts that were encoded, or whose vectors were fetched, for this."""


class System(Protocol):
    """Raises TuwenError where the system does."""

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        """Makes exactly these documents searchable; what is there unchanged is not read again."""
        ...

    def search(self, question: str, top_k: int, turns: Sequence[Turn] = ()) -> Found: ...

    def answer(self, question: str, top_k: int, turns: Sequence[Turn] = ()) -> Given:
        """`turns` are the earlier messages of the conversation, oldest first."""
        ...

    def chunks(self, document: str) -> list[IndexedChunk]:
        """The chunks of a document, by its name, in order; empty for one that is not there."""
        ...

    def describe(self) -> dict[str, Any]:
        """The settings that are measured, as plain values without secrets."""
        ...

    def close(self) -> None: ...
