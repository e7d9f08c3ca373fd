"""Labelled sets that lie in the data directory's folder `sets`, for the review page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import schemas
from api.deps import State, Tuwen
from rag.documents import Document
from rag.errors import NotFound
from rag.stores.question_sets import QuestionSet, find_sets
from rag.stores.question_sets import State as SetState

router = APIRouter(prefix="/v1", tags=["review"])


class Decision(BaseModel):
    """`question` and `answer` belong to `edited`; another state brings the proposal's texts back."""

    model_config = ConfigDict(extra="forbid")

    state: SetState
    question: Annotated[str, Field(max_length=20_000)] | None = None
    answer: Annotated[str, Field(max_length=20_000)] | None = None


@router.get("/sets")
def sets(tuwen: Tuwen) -> dict[str, Any]:
    """The sets that can be reviewed, with how far each is."""
    return {"sets": [{"name": name} | found.counts() for name, found in _sets(tuwen).items()]}


@router.get("/sets/{name}/questions")
def questions(name: str, tuwen: Tuwen) -> dict[str, Any]:
    """Every question of a set, with where its source stands now: `place` is null where the document is gone."""
    records = _set(tuwen, name).read()
    return {"questions": [record | {"place": _place(tuwen, record)} for record in records]}


@router.post("/sets/{name}/questions/{question_id}")
def decide(name: str, question_id: str, body: Decision, tuwen: Tuwen) -> dict[str, Any]:
    """Accepts, edits or rejects one question; written before this answers."""
    record = _set(tuwen, name).decide(question_id, body.state, question=body.question, answer=body.answer)
    return record | {"place": _place(tuwen, record)}


def _sets(tuwen: State) -> dict[str, QuestionSet]:
    return find_sets(tuwen.service.settings.data / "sets")


def _set(tuwen: State, name: str) -> QuestionSet:
    found = _sets(tuwen)
    if name not in found:
        raise NotFound(
            f"There is no set {name!r} (there is: {', '.join(found) or 'none yet'}).",
            "Make one with `tuwen eval generate`.",
        )
    return found[name]


def _place(tuwen: State, record: dict[str, Any]) -> dict[str, Any] | None:
    """By the chunk while the index is the one that the question was made from; by the document's name ever after."""
    made = record.get("provenance")
    made = made if isinstance(made, dict) else {}
    chunk_id = str(made.get("chunk_id", ""))
    if chunk_id and (found := tuwen.service.library.hydrate([chunk_id]).get(chunk_id)):
        chunk, document = found
        return schemas.chunk(chunk) | {"document": schemas.document(document)}
    source = made.get("source") or record.get("source")
    if not isinstance(source, str):
        return None
    try:
        stored = tuwen.service.document(Document.make_id(str(made.get("collection", "default")), source))
    except NotFound:
        return None
    page = record.get("page")
    return {"document": schemas.document(stored.document.ref), "page": page, "boxes": [], "chunk_id": "", "text": ""}
