"""A retriever of LangChain. `pip install 'tuwen[langchain]'`."""

from __future__ import annotations

import asyncio
from typing import Any

from api.client import Client
from api.plugins.finding import metadata, search
from rag.errors import ExtraMissing

try:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise ExtraMissing(
        f"LangChain is not installed ({error}).", "Install the extra: pip install 'tuwen[langchain]'."
    ) from error


class TuwenRetriever(BaseRetriever):
    """Finds passages, tables and pictures; each Document carries in its `metadata` what a citation needs (api.plugins.finding.metadata).

    `k`, `collection` and `filter` may be given for one call, too: `retriever.invoke("…", k=3)`. Raises the errors of rag.errors.
    """

    client: Any
    """What `api.plugins.open_client` gives: an api.client.Client."""
    collection: str = "default"
    k: int = 10
    filter: Any = None
    """Only what matches is searched: the `filter` of `POST /v1/search`."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002
        **given: Any,
    ) -> list[Document]:
        return self._find(query, **given)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        **given: Any,
    ) -> list[Document]:
        # The client waits for a model or a socket; a thread keeps the loop free, and both clients may be used from several.
        return await asyncio.to_thread(self._find, query, **given)

    def _find(
        self,
        query: str,
        *,
        k: int | None = None,
        collection: str | None = None,
        filter: Any = None,  # noqa: A002
    ) -> list[Document]:
        client: Client = self.client
        place = self.collection if collection is None else collection
        hits = search(
            client,
            query,
            collection=place,
            top_k=self.k if k is None else k,
            allowed=self.filter if filter is None else filter,
        )
        return [
            Document(id=hit["chunk_id"], page_content=hit["text"], metadata=metadata(hit, client, place))
            for hit in hits
        ]
