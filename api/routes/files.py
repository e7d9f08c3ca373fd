"""Uploading, listing, showing and deleting documents."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.deps import Asking, Shelf, Tuwen
from api.reading import Reading
from api.service import check_collection
from api.uploads import shown as shown_job
from api.uploads import version
from ingest.job import BULK, PERSON, WAITING
from ingest.jobs import Jobs
from rag.errors import BadRequest, LimitExceeded, NotFound

router = APIRouter(prefix="/v1", tags=["documents"])

_PIECE = 1 << 20
PRIORITIES = {"person": PERSON, "bulk": BULK}
# What a document holds is shown, never run: an HTML file opened from here must not become a page of this server.
_INERT = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


@router.get("/collections")
def collections(shelf: Shelf) -> dict[str, Any]:
    found = shelf.collections()
    return {"collections": [{"name": name, "documents": count} for name, count in found.items()]}


@router.get("/files")
def list_files(tuwen: Tuwen, shelf: Shelf, collection: str | None = None) -> dict[str, Any]:
    """Everything published, waiting or failed."""
    shown = schemas.files(shelf.documents(collection), shelf.failures(collection))
    for job in shelf.jobs(tuwen.jobs.all(collection)):
        if job.state in WAITING or job.id not in shown:
            shown[job.id] = shown.get(job.id, {}) | shown_job(job)
    return {"files": schemas.by_place(shown.values())}


@router.post("/files", status_code=202)
async def upload(
    tuwen: Tuwen,
    shelf: Shelf,
    asking: Asking,
    file: UploadFile,
    collection: Annotated[str, Form()] = "default",
    name: Annotated[str, Form()] = "",
    priority: Annotated[Literal["person", "bulk"], Form()] = "person",
) -> dict[str, Any]:
    """Takes a file; it is ingested in the background. `GET /v1/files/{id}` tells how far it is."""
    check_collection(collection)
    called = clean_name(name or file.filename or "")
    await run_in_threadpool(shelf.check_sendable, tuwen.jobs, collection, called)
    limit = tuwen.service.settings.http.max_upload_bytes
    with tempfile.NamedTemporaryFile(dir=tuwen.service.settings.data, prefix="upload-") as temporary:
        size = 0
        while piece := await file.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise LimitExceeded(
                    f"{called} has more than {limit / 1e6:,.0f} MB.",
                    "Raise `http.max_upload_bytes`, or ingest it with `tuwen ingest`.",
                )
            temporary.write(piece)
        temporary.flush()
        accepted = await run_in_threadpool(
            tuwen.jobs.accept, Path(temporary.name), called, collection, PRIORITIES[priority], asking.name
        )
    tuwen.runner.wake()
    return shown_job(accepted)


@router.get("/files/{file_id}")
def show(file_id: str, tuwen: Tuwen, shelf: Shelf) -> dict[str, Any]:
    return _shown(tuwen.jobs, shelf, file_id)


@router.delete("/files/{file_id}")
def delete(file_id: str, tuwen: Tuwen, shelf: Shelf) -> dict[str, Any]:
    """Removes the document with every trace."""
    shelf.check_removable(tuwen.jobs, file_id)
    with contextlib.suppress(NotFound):
        tuwen.jobs.cancel([file_id])
    tuwen.service.delete(file_id)
    return {"id": file_id, "deleted": True}


@router.get("/files/{file_id}/content")
def content(file_id: str, shelf: Shelf) -> FileResponse:
    """The original, as it was ingested."""
    path, stored = shelf.original(file_id)
    item = stored.document
    return FileResponse(path, media_type=item.media_type, filename=PurePosixPath(item.name).name, headers=_INERT)


@router.get("/files/{file_id}/versions")
def versions(file_id: str, shelf: Shelf) -> dict[str, Any]:
    """Every version of the document that was published, the newest first: that is the one which is searched."""
    found = [version(item) for item in shelf.versions(file_id)]
    if not shelf.caller.reads_everything:
        # How much of a text was new tells who sent it whether somebody else has the same text.
        found = [{key: value for key, value in item.items() if key != "embedded"} for item in found]
    return {"versions": found}


@router.get("/files/{file_id}/pages")
def pages(file_id: str, shelf: Shelf) -> dict[str, Any]:
    """Numbers and sizes of the pages, in points."""
    found = shelf.pages(file_id)
    return {"pages": [{"number": p.number, "width": p.width, "height": p.height, "source": p.source} for p in found]}


@router.get("/files/{file_id}/tables")
def tables(file_id: str, shelf: Shelf) -> dict[str, Any]:
    """The tables of a document: as Markdown, as HTML, and cell by cell with headings and places."""
    return {"tables": [schemas.table(found) for found in shelf.tables(file_id)]}


@router.get("/files/{file_id}/pages/{number}/image")
def page_image(file_id: str, number: int, shelf: Shelf, scale: Annotated[float, Query(gt=0, le=8)] = 2.0) -> Response:
    """A page as PNG, `scale` pixels for a point."""
    data = shelf.page_image(file_id, number, scale)
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/files/{file_id}/chunks")
def chunks(file_id: str, shelf: Shelf) -> dict[str, Any]:
    """The document as it is searched."""
    return {"chunks": [schemas.chunk(item) for item in shelf.chunks(file_id)]}


@router.get("/images/{chunk_id}")
def image(chunk_id: str, shelf: Shelf) -> Response:
    """The picture of a hit of kind `image`."""
    data, media_type = shelf.picture(chunk_id)
    return Response(data, media_type=media_type, headers=_INERT)


def clean_name(name: str) -> str:
    """A relative path with forward slashes. Raises BadRequest for one that is empty or leads outside."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", ".")]
    if not parts or ".." in parts or any(ord(c) < 32 for c in name) or len(name) > 500:
        raise BadRequest(f"{name!r} is no name for a file.", "Send a file name, or a relative path in `name`.")
    return "/".join(parts)


def _shown(jobs: Jobs, shelf: Reading, file_id: str) -> dict[str, Any]:
    try:
        waiting = shelf.job(jobs, file_id)
    except NotFound:
        waiting = None
    try:
        stored = schemas.published(shelf.document(file_id))
    except NotFound:
        if waiting is None:
            raise
        return shown_job(waiting)
    if waiting is not None and waiting.state in (*WAITING, "failed"):
        return stored | shown_job(waiting)
    return stored
