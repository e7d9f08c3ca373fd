"""A run from the labelled set to the figures, over any system.

In three steps, so that a sweep can stop between them: `begin` makes the documents searchable and opens the folder, `ask` measures
questions, `finish` writes the figures down. What was asked before, in this process or in one that was killed, is not asked again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval import summary
from eval.datasets.model import Dataset, Question
from eval.environment import code_version, environment
from eval.failures.rule import Rule
from eval.measure import Judge, Task, measure
from eval.measures import USUAL, Measures
from eval.metrics.cost import Price
from eval.metrics.similarity import embedding_similarity
from eval.progress import progress
from eval.records import RunFolder, next_folder
from eval.system import Filled, System
from rag.errors import BadRequest
from rag.protocols import TextEncoder

FAILURES_SHOWN = 20
DEPTH = 100
"""Hits asked for: what lies deeper counts as not found."""


@dataclass(frozen=True)
class Options:
    """What is asked. `at_once` questions are asked at the same time: it does not change what is found, only how long it takes."""

    depth: int = DEPTH
    answers: bool = False
    measures: Measures = USUAL
    seed: int = 0
    at_once: int = 1
    prices: Mapping[str, Price] | None = None

    def as_json(self) -> dict[str, Any]:
        """What figures depend on."""
        return {"depth": self.depth, "answers": self.answers, "measures": self.measures.names, "seed": self.seed}


def bench(
    system: System,
    dataset: Dataset,
    *,
    cache: Path,
    out: Path | None = None,
    options: Options | None = None,
    depth: int = DEPTH,
    answers: bool = False,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Ingests the documents, asks every question, and answers the shape of `tuwen eval run --json`.

    `cache` keeps written-out corpora, and run folders where `out` names none.
    """
    options = options or Options(depth=depth, answers=answers)
    run = begin(system, dataset, cache=cache, out=out, options=options, show_progress=show_progress)
    run.ask(dataset.questions)
    return run.finish()


def begin(
    system: System,
    dataset: Dataset,
    *,
    cache: Path,
    options: Options,
    out: Path | None = None,
    judge: Judge | None = None,
    show_progress: bool = False,
) -> Run:
    """Makes the documents searchable and opens the run's folder. `judge` is asked about every answer. Raises BadRequest, and what the system raises."""
    if not dataset.questions:
        raise BadRequest("There is no question to ask.", "Give a --limit of at least 1.")
    began = time.perf_counter()
    files = dataset.corpus.files(cache / "corpora" / dataset.corpus.digest)
    with progress("documents", len(files), show_progress) as step:
        filled = system.fill(files, step)
    config = run_config(dataset, system.describe(), options)
    print_ = fingerprint(config, filled.fingerprint)
    folder = RunFolder(out or next_folder(cache / "runs", dataset.name.replace(" ", "-"), print_))
    config["run"] = str(folder.path)
    head = {
        "dataset": dataset.name,
        "config": config,
        "index": _index(filled),
        "warnings": dataset.warnings,
        "environment": environment(),
    }
    folder.open(print_, head | {"started": time.time()})
    task = Task(
        dataset,
        {file.name: file.id for file in files},
        options.depth,
        options.answers,
        options.measures,
        Rule.of(config["system"]),
        options.at_once,
        judge,
    )
    return Run(system, task, folder, options, head, time.perf_counter() - began, show_progress)


class Run:
    """A run that was begun."""

    def __init__(
        self,
        system: System,
        task: Task,
        folder: RunFolder,
        options: Options,
        head: dict[str, Any],
        seconds: float,
        show_progress: bool,
    ) -> None:
        self.folder = folder
        self._system, self._task, self._options, self._head = system, task, options, head
        self._show_progress = show_progress
        self._seconds = {"ingest": seconds, "questions": 0.0}
        self._resumed = len(folder.done)
        self._warm = False

    def ask(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        """The records of these questions, in order; those that are done already come from the folder."""
        left = [question for question in questions if question.id not in self.folder.done]
        if left and not self._warm:
            # The first search opens models and indexes: that is start-up, not latency.
            self._system.search(left[0].text, 1)
            self._warm = True
        began = time.perf_counter()
        with progress("questions", len(left), self._show_progress) as step:

            def one(question: Question) -> None:
                self.folder.add(measure(self._system, self._task, question))
                step()

            try:
                _each(one, left, self._options.at_once)
            finally:
                self.folder.close()
        self._seconds["questions"] += time.perf_counter() - began
        return [self.folder.done[question.id] for question in questions]

    def finish(self, encoder: TextEncoder | None = None) -> dict[str, Any]:
        """The figures of the whole set; every question has to have been asked. `encoder` is for measures that compare meanings."""
        records = [self.folder.done[question.id] for question in self._task.dataset.questions]
        if self._options.measures.similarity and encoder is not None:
            _add_similarity(records, self._task.dataset, encoder)
        timings = {name: round(value, 2) for name, value in self._seconds.items()} | {"resumed": self._resumed}
        result = {
            "dataset": self._head["dataset"],
            "metrics": summary.metrics(records),
            "latency_ms": summary.latency(records),
            "config": self._head["config"],
            "index": self._head["index"],
        }
        if used := summary.usage(records, self._options.prices):
            result["usage"] = used
        more = {"tables": summary.tables(records), "lost": summary.losses(records), "timings": timings}
        self.folder.finish(result | more | {"ended": time.time()})
        return result


def run_config(dataset: Dataset, system: Mapping[str, Any], options: Options) -> dict[str, Any]:
    return {
        "system": dict(system),
        "questions": len(dataset.questions),
        **options.as_json(),
        "labels": dataset.digest,
        "code": code_version(),
    }


def fingerprint(config: Mapping[str, Any], index: str) -> str:
    """What makes two runs the same: labels, settings, measures, code and index; not where it was written and when."""
    parts = [{name: value for name, value in config.items() if name != "run"}, index]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _index(filled: Filled) -> dict[str, Any]:
    return {
        "documents": filled.documents,
        "chunks": filled.chunks,
        "unchanged": filled.unchanged,
        "embedded": filled.embedded,
        "seconds": round(filled.seconds, 2),
        "fingerprint": filled.fingerprint,
        "failed": len(filled.failures),
        "failures": [{"name": name, "reason": reason} for name, reason in filled.failures[:FAILURES_SHOWN]],
    }


def _each(work: Any, items: Sequence[Any], at_once: int) -> None:
    """In order, or several at once; the first error ends it, and what was not begun then is left."""
    if at_once <= 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(at_once, "tuwen-eval") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
        for future in futures:
            if not future.cancelled():
                future.result()


def _add_similarity(records: list[dict[str, Any]], dataset: Dataset, encoder: TextEncoder) -> None:
    questions = {question.id: question for question in dataset.questions}
    spoken = [r for r in records if "answer" in r and not r["answer"]["abstained"] and questions[r["id"]].answers]
    found = embedding_similarity(
        [record["answer"]["text"] for record in spoken], [questions[r["id"]].answers for r in spoken], encoder
    )
    for record, value in zip(spoken, found, strict=True):
        if value is not None:
            record["metrics"]["similarity"] = round(value, 6)
