"""What the retrievers of all frameworks share: a client, a search, and what is said of a hit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.client import Client, HttpClient, connect
from api.schemas import SearchBody
from api.settings import load
from rag.errors import BadRequest


def open_client(data: Path | str | None = None, server: str = "") -> Client:
    """The engine in this process, over the data directory `data`; or a running server, where `server` (its URL) is given or where one
    owns the directory.

    Close it when done. Raises DirectoryOwned when another process owns the directory and listens nowhere.
    """
    if server:
        return HttpClient(server)
    return connect(load(None if data is None else Path(data)))


def search(
    client: Client, query: str, *, collection: str, top_k: int, allowed: Any = None, image: str = ""
) -> list[dict[str, Any]]:
    """Hits as in `POST /v1/search`, best first. `allowed` is the `filter` of that request, `image` a picture as base64.

    Raises BadRequest for a request that means nothing, and what the client raises.
    """
    wanted = {"query": query, "image": image, "collection": collection, "top_k": top_k}
    try:
        body = SearchBody.model_validate(wanted if allowed is None else wanted | {"filter": allowed})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(
            f"`{where}` of the search is not right: {first['msg']} (given: {first['input']!r}).",
            "docs/http.md lists the fields of a search and of its filter.",
        ) from error
    hits: list[dict[str, Any]] = client.search(body)["hits"]
    return hits


def metadata(hit: Mapping[str, Any], client: Client, collection: str) -> dict[str, Any]:
    """All that a citation needs, as plain JSON values: `source`, `page`, and `boxes` (`[page, left, top, right, bottom]`, points from
    the page's top left corner) among them."""
    document = hit["document"]
    said = {
        "chunk_id": hit["chunk_id"],
        "document_id": document["id"],
        "source": document["name"],
        "media_type": document["media_type"],
        "collection": collection,
        "kind": hit["kind"],
        "headings": hit["headings"],
        "page": hit["page"],
        "boxes": hit["boxes"],
        "score": hit["score"],
        "found_by": hit["ranks"],
    }
    if hit["kind"] == "image" and isinstance(client, HttpClient):
        said["image_url"] = image_url(client, hit["chunk_id"])
    return said


def image_url(client: HttpClient, chunk_id: str) -> str:
    """Where the server has the picture of a hit of kind `image`."""
    return f"{client.where}/v1/images/{chunk_id}"
