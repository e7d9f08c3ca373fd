"""Stored conversations: made, listed, named, scoped, branched, exported, deleted; files taken into one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from api import transcripts
from api.deps import Asking, Shelf, Talks, Tuwen
from api.routes import files
from api.schemas import FilterBody, Word
from api.service import check_collection

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

_Title = Annotated[str, Field(max_length=200)]


class CreateBody(BaseModel):
    """Without a title, a conversation is called by its first question. `filter` holds for every question of it."""

    model_config = ConfigDict(extra="forbid")

    collection: Word = "default"
    title: _Title = ""
    filter: FilterBody = FilterBody()


class ChangeBody(BaseModel):
    """What is left out stays. `shown` is a turn: the branch that goes through it is shown from now on."""

    model_config = ConfigDict(extra="forbid")

    title: _Title | None = None
    filter: FilterBody | None = None
    shown: Word | None = None


@router.post("", status_code=201)
def create(body: CreateBody, talks: Talks) -> dict[str, Any]:
    """Begins a conversation; `POST /v1/query` with its id asks in it."""
    check_collection(body.collection)
    made = talks.create(body.collection, body.title, body.filter)
    return transcripts.whole(talks, made)


@router.get("")
def listed(
    talks: Talks,
    collection: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**12)] = 0,
) -> dict[str, Any]:
    """The last used first; `more` says whether there are others after these."""
    found = talks.store.listed(collection, limit + 1, offset)
    return {"conversations": [transcripts.summary(item) for item in found[:limit]], "more": len(found) > limit}


@router.get("/{conversation_id}")
def show(conversation_id: str, talks: Talks) -> dict[str, Any]:
    """The branch that is shown, with where each citation stands now."""
    return transcripts.whole(talks, talks.store.get(conversation_id))


@router.patch("/{conversation_id}")
def change(conversation_id: str, body: ChangeBody, talks: Talks) -> dict[str, Any]:
    """Names it, sets its scope, or shows another branch."""
    talks.change(conversation_id, body.title, body.filter)
    if body.shown is not None:
        talks.store.show_branch(conversation_id, body.shown)
    return transcripts.whole(talks, talks.store.get(conversation_id))


@router.delete("/{conversation_id}")
def delete(conversation_id: str, talks: Talks) -> dict[str, Any]:
    """With all its turns; documents that were uploaded in it stay."""
    talks.store.remove(conversation_id)
    return {"id": conversation_id, "deleted": True}


@router.get("/{conversation_id}/export", response_model=None)
def export(conversation_id: str, talks: Talks, format: Literal["markdown", "json"] = "markdown") -> Response:  # noqa: A002
    """For reading (the branch that is shown), or complete (every branch, every passage)."""
    conversation = talks.store.get(conversation_id)
    name = "".join(c if c.isalnum() or c in " -_" else "_" for c in conversation.title).strip() or "conversation"
    if format == "json":
        answer: Response = JSONResponse(transcripts.everything(talks, conversation))
    else:
        text = transcripts.markdown(talks, conversation)
        answer = Response(text, media_type="text/markdown; charset=utf-8")
    extension = "json" if format == "json" else "md"
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.{extension}')}"
    return answer


@router.post("/{conversation_id}/files", status_code=202)
async def upload(
    conversation_id: str,
    tuwen: Tuwen,
    talks: Talks,
    shelf: Shelf,
    asking: Asking,
    file: UploadFile,
    name: Annotated[str, Form()] = "",
) -> dict[str, Any]:
    """Takes a file into the conversation's collection, and into its scope where that names documents."""
    conversation = talks.store.get(conversation_id)
    accepted = await files.upload(tuwen, shelf, asking, file, conversation.collection, name)
    talks.widen(conversation_id, accepted["name"])
    return accepted
