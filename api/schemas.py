"""What goes over HTTP, and the same as `--json` of the command line. Shapes are fixed in docs/architecture.md, section 6."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rag.answers import Answer, Citation, Filter, Hit, Place, Query, Scheme, SearchResult, Stage, Turn
from rag.documents import AnyChunk, Document, DocumentRef, Element, ImageData
from rag.filters import from_json, parse
from rag.stores.records import Failure, Stored
from rag.table_cells import cells_of, html_of

Word = Annotated[str, Field(max_length=2_000)]
"""A name or an id. A bound makes pydantic refuse half a character (a lone surrogate), which no answer and no database could hold."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FilterBody(_Body):
    """Only what matches every given list, and `where`, is searched. A text, or a tree, in place of the whole is its `where`."""

    document_id: list[Word] = []
    name: list[Word] = []
    media_type: list[Word] = []
    language: list[Word] = []
    where: Annotated[str, Field(max_length=1_000_000)] | dict[str, Any] | None = None
    """An expression (docs/filters.md) as text, or as JSON: `{"field", "op", "value"}`, `{"and": […]}`, `{"or": […]}`, `{"not": {…}}`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        tree = isinstance(given, dict) and given.keys() & {"and", "or", "not", "field"}
        return {"where": given or None} if tree or isinstance(given, str) else given

    def to_filter(self) -> Filter:
        """Raises BadRequest."""
        where = self.where
        return Filter(
            frozenset(self.document_id),
            frozenset(self.name),
            frozenset(self.media_type),
            frozenset(self.language),
            None if where is None else parse(where) if isinstance(where, str) else from_json(where),
        )


class TurnBody(_Body):
    role: Literal["user", "assistant"]
    content: Annotated[str, Field(max_length=100_000)]

    def to_turn(self) -> Turn:
        return Turn(self.role, self.content)


class SearchBody(_Body):
    """A question in words, a picture (base64), or both."""

    query: Annotated[str, Field(max_length=20_000)] = ""
    image: str = ""
    collection: Word = "default"
    top_k: Annotated[int, Field(ge=1, le=200)] = 10
    filter: FilterBody = FilterBody()
    explain: bool = False
    """Whether the answer says what each step left."""
    scheme: Scheme | None = None
    """`vector`, `aligned` or `hybrid`; None takes that of the settings."""
    turns: Annotated[list[TurnBody], Field(max_length=100)] = []
    """The conversation so far: a follow-up is searched for as a question of its own."""

    def to_query(self, image: ImageData | None) -> Query:
        turns = tuple(turn.to_turn() for turn in self.turns)
        allowed = self.filter.to_filter()
        return Query(self.query, self.collection, self.top_k, image, allowed, turns, self.explain, self.scheme)


class QueryBody(_Body):
    question: Annotated[str, Field(max_length=20_000)]
    collection: Word = "default"
    stream: bool = False
    top_k: Annotated[int, Field(ge=1, le=200)] = 10
    filter: FilterBody = FilterBody()
    turns: Annotated[list[TurnBody], Field(max_length=100)] = []
    conversation_id: Word | None = None
    """The stored conversation that the question belongs to; then `turns` are its own."""
    replaces: Word | None = None
    """A turn of it that is asked anew: edited, or with the same question to have another answer. The old one stays beside it."""
    explain: bool = False
    """Whether the answer says what each step left, and what the generator was asked."""
    scheme: Scheme | None = None
    """`vector`, `aligned` or `hybrid`; None takes that of the settings."""

    def to_query(self) -> Query:
        turns = tuple(turn.to_turn() for turn in self.turns)
        allowed = self.filter.to_filter()
        return Query(self.question, self.collection, self.top_k, None, allowed, turns, self.explain, self.scheme)


def document(ref: DocumentRef) -> dict[str, Any]:
    return {"id": ref.id, "name": ref.name, "media_type": ref.media_type}


def chunk(item: AnyChunk) -> dict[str, Any]:
    return {
        "chunk_id": item.id,
        "kind": item.kind,
        "text": item.text,
        "headings": list(item.headings),
        "page": item.page,
        "boxes": [box.as_list() for box in item.boxes],
    }


def table(item: Element) -> dict[str, Any]:
    rows = cells_of(item)
    return {
        "page": item.page,
        "boxes": [box.as_list() for box in item.boxes],
        "markdown": item.text,
        "html": html_of(rows),
        "rows": [
            [{"text": cell.text, "heading": cell.heading, "box": cell.box and cell.box.as_list()} for cell in row]
            for row in rows
        ],
    }


def hit(found: Hit) -> dict[str, Any]:
    shown = chunk(found.chunk)
    return {
        "chunk_id": shown["chunk_id"],
        "kind": shown["kind"],
        "score": round(found.score, 6),
        "text": shown["text"],
        "document": document(found.document),
        "headings": shown["headings"],
        "page": shown["page"],
        "boxes": shown["boxes"],
        "sources": found.sources,
        "ranks": dict(found.ranks),
    } | ({"also": [_place(place) for place in found.places]} if found.places else {})


def _place(place: Place) -> dict[str, Any]:
    return {"chunk_id": place.chunk_id, "document": document(place.document), "page": place.page}


def search_result(result: SearchResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"hits": _hits(result.hits, result.stages), "timings": dict(result.timings)}
    shown |= {"notes": list(result.notes)} if result.notes else {}
    shown |= {"skipped": list(result.skipped)} if result.skipped else {}
    shown |= {"standalone_question": result.standalone} if result.standalone else {}
    return shown | ({"explain": explained(result.stages, result.evidence, result.how)} if result.stages else {})


def _hits(hits: Sequence[Hit], stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Of an explained search, each with its rank and score in every step that had it: `steps`."""
    places = [
        (stage.name, {id_: (rank, score) for rank, (id_, score) in enumerate(stage.ranking, 1)}) for stage in stages
    ]
    shown = [hit(found) for found in hits]
    if stages:
        for one in shown:
            found = ((name, *placed[one["chunk_id"]]) for name, placed in places if one["chunk_id"] in placed)
            one["steps"] = [{"step": name, "rank": rank, "score": round(score, 6)} for name, rank, score in found]
    return shown


def explained(stages: Iterable[Stage], evidence: float | None, how: Mapping[str, object]) -> dict[str, Any]:
    """`stages` is a list, in the order of the flow: `{"name", "ranking": [[chunk_id, score], …]}`; `search` how it was searched."""
    shown = [
        {"name": stage.name, "ranking": [[id_, round(score, 6)] for id_, score in stage.ranking]} for stage in stages
    ]
    return {"search": dict(how), "stages": shown, "evidence": evidence}


def citation(item: Citation) -> dict[str, Any]:
    return {
        "marker": item.marker,
        "document": document(item.document),
        "chunk_id": item.chunk_id,
        "page": item.page,
        "boxes": [box.as_list() for box in item.boxes],
        "quote": item.quote,
        "verified": item.verified,
        "score": round(item.score, 4),
    }


def answer(item: Answer) -> dict[str, Any]:
    shown = {
        "answer": item.text,
        "abstained": item.abstained,
        "citations": [citation(c) for c in item.citations],
        "context": _hits(item.context, item.stages),
        "timings": dict(item.timings),
        "usage": {
            "prompt_tokens": item.usage.prompt_tokens,
            "completion_tokens": item.usage.completion_tokens,
            "dropped_markers": item.dropped_markers,
        },
        "generator": item.generator,
        "evidence": None if item.evidence is None else round(item.evidence, 4),
        "notes": list(item.notes),
        "support": None if item.support is None else round(item.support, 4),
        "unsupported": list(item.unsupported),
    }
    if item.self_check is not None:
        shown["self_check"] = round(item.self_check, 4)
    if item.stages:
        prompt = [{"role": role, "content": content} for role, content in item.prompt]
        shown["explain"] = explained(item.stages, item.evidence, item.how) | {"prompt": prompt, "prompts": item.prompts}
    return shown


def published(stored: Stored) -> dict[str, Any]:
    item = stored.document
    return {
        "id": item.id,
        "name": item.name,
        "collection": item.collection,
        "media_type": item.media_type,
        "size": item.size,
        "sha256": item.sha256,
        "status": "published",
        "title": item.title,
        "language": item.language,
        "metadata": dict(item.metadata),
        "pages": item.page_count,
        "chunks": stored.chunks,
        "warnings": list(stored.warnings),
    }


def failed(failure: Failure, document_id: str) -> dict[str, Any]:
    return {
        "id": document_id,
        "name": failure.name,
        "collection": failure.collection,
        "sha256": failure.sha256,
        "status": "failed",
        "error": error(failure.error, failure.message, failure.remedy)["error"],
    }


def files(stored: Iterable[Stored], failures: Iterable[Failure]) -> dict[str, dict[str, Any]]:
    """What is published, and what failed without an older version being published, by document id."""
    shown = {item.document.id: published(item) for item in stored}
    for failure in failures:
        id_ = Document.make_id(failure.collection, failure.name)
        shown.setdefault(id_, failed(failure, id_))
    return shown


def by_place(shown: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(shown, key=lambda file: (file["collection"], file["name"]))


def error(kind: str, message: str, remedy: str) -> dict[str, Any]:
    # A message may quote what was sent: half a character is no text that could be sent back.
    whole = message.encode("utf-8", "replace").decode()
    return {"error": {"type": kind, "message": whole, "remedy": remedy}}
