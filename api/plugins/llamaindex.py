"""A retriever of LlamaIndex. `pip install 'tuwen[llama-index]'`."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.client import Client, LocalClient, encode_image
from api.plugins.finding import metadata, search
from rag.errors import ExtraMissing, NotFound

try:
    from llama_index.core.callbacks.base import CallbackManager
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        ImageNode,
        NodeRelationship,
        NodeWithScore,
        QueryBundle,
        RelatedNodeInfo,
        TextNode,
    )
except ImportError as error:
    raise ExtraMissing(
        f"LlamaIndex is not installed ({error}).", "Install the extra: pip install 'tuwen[llama-index]'."
    ) from error

READ = frozenset({"source", "page", "headings"})
"""Metadata that a model reads with the passage; the rest is for citations."""


class TuwenRetriever(BaseRetriever):  # type: ignore[misc, unused-ignore]
    """Finds passages, tables and pictures; each node carries in its `metadata` what a citation needs (api.plugins.finding.metadata).

    A picture is an ImageNode whose text is what is known of it: with the picture itself in process (`image`, base64), with its
    URL over HTTP. A QueryBundle with an `image_path` asks by that picture, with its words if it has any. `filter` is the
    `filter` of `POST /v1/search`. Raises the errors of rag.errors.
    """

    def __init__(
        self,
        client: Client,
        *,
        collection: str = "default",
        similarity_top_k: int = 10,
        filter: Any = None,  # noqa: A002
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        self.client, self.collection = client, collection
        self.similarity_top_k, self.filter = similarity_top_k, filter
        super().__init__(callback_manager=callback_manager, verbose=verbose)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        picture = query_bundle.image_path
        hits = search(
            self.client,
            query_bundle.query_str,
            collection=self.collection,
            top_k=self.similarity_top_k,
            allowed=self.filter,
            image=encode_image(Path(picture)) if picture else "",
        )
        return [NodeWithScore(node=self._node(hit), score=hit["score"]) for hit in hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        # The client waits for a model or a socket; a thread keeps the loop free, and both clients may be used from several.
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def _node(self, hit: dict[str, Any]) -> TextNode:
        said = metadata(hit, self.client, self.collection)
        hidden = sorted(said.keys() - READ)
        common = {
            "id_": hit["chunk_id"],
            "text": hit["text"],
            "metadata": said,
            "excluded_llm_metadata_keys": hidden,
            "excluded_embed_metadata_keys": hidden,
            "relationships": {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit["document"]["id"])},
        }
        return ImageNode(**common, **self._picture(said)) if hit["kind"] == "image" else TextNode(**common)

    def _picture(self, said: dict[str, Any]) -> dict[str, str]:
        if not isinstance(self.client, LocalClient):
            return {"image_url": said.get("image_url", "")}
        with suppress(NotFound, OSError):  # deleted since it was found
            data, media_type = self.client.service.picture(said["chunk_id"])
            return {"image": base64.b64encode(data).decode(), "image_mimetype": media_type}
        return {}
