"""One question, measured: what was found, how long it took, and every measure that its labels allow.

The order that is measured is the order that was served. Hits are passages, judgements are about documents: a document stands
where its best passage stands. Measures of passages (`source_hit@k`, `page_hit@k`) count the hits as the reader sees them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.datasets.model import Dataset, Question
from eval.metrics import ranking
from eval.metrics.answer_recall import answer_recall
from eval.metrics.citation_precision import citation_page_precision
from eval.metrics.exact_match import exact_match
from eval.metrics.page_hit import page_hit
from eval.metrics.relevance import relevant
from eval.metrics.token_f1 import token_f1
from eval.system import Found, Given, System

HITS_KEPT = 10
"""Hits written to the run folder per question, with chunk ids: enough to look at, small enough to keep."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What is asked of every question. `ids` gives the document id in the judgements by the name in the system."""

    dataset: Dataset
    ids: Mapping[str, str]
    depth: int
    answers: bool


def measure(system: System, task: Task, question: Question) -> Record:
    """A JSON object with everything a report needs of this question."""
    began = time.perf_counter()
    found = system.search(question.text, task.depth)
    milliseconds = (time.perf_counter() - began) * 1000
    ranked = best_per_document(found, task.ids)
    metrics = _ranking_metrics(task.dataset, question, ranked, found, task.ids)
    record: Record = {
        "id": question.id,
        "question": question.text,
        "kind": question.kind,
        "answerable": question.answerable,
        "ms": round(milliseconds, 3),
        "timings": dict(found.timings),
        "documents": list(ranked.items()),
        "hits": [
            {"document": task.ids.get(hit.document, hit.document), "pages": hit.pages, "chunk_id": hit.chunk_id}
            for hit in found.hits[:HITS_KEPT]
        ],
    }
    if task.answers:
        began = time.perf_counter()
        given = system.answer(question.text, HITS_KEPT)
        record["answer"] = {
            "text": given.text,
            "abstained": given.abstained,
            "citations": given.citations,
            "verified": given.verified,
            "ms": round((time.perf_counter() - began) * 1000, 1),
            "timings": dict(given.timings),
        }
        metrics |= _answer_metrics(task.dataset, question, given, task.ids)
    return record | {"metrics": metrics}


def best_per_document(found: Found, ids: Mapping[str, str]) -> dict[str, float]:
    """Document ids with the score of their best hit, in served order."""
    best: dict[str, float] = {}
    for hit in found.hits:
        best.setdefault(ids.get(hit.document, hit.document), hit.score)
    return best


def _ranking_metrics(
    dataset: Dataset, question: Question, ranked: Mapping[str, float], found: Found, ids: Mapping[str, str]
) -> dict[str, float]:
    judged = dataset.documents.get(question.id)
    if not judged:
        return {}
    metrics = ranking.score(list(ranked), judged)
    wanted = relevant(judged)
    hits = [ids.get(hit.document, hit.document) for hit in found.hits]
    metrics["source_hit@5"] = float(not wanted.isdisjoint(hits[:5]))
    if pages := dataset.pages.get(question.id):
        seen = [{(document, page) for page in hit.pages} for document, hit in zip(hits, found.hits, strict=True)]
        metrics["page_hit@5"] = page_hit(seen, pages, 5)
    return metrics


def _answer_metrics(dataset: Dataset, question: Question, given: Given, ids: Mapping[str, str]) -> dict[str, float]:
    """An unanswerable question scores 1 if the system abstained, else 0; an answerable one scores 0 if it abstained. That is
    the convention of SQuAD 2.0 (Rajpurkar et al. 2018)."""
    if not question.answerable:
        return dict.fromkeys(("exact_match", "token_f1", "answer_recall"), float(given.abstained))
    metrics: dict[str, float] = {}
    if question.answers:
        text = "" if given.abstained else given.text
        metrics["exact_match"] = exact_match(text, question.answers)
        metrics["token_f1"] = token_f1(text, question.answers)
        metrics["answer_recall"] = answer_recall(text, question.answers)
    pages = dataset.pages.get(question.id)
    if pages and not given.abstained:
        cited = [None if page is None else (ids.get(name, name), page) for name, page in given.citations]
        precise = citation_page_precision(cited, pages)
        if precise is not None:
            metrics["citation_page_precision"] = precise
    return metrics
