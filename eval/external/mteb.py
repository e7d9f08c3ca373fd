"""The system that is served as a model of `mteb`, and a labelled set as a task of it (Muennighoff et al., "MTEB", 2023; mteb ≥ 2.10).

    import mteb
    from api.settings import load
    from eval.external.mteb import Retriever

    results = mteb.evaluate(Retriever.local(load()), mteb.get_tasks(tasks=["SciFact"]))

`Retriever` has mteb's `SearchProtocol`: documents go through the ingest, questions through the whole search (all retrievers, fused),
so that what is measured is the system and not an encoder alone. `retrieval_task` lets other models be measured on one's own set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.datasets.corpus import TextCorpus
from eval.datasets.model import Dataset
from eval.metrics.relevance import relevant
from eval.system import System
from rag.errors import BadRequest, ExtraMissing

MAX_TOP_K = 200
"""Passages that a search gives at most; mteb asks for 1,000 documents."""


class Retriever:
    """mteb's `SearchProtocol` over a System. `open_system` gives the system for a corpus by its digest; `cache` keeps the documents
    that are written out for it. `revision` stands for the settings: mteb keeps results by it. One corpus is open at a time."""

    def __init__(self, open_system: Callable[[str], System], cache: Path, revision: str) -> None:
        self._open, self._cache, self._revision = open_system, cache, revision
        self._system: System | None = None
        self._ids: dict[str, str] = {}

    @classmethod
    def local(cls, settings: Any, cache: Path | None = None) -> Retriever:
        """The service in this process with these settings (`api.settings.load()`); `cache` as for `tuwen eval run`."""
        import platformdirs

        from eval.runner import local_system

        cache = cache or Path(platformdirs.user_cache_dir("tuwen")) / "eval"
        shown = settings.model_dump_json(exclude={"data", "http", "models"})
        revision = hashlib.sha256(shown.encode()).hexdigest()[:12]
        return cls(lambda digest: local_system(settings, cache, digest), cache, revision)

    @property
    def mteb_model_meta(self) -> Any:
        """Raises ExtraMissing."""
        try:
            from mteb.models.model_meta import ModelMeta
        except ImportError as error:
            raise ExtraMissing(
                "The Python package mteb is not installed.", "Install it: pip install 'tuwen[mteb]'"
            ) from error
        return ModelMeta.create_empty({"name": "tuwen/tuwen", "revision": self._revision})

    def index(self, corpus: Iterable[Mapping[str, Any]], **_: Any) -> None:
        """Ingests the corpus: rows of `id`, `text` and perhaps `title`."""
        texts: dict[str, str] = {}
        for row in corpus:
            if not isinstance(row.get("text"), str):
                raise BadRequest(f"Document {row.get('id')!r} of this task has no text.", "Take a task about texts.")
            title, text = (row.get("title") or "").strip(), row["text"].strip()
            # A set that went out through `retrieval_task` comes back as it was: its documents are not ingested anew.
            texts[str(row["id"])] = "\n\n".join(part for part in (title, text) if part)
        documents = TextCorpus(Path("mteb"), texts)
        self.close()
        self._system = self._open(documents.digest)
        files = documents.files(self._cache / "corpora" / documents.digest)
        self._ids = {file.name: file.id for file in files}
        filled = self._system.fill(files, lambda: None)
        if filled.failures:
            name, reason = filled.failures[0]
            raise BadRequest(
                f"{len(filled.failures)} documents of this task were not ingested; {name}: {reason}",
                "See `tuwen doctor`.",
            )

    def search(
        self, queries: Iterable[Mapping[str, Any]], *, top_k: int, top_ranked: Any = None, **_: Any
    ) -> dict[str, dict[str, float]]:
        """Document ids with a score by query id. The score is 1 / rank: what counts is the order that is served."""
        if self._system is None:
            raise BadRequest("Nothing is indexed.", "Call index() first, as mteb does.")
        if top_ranked is not None:
            raise BadRequest("This task reranks given candidates.", "Take tasks of the type Retrieval.")
        found: dict[str, dict[str, float]] = {}
        for query in queries:
            hits = self._system.search(_question(query), min(top_k, MAX_TOP_K)).hits
            ranked = dict.fromkeys(self._ids[hit.document] for hit in hits if hit.document in self._ids)
            found[str(query["id"])] = {document: 1 / rank for rank, document in enumerate(list(ranked)[:top_k], 1)}
        return found

    def close(self) -> None:
        if self._system is not None:
            self._system.close()
        self._system = None


def retrieval_task(dataset: Dataset, languages: Iterable[str] = ("eng-Latn",)) -> Any:
    """The set as an mteb retrieval task over its texts, with the questions that have a relevant document. `languages` are mteb's
    codes. Raises BadRequest for a set over real files (mteb knows texts only), and ExtraMissing."""
    if not isinstance(dataset.corpus, TextCorpus):
        raise BadRequest(f"{dataset.name} is about files, and mteb reads texts.", "Take a set with a corpus.jsonl.")
    try:
        import datasets
        from mteb.abstasks.retrieval import AbsTaskRetrieval
        from mteb.abstasks.task_metadata import TaskMetadata
    except ImportError as error:
        raise ExtraMissing(
            "The Python package mteb is not installed.", "Install it: pip install 'tuwen[mteb]'"
        ) from error
    asked = [question for question in dataset.questions if relevant(dataset.documents.get(question.id, {}))]
    documents = [{"id": id_, "title": "", "text": text} for id_, text in dataset.corpus.texts.items() if text]
    split = {
        "corpus": datasets.Dataset.from_list(documents),
        "queries": datasets.Dataset.from_list([{"id": question.id, "text": question.text} for question in asked]),
        "relevant_docs": {question.id: dict(dataset.documents[question.id]) for question in asked},
        "top_ranked": None,
    }
    named = TaskMetadata(
        name=f"tuwen-{dataset.name}".replace(" ", "-"),
        description=f"{len(asked)} questions of {dataset.name} over {len(documents)} documents.",
        type="Retrieval",
        category="t2t",
        eval_splits=["test"],
        eval_langs=list(languages),
        main_score="ndcg_at_10",
        # mteb's results belong to a revision of the data; nothing is fetched by this name.
        dataset={"path": f"tuwen/{dataset.digest}", "revision": dataset.digest},
    )

    def load_data(task: Any, *_: Any, **__: Any) -> None:
        task.dataset = {"default": {"test": dict(split)}}
        task.data_loaded = True

    return type("LabelledSet", (AbsTaskRetrieval,), {"metadata": named, "load_data": load_data})()


def _question(query: Mapping[str, Any]) -> str:
    """An instruction, where a task has one, is for models that read instructions."""
    text = query["text"]
    if isinstance(text, str):
        return text
    # A conversation: what was said last is the question.
    return str(text[-1]["content"] if isinstance(text[-1], Mapping) else text[-1])
