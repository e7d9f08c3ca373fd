"""One's own documents and generator, to make questions from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api import wiring
from api.client import Client, LocalClient, connect
from api.schemas import SearchBody
from api.settings import load as load_settings
from eval.generate.source import SourceDocument
from rag.errors import NotFound
from rag.protocols import Generator


def open_collection(collection: str, data: Path | None = None, server: str = "") -> CollectionSource:
    """One's own documents, to make questions from. Raises NotFound for a collection without documents, DirectoryOwned."""
    settings = load_settings(data)
    source = CollectionSource(connect(settings, server), collection, settings.data)
    if not source.documents():
        source.close()
        raise NotFound(
            f"The collection {collection!r} has no documents.", f"Ingest some: tuwen ingest PATH -c {collection}."
        )
    return source


def open_generator(data: Path | None = None) -> Generator | None:
    """The generator of the settings; None for one that writes nothing of its own. Raises ModelMissing, ExtraMissing."""
    settings = load_settings(data)
    return None if settings.generator.kind == "extractive" else wiring.generator(settings)


class CollectionSource:
    """A Source over the client that the commands use, in this process or over HTTP."""

    def __init__(self, client: Client, collection: str, data: Path) -> None:
        self._client, self.collection, self.data = client, collection, data

    def documents(self) -> list[SourceDocument]:
        shown = self._client.documents(self.collection)
        return [SourceDocument(one["id"], one["name"], one["title"]) for one in shown if one["status"] == "published"]

    def chunks(self, document_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.document(document_id)["chunks"]
        return found

    def find(self, question: str, top_k: int) -> list[str]:
        result = self._client.search(SearchBody(query=question, collection=self.collection, top_k=top_k))
        return [hit["text"] for hit in result["hits"]]

    def feedback(self) -> list[dict[str, Any]]:
        return self._client.feedback(self.collection)

    def folder(self) -> Path | None:
        """The folder that the documents were ingested from, where there is one and this process can see it."""
        if not isinstance(self._client, LocalClient):
            return None
        roots = set()
        for stored in self._client.service.documents(self.collection):
            path, name = Path(stored.source), Path(stored.document.name)
            if not stored.source or path.parts[-len(name.parts) :] != name.parts:
                return None
            roots.add(path.parents[len(name.parts) - 1])
        return roots.pop().resolve() if len(roots) == 1 else None

    def close(self) -> None:
        self._client.close()
