"""A System over the client that the commands use: in this process, or over HTTP. With a server the documents go into a collection
of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from api.client import Client, LocalClient
from api.schemas import QueryBody, SearchBody, TurnBody
from api.service import Service
from eval.datasets.corpus import CorpusFile
from eval.system import Cited, Filled, Found, FoundHit, Given, IndexedChunk
from ingest.events import UNDER_WAY, FileEvent, Report
from ingest.files import InputFile
from rag.answers import Turn
from rag.errors import SpaceMismatch, Unavailable
from rag.protocols import Generator, TextEncoder

CHUNKS_KEPT = 200
"""Documents whose chunks are remembered while questions about them are asked."""


class ServedSystem:
    """A System over the client that the commands use, in this process or over HTTP."""

    def __init__(self, client: Client, collection: str, config: dict[str, Any]) -> None:
        self._client, self._collection, self._config = client, collection, config
        self._documents: dict[str, str] | None = None
        """Ids of what is indexed, by name; read when first asked for."""
        self._chunks: dict[str, list[IndexedChunk]] = {}

    @property
    def encoder(self) -> TextEncoder | None:
        """The text encoder, where it runs in this process."""
        return self._client.service.encoder if isinstance(self._client, LocalClient) else None

    @property
    def generator(self) -> Generator | None:
        """The generator, where it runs in this process and writes something of its own."""
        if not isinstance(self._client, LocalClient) or self._client.service.settings.generator.kind == "extractive":
            return None
        return self._client.service.generator

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        def tell(event: FileEvent) -> None:
            if event.state not in UNDER_WAY:
                on_file()

        if isinstance(self._client, LocalClient):
            inputs = [InputFile(file.path, file.name, str(file.path.resolve()), file.root) for file in files]
            report = self._ingest_here(self._client.service, inputs, tell)
        else:
            with tempfile.TemporaryDirectory(prefix="tuwen-eval-") as folder:
                for file in files:
                    copy = Path(folder) / file.name
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file.path, copy)
                report = self._client.ingest([Path(folder)], self._collection, tell, retry_failed=True)
        there = [shown for shown in self._client.documents(self._collection) if shown["status"] == "published"]
        wanted = {file.name for file in files}
        kept = []
        for shown in there:
            # What lies in an archive is a document of its own.
            if shown["name"] in wanted or any(str(parent) in wanted for parent in PurePosixPath(shown["name"]).parents):
                kept.append(shown)
            else:
                self._client.delete(shown["id"])
        self._documents, self._chunks = {shown["name"]: shown["id"] for shown in kept}, {}
        if isinstance(self._client, LocalClient):
            self._client.service.settle_after(report)
        return Filled(
            documents=len(kept),
            chunks=sum(shown["chunks"] for shown in kept),
            unchanged=report.states["unchanged"],
            seconds=report.seconds,
            failures=tuple((event.name, event.message) for event in report.failures),
            fingerprint=self._fingerprint(kept),
            embedded=report.embedded,
        )

    def _fingerprint(self, documents: Sequence[dict[str, Any]]) -> str:
        """Of what is there, not of what was asked for. A server tells the documents' bytes only."""
        parts: list[Any] = sorted((shown["name"], shown["sha256"], shown["chunks"]) for shown in documents)
        if isinstance(self._client, LocalClient):
            service = self._client.service
            state = service.library.state(self._collection)
            parts += [sorted({settings for _, settings, *_ in state.values()}), service.encoder.space.id]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def _ingest_here(self, service: Service, files: list[InputFile], tell: Callable[[FileEvent], None]) -> Report:
        # A failure of an earlier run (memory, time) must not be measured for ever.
        try:
            return service.ingest(files, self._collection, tell, retry_failed=True)
        except SpaceMismatch:
            # The same settings, but a new version of the encoder: the bench's own index follows it.
            service.rebuild()
            return service.ingest(files, self._collection, tell, retry_failed=True)

    def search(self, question: str, top_k: int, turns: Sequence[Turn] = ()) -> Found:
        earlier = _earlier(turns)
        body = SearchBody(query=question, collection=self._collection, top_k=top_k, turns=earlier, explain=True)
        result = self._client.search(body)
        explained = _whole(result.get("explain", {}), result.get("notes", ()))
        stages, hits = _stages(explained), _hits(result["hits"])
        reranked = _reranked(explained, hits, self._config.get("settings", {}).get("retrieval", {}))
        return Found(hits, result["timings"], stages, explained.get("evidence"), reranked)

    def answer(self, question: str, top_k: int, turns: Sequence[Turn] = ()) -> Given:
        final: dict[str, Any] = {}
        earlier = _earlier(turns)
        body = QueryBody(question=question, collection=self._collection, top_k=top_k, turns=earlier, explain=True)
        for name, data in self._client.answer(body):
            if name == "final_answer":
                final = data
        cited = tuple(
            Cited(
                document=item["document"]["name"],
                page=item["page"],
                chunk_id=item["chunk_id"],
                marker=item["marker"],
                quote=item["quote"],
                verified=bool(item["verified"]),
                boxes=tuple(tuple(box) for box in item["boxes"]),
            )
            for item in final["citations"]
        )
        return Given(
            text=final["answer"],
            abstained=final["abstained"],
            citations=tuple((item.document, item.page) for item in cited),
            timings=final["timings"],
            verified=sum(item.verified for item in cited),
            cited=cited,
            context=_hits(final["context"]),
            stages=_stages(_whole(final.get("explain", {}), final["notes"])),
            evidence=final["evidence"],
            self_check=final.get("self_check"),
            prompt_tokens=final["usage"]["prompt_tokens"],
            completion_tokens=final["usage"]["completion_tokens"],
            generator=final["generator"],
            prompt="\n\n".join(message["content"] for message in final.get("explain", {}).get("prompt", ())),
        )

    def chunks(self, document: str) -> list[IndexedChunk]:
        known = self._chunks.get(document)
        if known is None:
            known = self._read_chunks(document)
            if len(self._chunks) >= CHUNKS_KEPT:
                self._chunks.clear()
            self._chunks[document] = known
        return known

    def _read_chunks(self, document: str) -> list[IndexedChunk]:
        if self._documents is None:
            self._documents = {shown["name"]: shown["id"] for shown in self._client.documents(self._collection)}
        id_ = self._documents.get(document)
        if id_ is None:
            return []
        found = self._client.document(id_)["chunks"]
        sources = {page["number"]: page["source"] for page in self._client.pages(id_)}
        return [
            IndexedChunk(
                chunk["chunk_id"],
                chunk["kind"],
                chunk["text"],
                _pages(chunk),
                tuple(chunk["headings"]),
                sources.get(chunk["page"], ""),
            )
            for chunk in found
        ]

    def describe(self) -> dict[str, Any]:
        return self._config

    def close(self) -> None:
        self._client.close()


def _whole(explained: dict[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    """As it came; what was found without a step that was to be measured is not measured. Raises Unavailable."""
    if skipped := explained.get("search", {}).get("skipped"):
        raise Unavailable(
            f"A question was searched for without {', '.join(skipped)}: {' '.join(notes)}",
            "Run it again when that answers, or switch the step off.",
        )
    return explained


def _earlier(turns: Sequence[Turn]) -> list[TurnBody]:
    return [TurnBody(role=turn.role, content=turn.content) for turn in turns]


def _hits(shown: Sequence[dict[str, Any]]) -> tuple[FoundHit, ...]:
    return tuple(
        FoundHit(hit["document"]["name"], hit["chunk_id"], hit["score"], _pages(hit), hit["text"], hit["kind"])
        for hit in shown
    )


def _stages(explained: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {stage["name"]: tuple(id_ for id_, _ in stage["ranking"]) for stage in explained.get("stages", ())}


def _reranked(
    explained: dict[str, Any], hits: Sequence[FoundHit], settings: dict[str, Any]
) -> tuple[tuple[str, float, float], ...]:
    """Told only where all was reranked alike and nothing was mixed into the scores. What a budget left out counts as the worst."""
    rankings = {stage["name"]: stage["ranking"] for stage in explained.get("stages", ())}
    used = f"{settings.get('reranker', '')} {settings.get('reranker_model', '')}".strip()
    gates = settings.get("rerank_by_language", {}).values()
    alike = (
        used != "auto"
        and settings.get("rerank_weight", 0) == 1
        and not any(gate["reranker"] in ("", used) for gate in gates)
    )
    if "rerank" not in rankings or not alike:
        return ()
    fine, documents = dict(rankings["rerank"]), {hit.chunk_id: hit.document for hit in hits}
    looked_at = rankings["fold"][: settings["rerank_depth"]]
    return tuple((documents[id_], score, fine[id_]) for id_, score in looked_at if id_ in documents and id_ in fine)


def _pages(hit: dict[str, Any]) -> tuple[int, ...]:
    pages = {int(box[0]) for box in hit["boxes"]} | ({hit["page"]} if hit["page"] is not None else set())
    return tuple(sorted(pages))
