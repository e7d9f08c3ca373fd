"""Pictures of the pages of what a run was about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from api.client import Client, HttpClient, LocalClient
from api.service import open_service
from api.settings import load as load_settings
from eval.runner.local import cache_folder
from rag.errors import TuwenError

log = logging.getLogger(__name__)


PageImage = Callable[[str, int], bytes | None]
"""The picture of a page by document name and number, two pixels for each point."""


@contextmanager
def page_images(index: str, server: str = "", cache: Path | None = None) -> Iterator[PageImage | None]:
    """Draws pages of the documents of a run, by name and number: None for a page that has no picture, and None instead of the
    function where the documents are not at hand (the index is gone or in use, no server answers)."""
    folder = (cache or cache_folder()) / "indexes" / index
    with ExitStack() as stack:
        try:
            if server:
                client: Client = HttpClient(server)
            elif index and folder.is_dir():
                client = LocalClient(open_service(load_settings(folder), "tuwen eval report"))
            else:
                yield None
                return
            stack.callback(client.close)
            documents = _by_name(client)
        except TuwenError as error:
            log.warning("Pages are not shown: %s", error)
            yield None
            return
        yield lambda name, page: _draw(client, documents.get(name), page)


def _by_name(client: Client) -> dict[str, str]:
    """Ids of the bench's documents; a name that stands for two of them on a server stands for none."""
    found: dict[str, set[str]] = {}
    for shown in client.documents(None):
        if shown["collection"].startswith("eval-") and shown["status"] == "published":
            found.setdefault(shown["name"], set()).add(shown["id"])
    return {name: ids.pop() for name, ids in found.items() if len(ids) == 1}


def _draw(client: Client, document_id: str | None, page: int) -> bytes | None:
    if document_id is None:
        return None
    try:
        if isinstance(client, LocalClient):
            return client.service.page_image(document_id, page)
        response = httpx.get(f"{client.where}/v1/files/{document_id}/pages/{page}/image", timeout=60, trust_env=False)
    except (TuwenError, httpx.HTTPError):
        return None
    return response.content if response.is_success else None
