"""Feedback over HTTP: what a user may say of an answer, checked against the library, and how it is shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.access import Caller
from api.schemas import Word
from api.service import Service
from api.settings import Settings, public
from rag.errors import BadRequest, NotFound
from rag.stores.feedback import CitedPlace, Feedback, FeedbackStore

NO_PART_OF_AN_ANSWER = ("data", "http", "models")
"""Settings that change no answer."""


class CitationBody(BaseModel):
    """A citation of the answer, as `/v1/query` gave it; what else it had is left out."""

    model_config = ConfigDict(extra="ignore")

    chunk_id: Annotated[str, Field(max_length=200)]
    page: int | None = None
    quote: Annotated[str, Field(max_length=20_000)] = ""
    verified: bool = False


class FeedbackBody(BaseModel):
    """Thumbs for an answer, or for one citation of it (`target`: then `citations` holds exactly that one)."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """That of an earlier feedback, which this one replaces."""
    target: Literal["answer", "citation"] = "answer"
    rating: Literal["up", "down"]
    comment: Annotated[str, Field(max_length=5_000)] = ""
    collection: Word = "default"
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    answer: Annotated[str, Field(max_length=100_000)] = ""
    abstained: bool = False
    citations: Annotated[list[CitationBody], Field(max_length=200)] = []
    context: Annotated[list[Word], Field(max_length=200)] = []
    generator: Annotated[str, Field(max_length=200)] = ""


def store(service: Service, body: FeedbackBody, *, caller: Caller) -> Feedback:
    """Keeps it. Raises NotFound for a collection or a citation that is not there or not the caller's to read, BadRequest for one without
    its citation."""
    access = caller.access
    if body.target == "citation" and len(body.citations) != 1:
        raise BadRequest("Feedback about a citation holds exactly that one.", "Send it in `citations`.")
    if not service.library.has_collection(body.collection, access.rule):
        raise NotFound(f"There is no collection {body.collection!r}.", "Name that of the question.")
    named = [cited.chunk_id for cited in body.citations]
    readable = service.library.allows([*named, *body.context], access.rule)
    known = service.library.hydrate(sorted(readable.intersection(named)))
    missing = [cited.chunk_id for cited in body.citations if cited.chunk_id not in known]
    if missing:
        raise NotFound(
            f"There is no passage {missing[0]} any more.",
            "Its document was replaced or deleted: ask the question again.",
        )
    item = Feedback(
        collection=body.collection,
        target=body.target,
        rating=body.rating,
        question=body.question.strip(),
        answer=body.answer,
        comment=body.comment.strip(),
        abstained=body.abstained,
        citations=tuple(
            _place(cited, known[cited.chunk_id][1].id, known[cited.chunk_id][1].name) for cited in body.citations
        ),
        context=tuple(id_ for id_ in body.context if caller.reads_everything or id_ in readable),
        settings=fingerprint(service.settings),
        generator=body.generator,
        owner=caller.name,
    )
    if body.id is not None:
        item = replace(item, id=body.id)
    _of(service, caller).put(item)
    return item


def listed(service: Service, collection: str | None, *, caller: Caller) -> list[Feedback]:
    return _of(service, caller).all(collection)


def remove(service: Service, feedback_id: str, *, caller: Caller) -> None:
    """Raises NotFound."""
    _of(service, caller).remove(feedback_id)


def _of(service: Service, caller: Caller) -> FeedbackStore:
    """Whoever may read everything sees what everybody said; others what they said themselves."""
    return FeedbackStore(service.library.database, None if caller.reads_everything else caller.name)


def shown(item: Feedback) -> dict[str, Any]:
    """`owner` is left out where it is the owner of the data directory."""
    return {name: value for name, value in asdict(item).items() if name != "owner" or value}


def fingerprint(settings: Settings) -> str:
    """Changes with every setting that an answer may depend on."""
    values = {name: value for name, value in public(settings).items() if name not in NO_PART_OF_AN_ANSWER}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _place(cited: CitationBody, document_id: str, name: str) -> CitedPlace:
    return CitedPlace(cited.chunk_id, document_id, name, cited.page, cited.quote, cited.verified)
