"""Labelled sets that lie in the data directory's folder `sets`, for the review page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import schemas
from api.deps import Shelf
from api.reading import Reading
from rag.documents import Document
from rag.errors import NotFound
from rag.stores.question_sets import QuestionSet, counted, find_sets
from rag.stores.question_sets import State as SetState

router = APIRouter(prefix="/v1", tags=["review"])


class Decision(BaseModel):
    """`question` and `answer` belong to `edited`; another state brings the proposal's texts back."""

    model_config = ConfigDict(extra="forbid")

    state: SetState
    question: Annotated[str, Field(max_length=20_000)] | None = None
    answer: Annotated[str, Field(max_length=20_000)] | None = None


@router.get("/sets")
def sets(shelf: Shelf) -> dict[str, Any]:
    """The sets that can be reviewed, with how far each is: of all questions, those that the caller may see."""
    return {"sets": [{"name": name} | counted(records) for name, (_, records) in _sets(shelf).items()]}


@router.get("/sets/{name}/questions")
def questions(name: str, shelf: Shelf) -> dict[str, Any]:
    """Every question of a set, with where its source stands now: `place` is null where the document is gone."""
    return {"questions": [record | {"place": _place(shelf, record)} for record in _set(shelf, name)[1]]}


@router.post("/sets/{name}/questions/{question_id}")
def decide(name: str, question_id: str, body: Decision, shelf: Shelf) -> dict[str, Any]:
    """Accepts, edits or rejects one question; written before this answers."""
    found, records = _set(shelf, name)
    if not any(str(record["id"]) == question_id for record in records):
        raise NotFound(f"The set {name!r} has no question {question_id!r}.", "Load it again: it has changed.")
    record = found.decide(question_id, body.state, question=body.question, answer=body.answer)
    return record | {"place": _place(shelf, record)}


_Seen = tuple[QuestionSet, list[dict[str, Any]]]
"""A set, and of its questions those that the caller may see."""


def _sets(shelf: Reading) -> dict[str, _Seen]:
    """A set of which the caller may see nothing is not there."""
    found = find_sets(shelf.service.settings.data / "sets")
    seen = {name: (one, [record for record in one.read() if shelf.asked(record)]) for name, one in found.items()}
    return {name: one for name, one in seen.items() if one[1] or shelf.caller.reads_everything}


def _set(shelf: Reading, name: str) -> _Seen:
    found = _sets(shelf)
    if name not in found:
        raise NotFound(
            f"There is no set {name!r} (there is: {', '.join(found) or 'none yet'}).",
            "Make one with `tuwen eval generate`.",
        )
    return found[name]


def _place(shelf: Reading, record: dict[str, Any]) -> dict[str, Any] | None:
    """By the chunk while the index is the one that the question was made from; by the document's name ever after."""
    made = record.get("provenance")
    made = made if isinstance(made, dict) else {}
    chunk_id = str(made.get("chunk_id", ""))
    if chunk_id and (found := shelf.service.library.hydrate([chunk_id]).get(chunk_id)):
        chunk, document = found
        return schemas.chunk(chunk) | {"document": schemas.document(document)}
    source = made.get("source") or record.get("source")
    if not isinstance(source, str):
        return None
    try:
        stored = shelf.document(Document.make_id(str(made.get("collection", "default")), source))
    except NotFound:
        return None
    page = record.get("page")
    return {"document": schemas.document(stored.document.ref), "page": page, "boxes": [], "chunk_id": "", "text": ""}
