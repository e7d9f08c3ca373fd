"""Opens the system that is served, and measures it: the one file of `eval` that knows `api`.

In this process the bench has a data directory of its own for each corpus and each set of index settings, kept in the cache: a
second run finds its index there. With a server the documents go into a collection of their own.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

from api.client import Client, HttpClient, LocalClient
from api.schemas import QueryBody, SearchBody
from api.service import Service, open_service
from api.settings import Settings, public
from api.settings import load as load_settings
from eval.bench import bench
from eval.datasets.corpus import CorpusFile
from eval.datasets.load import load
from eval.system import Cited, Filled, Found, FoundHit, Given, IndexedChunk
from ingest.files import InputFile
from ingest.pipeline import FileEvent, Report
from rag.errors import BadRequest, SpaceMismatch

INDEX_SECTIONS = ("encoder", "pictures", "ingest", "index")
"""Settings that change what is in an index; the others are free to vary over one index."""


def run(
    dataset: Path,
    *,
    corpus: Path | None = None,
    data: Path | None = None,
    settings: Settings | None = None,
    server: str = "",
    out: Path | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    depth: int = 100,
    answers: bool = False,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Measures a labelled set: `{"dataset", "metrics", "latency_ms", "config", "index"}`.

    `dataset` is a folder in BEIR's layout, or one with questions.json[l]; `corpus` names other documents for its questions.
    `settings` are those of `tuwen` (by default, those of the data directory `data`), whose own documents are left alone. `server` measures a running server instead. Raises
    BadRequest for what is wrong with the set or the folder, and whatever the system raises.
    """
    if limit is not None and limit < 1:
        raise BadRequest(f"--limit is {limit}.", "Give a number of questions from 1.")
    labelled = load(dataset, corpus).first(limit)
    cache = cache or Path(platformdirs.user_cache_dir("tuwen")) / "eval"
    digest = labelled.corpus.digest
    if server:
        system = ServedSystem(HttpClient(server), f"eval-{digest}", {"server": server})
    else:
        system = local_system(settings or load_settings(data), cache, digest)
    try:
        return bench(system, labelled, cache=cache, out=out, depth=depth, answers=answers, show_progress=show_progress)
    finally:
        system.close()


def local_system(settings: Settings, cache: Path, corpus_digest: str) -> ServedSystem:
    """The service in this process, over an index of the bench's own."""
    shown = public(settings)
    sections = {name: shown[name] for name in INDEX_SECTIONS}
    key = hashlib.sha256(json.dumps([corpus_digest, sections], sort_keys=True).encode()).hexdigest()[:16]
    own = settings.model_copy(update={"data": cache / "indexes" / key})
    for name in ("data", "http", "models"):
        shown.pop(name, None)
    client = LocalClient(open_service(own, "tuwen eval run"))
    return ServedSystem(client, f"eval-{corpus_digest}", {"settings": shown, "index": key, "code": _code_version()})


class ServedSystem:
    """A System over the client that the commands use, in this process or over HTTP."""

    def __init__(self, client: Client, collection: str, config: dict[str, Any]) -> None:
        self._client, self._collection, self._config = client, collection, config
        self._documents: dict[str, str] | None = None
        """Ids of what is indexed, by name; read when first asked for."""

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        def tell(event: FileEvent) -> None:
            if event.state != "parsing":
                on_file()

        if isinstance(self._client, LocalClient):
            inputs = [InputFile(file.path, file.name, str(file.path), file.root) for file in files]
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
        for shown in there:
            if shown["name"] not in wanted:
                self._client.delete(shown["id"])
        kept = [shown for shown in there if shown["name"] in wanted]
        return Filled(
            documents=len(kept),
            chunks=sum(shown["chunks"] for shown in kept),
            unchanged=report.states["unchanged"],
            seconds=report.seconds,
            failures=tuple((event.name, event.message) for event in report.failures),
        )

    def _ingest_here(self, service: Service, files: list[InputFile], tell: Callable[[FileEvent], None]) -> Report:
        # A failure of an earlier run (memory, time) must not be measured for ever.
        try:
            return service.ingest(files, self._collection, tell, retry_failed=True)
        except SpaceMismatch:
            # The same settings, but a new version of the encoder: the bench's own index follows it.
            service.rebuild()
            return service.ingest(files, self._collection, tell, retry_failed=True)

    def search(self, question: str, top_k: int) -> Found:
        body = SearchBody(query=question, collection=self._collection, top_k=top_k, explain=True)
        result = self._client.search(body)
        explained = result.get("explain", {})
        return Found(_hits(result["hits"]), result["timings"], _stages(explained), explained.get("evidence"))

    def answer(self, question: str, top_k: int) -> Given:
        final: dict[str, Any] = {}
        body = QueryBody(question=question, collection=self._collection, top_k=top_k, explain=True)
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
            stages=_stages(final.get("explain", {})),
            evidence=final["evidence"],
            prompt_tokens=final["usage"]["prompt_tokens"],
            completion_tokens=final["usage"]["completion_tokens"],
            generator=final["generator"],
            prompt="\n\n".join(message["content"] for message in final.get("explain", {}).get("prompt", ())),
        )

    def chunks(self, document: str) -> list[IndexedChunk]:
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


def _hits(shown: Sequence[dict[str, Any]]) -> tuple[FoundHit, ...]:
    return tuple(
        FoundHit(hit["document"]["name"], hit["chunk_id"], hit["score"], _pages(hit), hit["text"], hit["kind"])
        for hit in shown
    )


def _stages(explained: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {stage["name"]: tuple(id_ for id_, _ in stage["ranking"]) for stage in explained.get("stages", ())}


def _pages(hit: dict[str, Any]) -> tuple[int, ...]:
    pages = {int(box[0]) for box in hit["boxes"]} | ({hit["page"]} if hit["page"] is not None else set())
    return tuple(sorted(pages))


def _code_version() -> str:
    try:
        return version("tuwen")
    except PackageNotFoundError:
        return "source"
