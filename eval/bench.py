"""A run from the labelled set to the figures, over any system."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from eval import summary
from eval.datasets.model import Dataset
from eval.measure import Task, measure
from eval.progress import progress
from eval.records import RunFolder, next_folder
from eval.system import System
from rag.errors import BadRequest

FAILURES_SHOWN = 20


def bench(
    system: System,
    dataset: Dataset,
    *,
    cache: Path,
    out: Path | None = None,
    depth: int = 100,
    answers: bool = False,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Ingests the documents, asks every question, and answers the shape of `tuwen eval run --json`.

    `cache` keeps written-out corpora, and run folders where `out` names none. `depth` is the number of hits asked for: what
    lies deeper counts as not found.
    """
    if not dataset.questions:
        raise BadRequest("There is no question to ask.", "Give a --limit of at least 1.")
    files = dataset.corpus.files(cache / "corpora" / dataset.corpus.digest)
    with progress("documents", len(files), show_progress) as step:
        filled = system.fill(files, step)
    index = {
        "documents": filled.documents,
        "chunks": filled.chunks,
        "unchanged": filled.unchanged,
        "seconds": round(filled.seconds, 2),
        "failed": len(filled.failures),
        "failures": [{"name": name, "reason": reason} for name, reason in filled.failures[:FAILURES_SHOWN]],
    }
    system_config = system.describe()
    fingerprint = _fingerprint(dataset.digest, system_config, depth, answers)
    folder = RunFolder(out or next_folder(cache / "runs", dataset.name.replace(" ", "-"), fingerprint))
    config = {
        "system": system_config,
        "questions": len(dataset.questions),
        "depth": depth,
        "answers": answers,
        "labels": dataset.digest,
        "run": str(folder.path),
    }
    head = {"dataset": dataset.name, "config": config, "index": index, "warnings": dataset.warnings}
    folder.open(fingerprint, head | {"started": time.time()})
    task = Task(dataset, {file.name: file.id for file in files}, depth, answers)
    _ask(system, task, folder, show_progress)
    records = [folder.done[question.id] for question in dataset.questions]
    result = {
        "dataset": dataset.name,
        "metrics": summary.metrics(records),
        "latency_ms": summary.latency(records),
        "config": config,
        "index": index,
    }
    folder.finish(result | {"ended": time.time()})
    return result


def _ask(system: System, task: Task, folder: RunFolder, show_progress: bool) -> None:
    left = [question for question in task.dataset.questions if question.id not in folder.done]
    if left:
        # The first search opens models and indexes: that is start-up, not latency.
        system.search(left[0].text, 1)
    with progress("questions", len(left), show_progress) as step:
        for question in left:
            folder.add(measure(system, task, question))
            step()


def _fingerprint(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
