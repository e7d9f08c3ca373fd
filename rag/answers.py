"""What goes through the question flow: turns, queries, hits, passages, citations and answers. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.documents import AnyChunk, Box, DocumentRef, ImageData
from rag.errors import BadSetting
from rag.filters.expression import Comparison, Expression, conjunction, fields_of


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search may see: what all fields demand together; empty fields, and a `where` of None, allow everything.

    Applied inside the search, never after it.
    """

    document_ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    media_types: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    where: Expression | None = None
    """Any condition on the fields of rag/filters/fields.py."""

    def __bool__(self) -> bool:
        return bool(self.document_ids or self.names or self.media_types or self.languages or self.where is not None)

    def __and__(self, other: Filter) -> Filter:
        """What both allow."""
        return Filter(where=conjunction((self.expression, other.expression))) if self and other else self or other

    @property
    def expression(self) -> Expression | None:
        """The whole filter as one expression; None when it allows everything."""
        lists = (
            ("document", self.document_ids),
            ("name", self.names),
            ("media_type", self.media_types),
            ("language", self.languages),
        )
        return conjunction(
            (*(Comparison(name, "in", tuple(sorted(values))) for name, values in lists if values), self.where)
        )


@dataclass(frozen=True, slots=True)
class Access:
    """Which documents a caller may read. It is and-ed to every filter of theirs inside the search, so that nothing they ask, and no
    way of asking, reaches another document.

    A rule speaks of whole documents: what stands around a passage is read with it. Raises BadSetting for one that does not.
    """

    rule: Filter

    def __post_init__(self) -> None:
        expression = self.rule.expression
        partial = sorted(f.name for f in fields_of(expression) if f.of == "chunk") if expression else []
        if partial:
            raise BadSetting(
                f"An access rule cannot depend on {', '.join(partial)}: a document is read whole.",
                "Write it with collection, document, name, media_type, date or metadata.KEY.",
            )


EVERYTHING = Access(Filter())
"""Said in so many words by whoever lets a caller read all there is."""


Scheme = Literal["vector", "aligned", "hybrid"]
"""How is searched: by one search over the vectors of text and pictures; by token-wise alignment with every candidate; by coarse
recall of all kinds, then fine ranking."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question, a picture, or both. `turns` are the earlier messages of the conversation, oldest first."""

    text: str
    collection: str = "default"
    top_k: int = 10
    image: ImageData | None = None
    filter: Filter = Filter()
    turns: tuple[Turn, ...] = ()
    explain: bool = False
    """Whether the result says what each step left: `SearchResult.stages`, `Answer.stages`, `Answer.prompt`."""
    scheme: Scheme | None = None
    """None takes that of the settings."""
    access: Access = EVERYTHING
    """What the caller may read at all. The service sets it, and cannot be asked without one."""

    @property
    def allowed(self) -> Filter:
        """What a search for this may see: the filter and the access together."""
        return self.filter & self.access.rule


@dataclass(frozen=True, slots=True)
class Stage:
    """What one step of the question flow left: chunk ids with that step's score, best first.

    In the order of the flow: one per retriever, by its name (`dense`, `lexical`, `entries`, `pixels`), one for what each variant
    of the question found (`variant 1`), then `fuse`, `fold`, `rerank` or `align`, `diversify` and `noise` where there is one, `hits`, and, of an answer, `pack`: what the generator read, by marker.
    """

    name: str
    ranking: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands that says the same as a hit."""

    chunk_id: str
    document: DocumentRef
    page: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. `ranks` tells, per retriever, at which rank (from 1) it was found there."""

    chunk: AnyChunk
    document: DocumentRef
    score: float
    ranks: Mapping[str, int] = field(default_factory=dict)
    places: tuple[Place, ...] = ()
    """Where else it stands, word for word or nearly."""

    @property
    def sources(self) -> list[str]:
        return sorted(self.ranks)


@dataclass(frozen=True, slots=True)
class Passage:
    """What the generator reads under marker `[number]`: a hit, perhaps widened by its neighbours."""

    number: int
    hit: Hit
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker of an answer, resolved. `quote` is the supporting text, `verified` says that a check found it so."""

    marker: int
    document: DocumentRef
    chunk_id: str
    page: int | None
    boxes: tuple[Box, ...]
    quote: str
    verified: bool
    score: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written by the generator; 0 where it does not tell."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Likeness:
    """`best` is the highest cosine of a passage, or of a picture's entry, with the question; `lead` by how much that is above the mean
    of the next four, 0 where there is no next."""

    best: float
    lead: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits in order of relevance, milliseconds per step, and what a person should know about how it was done."""

    hits: tuple[Hit, ...]
    timings: Mapping[str, float]
    notes: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    evidence: float | None = None
    """How likely the hits answer the question, in [0, 1]: what abstention is decided by. Computed for an explained search."""
    read_as: str = ""
    """The question with words corrected that no document has; empty when none was."""
    plainer: str = ""
    """The question without what it says it does not ask for, which was searched for beside it and which evidence is judged by; empty when it
    excludes nothing."""
    likeness: Likeness | None = None
    standalone: str = ""
    """A follow-up as the question of its own that was searched for; empty without a conversation."""
    skipped: tuple[str, ...] = ()
    """Steps that were to be taken and could not, because what they need did not answer; `notes` say why."""
    how: Mapping[str, object] = field(default_factory=dict)
    """Of an explained search: question, language, scheme, fusion, reranker and variants, as plain values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of the question flow. `dropped_markers` counts markers that named no passage."""

    text: str
    abstained: bool
    citations: tuple[Citation, ...]
    context: tuple[Hit, ...]
    timings: Mapping[str, float]
    usage: Usage
    generator: str
    dropped_markers: int = 0
    notes: tuple[str, ...] = ()
    evidence: float | None = None
    """How likely the hits answer the question, in [0, 1]; None where nothing was found."""
    stages: tuple[Stage, ...] = ()
    how: Mapping[str, object] = field(default_factory=dict)
    """As in `SearchResult`."""
    prompt: tuple[tuple[str, str], ...] = ()
    """Role and content of each message, for an explained answer."""
    support: float | None = None
    """Share of the answer's claims that a passage verifiably carries; None for an answer without claims."""
    unsupported: tuple[str, ...] = ()
    """The other claims, as the generator wrote them; not in `text` any more where they are cut."""
    prompts: str = ""
    """Version of the texts that it was asked with (rag/prompts)."""
    self_check: float | None = None
    """Probability that the generator finds the answer in the passages, in [0, 1], where it was asked; `evidence` has it in."""
