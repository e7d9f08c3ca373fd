"""Opens the system that is served, and measures it: the one file of `eval` that knows `api`.

In this process the bench has a data directory of its own for each corpus and each set of index settings, kept in the cache: a
second run finds its index there. With a server the documents go into a collection of their own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import numpy as np
import platformdirs
from pydantic import BaseModel, ValidationError

from api import wiring
from api.client import Client, HttpClient, LocalClient, connect
from api.schemas import QueryBody, SearchBody, TurnBody
from api.service import Service, open_service
from api.settings import Settings, public
from api.settings import load as load_settings
from api.wiring import Reuse
from eval.bench import DEPTH, Options, begin, sample
from eval.datasets.corpus import CorpusFile
from eval.datasets.load import load
from eval.datasets.model import Dataset
from eval.generate.source import SourceDocument
from eval.judge.asker import Asker
from eval.judge.cache import FileCache
from eval.judge.judge import judge_answer
from eval.judge.score import Score
from eval.measure import Judge
from eval.measures import choose
from eval.metrics.cost import load_prices
from eval.settings_file import write_setting
from eval.sweep.axes import check_axes
from eval.sweep.flow import Plan
from eval.sweep.flow import sweep as run_sweep
from eval.system import Cited, Filled, Found, FoundHit, Given, IndexedChunk
from ingest.files import InputFile
from ingest.pipeline import UNDER_WAY, FileEvent, Report
from rag.answers import Turn
from rag.errors import BadRequest, NotFound, SpaceMismatch, TuwenError
from rag.protocols import Generator, TextEncoder

log = logging.getLogger(__name__)

PageImage = Callable[[str, int], bytes | None]
"""The picture of a page by document name and number, two pixels for each point."""

SPEED_ONLY = {
    "encoder": ("threads", "api_key"),
}
"""Settings that change nothing in an index. Of `ingest`, the limits and the chunker's own version decide: a strategy that knows no
overlap has one index for all overlaps."""

_NO_TOOLS = wiring.TextTools(lambda texts: [0] * len(texts), lambda texts: np.zeros((len(texts), 1), np.float32))
"""For a chunker that is only asked for its version."""

SETTLE_ABOVE = 1_000
"""New chunks above which the vector index is told to write itself out: below, adding them anew at the next opening is as fast."""

CHUNKS_KEPT = 200
"""Documents whose chunks are remembered while questions about them are asked."""


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
    sampled: int | None = None,
    depth: int = DEPTH,
    answers: bool = False,
    measures: Sequence[str] = (),
    prices: Path | None = None,
    at_once: int = 1,
    seed: int = 0,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Measures a labelled set: `{"dataset", "metrics", "latency_ms", "config", "index"}`.

    `corpus` names other documents for the questions of `dataset`. `settings` are those of `tuwen` (by default, those of the data
    directory `data`), whose own documents are left alone. `server` measures a running server instead. `limit` takes the first
    questions, `sampled` some drawn by `seed`. `measures` are computed beside the usual ones, `prices` tell what tokens cost.
    Raises BadRequest for what is wrong with the set or the folder, and whatever the system raises.
    """
    options = _options(depth, answers, measures, prices, at_once, seed)
    labelled = _labelled(dataset, corpus, limit, sampled, seed)
    cache = cache or _cache()
    digest = labelled.corpus.digest
    if server:
        system = ServedSystem(HttpClient(server), f"eval-{digest}", {"server": server})
    else:
        system = local_system(settings or load_settings(data), cache, digest)
    try:
        judge = None
        if options.measures.judge:
            judge = _judge(system.generator or open_generator(data), system.encoder, cache)
        made = begin(system, labelled, cache=cache, options=options, out=out, judge=judge, show_progress=show_progress)
        made.ask(labelled.questions)
        return made.finish(system.encoder)
    finally:
        system.close()


def sweep(
    dataset: Path,
    plan: Plan,
    *,
    corpus: Path | None = None,
    data: Path | None = None,
    settings: Settings | None = None,
    out: Path | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    sampled: int | None = None,
    depth: int = DEPTH,
    answers: bool = False,
    measures: Sequence[str] = (),
    at_once: int = 1,
    use: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Tries combinations of settings: what `sweep.json` holds (eval/sweep/record.py), and `"folder"`.

    With `use` the best settings are written to `tuwen.toml` of the data directory, and `"used"` says what and whether the documents
    have to be ingested again. Raises what `run` raises, and BadRequest for a setting or a value that means nothing.
    """
    if not plan.axes:
        check_axes(plan.axes)
    more = list(measures)
    if plan.metric not in more and _is_measure(plan.metric):
        more.append(plan.metric)
    options = _options(depth, answers, more, None, at_once, plan.seed)
    if options.measures.judge or options.measures.similarity:
        raise BadRequest("A sweep measures without judge and similarity.", "Use them with `tuwen eval run`.")
    base = settings or load_settings(data)
    labelled = _labelled(dataset, corpus, limit, sampled, plan.seed)
    cache = cache or _cache()
    workshop = LocalWorkshop(base, cache, labelled.corpus.digest)
    result = run_sweep(
        labelled, workshop, plan, cache=cache, options=options, out=out, tell=tell, show_progress=show_progress
    )
    if use and result["best"] is not None:
        result["used"] = use_settings(base, result["cells"][result["best"]]["settings"])
    return result


def use_settings(base: Settings, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the settings to `tuwen.toml` of the data directory, beside what else stands there: `{"file", "settings", "ingest_again"}`.

    Raises BadSetting for a file that cannot be written.
    """
    new = changed(base, changes)
    different = {name: value for name, value in changes.items() if value_of(base, name) != value_of(new, name)}
    path = base.data / "tuwen.toml"
    for name, value in different.items():
        section, _, setting = name.partition(".")
        field, _, key = setting.partition(".")
        # Of a setting that is a table, the whole table is written: what else it holds stays.
        whole = {**value_of(base, f"{section}.{field}"), key: value} if key else value
        path = write_setting(base.data, section, field, whole)
    return {
        "file": str(path),
        "settings": different,
        "ingest_again": index_key(base, "") != index_key(new, ""),
    }


# --- settings and systems --------------------------------------------------------------------------------------------


def changed(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some of them (`retrieval.rrf_k`) changed. Raises BadRequest that names the setting."""
    values = base.model_dump()
    for name, value in changes.items():
        _check_name(name)
        *sections, last = name.split(".")
        place = values
        for section in sections:
            place = place[section]
        place[last] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        given = next((f"{name}={value!r}" for name, value in changes.items() if where.startswith(name)), where)
        raise BadRequest(
            f"The setting `{where}` cannot be swept over {given}: {first['msg']}.",
            "Correct the value; api/settings.py has each setting with its bounds.",
        ) from error


def value_of(settings: Settings, name: str) -> Any:
    """The value of a setting by its name, None for what a table of a setting does not hold."""
    place: Any = settings
    for part in name.split("."):
        place = place.get(part) if isinstance(place, dict) else getattr(place, part)
    return list(place) if isinstance(place, tuple) else place


def _check_name(name: str) -> None:
    names = {
        f"{section}.{field}": isinstance(getattr(part, field), dict)
        for section, part in Settings()
        if isinstance(part, BaseModel) and section not in ("http", "models")
        for field in type(part).model_fields
    }
    limits = {f"ingest.limits.{field}" for field in type(Settings().ingest.limits).model_fields}
    parent = name.rpartition(".")[0]
    if name in limits or (name in names and name != "ingest.limits") or names.get(parent):
        return
    near = get_close_matches(name, sorted({*names, *limits}), 3, 0.6)
    raise BadRequest(
        f"There is no setting `{name}` to vary.",
        f"Perhaps {' or '.join(near)}?" if near else "docs/evaluation.md says how settings are named.",
    )


def index_key(settings: Settings, corpus_digest: str) -> str:
    """Changes with every setting that what is in an index depends on: what texts are made of the documents, and what vectors of
    the texts."""
    shown = public(settings)
    parts: dict[str, Any] = {
        name: {field: value for field, value in shown[name].items() if field not in SPEED_ONLY.get(name, ())}
        for name in ("encoder", "pictures", "index")
    }
    parts["limits"] = shown["ingest"]["limits"]
    locked = [password.get_secret_value() for password in settings.ingest.passwords]
    parts["chunker"] = wiring.chunker(settings, _NO_TOOLS).version
    hashed = json.dumps([corpus_digest, parts, locked], sort_keys=True)
    return hashlib.sha256(hashed.encode()).hexdigest()[:16]


def _open(settings: Settings, cache: Path, corpus_digest: str, key: str) -> Service:
    own = settings.model_copy(update={"data": cache / "indexes" / key})
    return open_service(own, "tuwen eval", Reuse(cache / "reused", corpus_digest))


def _describe(settings: Settings, key: str) -> dict[str, Any]:
    shown = public(settings)
    for name in ("data", "http", "models"):
        shown.pop(name, None)
    return {"settings": shown, "index": key}


def local_system(settings: Settings, cache: Path, corpus_digest: str) -> ServedSystem:
    """The service in this process, over an index of the bench's own."""
    key = index_key(settings, corpus_digest)
    client = LocalClient(_open(settings, cache, corpus_digest, key))
    return ServedSystem(client, f"eval-{corpus_digest}", _describe(settings, key))


class LocalWorkshop:
    """Systems in this process that differ in settings, one open at a time (eval.sweep.flow.Workshop)."""

    def __init__(self, base: Settings, cache: Path, corpus_digest: str) -> None:
        self._base, self._cache, self._digest = base, cache, corpus_digest
        self._open: tuple[str, Service] | None = None

    def values(self, names: Iterable[str], changes: Mapping[str, Any]) -> dict[str, Any]:
        settings = changed(self._base, changes)
        found = {}
        for name in names:
            _check_name(name)
            found[name] = value_of(settings, name)
        return found

    def index(self, changes: Mapping[str, Any]) -> str:
        return index_key(changed(self._base, changes), self._digest)

    def describe(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        return _describe(changed(self._base, changes), self.index(changes))

    def open(self, changes: Mapping[str, Any]) -> ServedSystem:
        settings, key = changed(self._base, changes), self.index(changes)
        if self._open is not None and self._open[0] == key:
            self._open[1].retune(settings)
        else:
            self.close()
            self._open = key, _open(settings, self._cache, self._digest, key)
        return ServedSystem(LocalClient(self._open[1]), f"eval-{self._digest}", self.describe(changes))

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _labelled(dataset: Path, corpus: Path | None, limit: int | None, sampled: int | None, seed: int) -> Dataset:
    for name, value in (("--limit", limit), ("--sample", sampled)):
        if value is not None and value < 1:
            raise BadRequest(f"{name} is {value}.", "Give a number of questions from 1.")
    labelled = load(dataset, corpus).first(limit)
    return labelled if sampled is None else sample(labelled, sampled, seed)


def _options(
    depth: int, answers: bool, measures: Sequence[str], prices: Path | None, at_once: int, seed: int
) -> Options:
    if at_once < 1:
        raise BadRequest(f"--concurrency is {at_once}.", "Give a number of questions to ask at once, from 1.")
    return Options(depth, answers, choose(measures), seed, at_once, load_prices(prices) if prices else None)


def _judge(generator: Generator | None, encoder: TextEncoder | None, cache: Path) -> Judge:
    """Raises BadRequest without a generator that can judge."""
    if generator is None:
        raise BadRequest("There is no generator to judge answers.", "Set `generator.kind` to openai or llamacpp.")
    asker = Asker(generator, FileCache(cache / "judge.jsonl"))

    def judge(question: str, answer: str, passages: Sequence[str], expected: Sequence[str]) -> dict[str, Score]:
        return judge_answer(asker, question, answer, passages, expected=(*expected, "")[0], encoder=encoder)

    return judge


def _is_measure(name: str) -> bool:
    try:
        choose([name])
    except BadRequest:
        return False
    return True


def _cache() -> Path:
    return Path(platformdirs.user_cache_dir("tuwen")) / "eval"


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
        if isinstance(self._client, LocalClient) and report.chunks > SETTLE_ABOVE:
            self._client.service.settle()
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
            parts += [sorted({settings for _, settings, _ in state.values()}), service.encoder.space.id]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

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

    def answer(self, question: str, top_k: int, turns: Sequence[Turn] = ()) -> Given:
        final: dict[str, Any] = {}
        earlier = [TurnBody(role=turn.role, content=turn.content) for turn in turns]
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
            stages=_stages(final.get("explain", {})),
            evidence=final["evidence"],
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


def default_settings(profile: str) -> dict[str, Any]:
    """The settings of a profile as `System.describe` tells them, where nobody has set anything."""
    file = resources.files("api").joinpath("profiles", f"{profile}.toml")
    given = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return dict(_describe(Settings.model_validate(given | {"profile": profile}), "")["settings"])


@contextmanager
def page_images(index: str, server: str = "", cache: Path | None = None) -> Iterator[PageImage | None]:
    """Draws pages of the documents of a run, by name and number: None for a page that has no picture, and None instead of the
    function where the documents are not at hand (the index is gone or in use, no server answers)."""
    folder = (cache or _cache()) / "indexes" / index
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
