"""One question, measured: what was found, how long it took, and every measure that its labels allow.

The order that is measured is the order that was served. Hits are passages, judgements are about documents: a document stands
where its best passage stands. Measures of passages (`source_hit@k`, `page_hit@k`) count the hits as the reader sees them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eval.datasets.model import Dataset, Question
from eval.failures.rule import Rule
from eval.failures.trace import trace
from eval.judge.score import Score
from eval.measures import USUAL, Measures
from eval.metrics import answers, citations, ranking
from eval.metrics.evidence_read import answer_read, evidence_read
from eval.metrics.page_hit import page_hit
from eval.metrics.relevance import relevant
from eval.system import Found, Given, System
from rag.documents import Box
from rag.language import language_of

HITS_KEPT = 10
"""Hits written to the run folder per question, with chunk ids: enough to look at, small enough to keep."""

Record = dict[str, Any]

Judge = Callable[[str, str, Sequence[str], Sequence[str]], Mapping[str, Score]]
"""Scores of an answer from question, answer, the passages that were read, and the expected answers."""


@dataclass(frozen=True)
class Task:
    """What is asked of every question. `ids` gives the document id in the judgements by the name in the system, `rule` says what
    counts as wrong."""

    dataset: Dataset
    ids: Mapping[str, str]
    depth: int
    answers: bool
    measures: Measures = USUAL
    rule: Rule | None = None
    at_once: int = 1
    """Questions that are asked at the same time: what a question took beside others is no latency."""
    judge: Judge | None = None

    @cached_property
    def names(self) -> dict[str, str]:
        """The name in the system by document id."""
        return {id_: name for name, id_ in self.ids.items()}


def measure(system: System, task: Task, question: Question) -> Record:
    """A JSON object with everything a report needs of this question."""
    # A question without earlier messages is asked as it always was: not every system knows of them.
    more = {"turns": question.turns} if question.turns else {}
    began = time.perf_counter()
    found = system.search(question.text, task.depth, **more)
    milliseconds = (time.perf_counter() - began) * 1000
    ranked = best_per_document(found, task.ids)
    metrics = _ranking_metrics(task, question, ranked, found)
    record: Record = {
        "id": question.id,
        "question": question.text,
        "kind": question.kind,
        "language": question.language or language_of(question.text),
        "answerable": question.answerable,
        "ms": round(milliseconds, 3),
        "at_once": task.at_once,
        "timings": dict(found.timings),
        "evidence": None if found.evidence is None else round(found.evidence, 4),
        "documents": list(ranked.items()),
        "documents_judged": dict(task.dataset.documents.get(question.id, {})),
        "pages_judged": sorted(task.dataset.pages.get(question.id, ())),
        "answers_expected": list(question.answers),
        "hits": [
            {"document": task.ids.get(hit.document, hit.document), "pages": hit.pages, "chunk_id": hit.chunk_id}
            for hit in found.hits[:HITS_KEPT]
        ],
    }
    if found.reranked:
        record["reranked"] = [
            (task.ids.get(document, document), round(coarse, 5), round(fine, 5))
            for document, coarse, fine in found.reranked
        ]
    given: Given | None = None
    if task.answers:
        began = time.perf_counter()
        given = system.answer(question.text, HITS_KEPT, **more)
        record["answer"] = _answer(given, task.ids) | {"ms": round((time.perf_counter() - began) * 1000, 1)}
        metrics |= _answer_metrics(task, question, given)
        if task.judge is not None and question.answerable and not given.abstained:
            judged = task.judge(question.text, given.text, _passages(given), question.answers)
            record["answer"]["judge"] = {name: _verdicts(score) for name, score in judged.items()}
            metrics |= {name: score.value for name, score in judged.items() if score.value is not None}
    record["metrics"] = metrics
    return record | trace(system, task.dataset, question, found, given, task.ids, task.rule, task.names)


def best_per_document(found: Found, ids: Mapping[str, str]) -> dict[str, float]:
    """Document ids with the score of their best hit, in served order."""
    best: dict[str, float] = {}
    for hit in found.hits:
        best.setdefault(ids.get(hit.document, hit.document), hit.score)
    return best


def _answer(given: Given, ids: Mapping[str, str]) -> Record:
    return {
        "text": given.text,
        "abstained": given.abstained,
        "citations": given.citations,
        "verified": given.verified,
        "timings": dict(given.timings),
        "evidence": None if given.evidence is None else round(given.evidence, 4),
        **({} if given.self_check is None else {"self_check": round(given.self_check, 4)}),
        "tokens": {"prompt": given.prompt_tokens, "completion": given.completion_tokens},
        "generator": given.generator,
        "cited": [
            {
                "marker": item.marker,
                "document": ids.get(item.document, item.document),
                "page": item.page,
                "chunk_id": item.chunk_id,
                "quote": item.quote,
                "verified": item.verified,
                "boxes": item.boxes,
            }
            for item in given.cited
        ],
        "context": [hit.chunk_id for hit in given.context],
    }


def _ranking_metrics(task: Task, question: Question, ranked: Mapping[str, float], found: Found) -> dict[str, float]:
    judged = task.dataset.documents.get(question.id)
    if not judged:
        return {}
    metrics = ranking.score(list(ranked), judged, task.measures.ranking)
    wanted = relevant(judged)
    hits = [task.ids.get(hit.document, hit.document) for hit in found.hits]
    metrics["source_hit@5"] = float(not wanted.isdisjoint(hits[:5]))
    if pages := task.dataset.pages.get(question.id):
        seen = [{(document, page) for page in hit.pages} for document, hit in zip(hits, found.hits, strict=True)]
        metrics["page_hit@5"] = page_hit(seen, pages, 5)
    return metrics


def _answer_metrics(task: Task, question: Question, given: Given) -> dict[str, float]:
    """What an unanswerable question and an abstention score is decided in eval/metrics/abstention.py."""
    metrics = answers.score(
        given.text,
        question.answers,
        task.measures.answers,
        answerable=question.answerable,
        abstained=given.abstained,
    )
    if question.answerable:
        metrics |= _read_metrics(task, question, given)
    if given.abstained or not question.answerable:
        return metrics
    cited = [(task.ids.get(name, name), page) for name, page in given.citations]
    found: dict[str, float | None] = {"support_rate": citations.support_rate([item.verified for item in given.cited])}
    if wanted := relevant(task.dataset.documents.get(question.id, {})):
        found["citation_document_precision"] = citations.citation_precision([name for name, _ in cited], wanted)
        found["citation_document_recall"] = citations.citation_recall([name for name, _ in cited], wanted)
    if pages := task.dataset.pages.get(question.id):
        places = [None if page is None else (name, page) for name, page in cited]
        found["citation_page_precision"] = citations.citation_precision(places, pages)
        found["citation_page_recall"] = citations.citation_recall(places, pages)
        found["citation_page_hit"] = citations.citation_hit(places, pages)
    if regions := task.dataset.regions.get(question.id):
        shown = [
            citations.Region(task.ids.get(item.document, item.document), _drawn(item.boxes)) for item in given.cited
        ]
        found["citation_box_precision"] = citations.box_precision(shown, regions)
        found["citation_box_recall"] = citations.box_recall(shown, regions)
        found["citation_box_iou"] = citations.mean_iou(shown, regions)
        found["citation_box_cover"] = citations.mean_cover(shown, regions)
    return metrics | {name: value for name, value in found.items() if value is not None}


def _drawn(boxes: Sequence[Sequence[float]]) -> tuple[Box, ...]:
    return tuple(Box(int(page), *sides) for page, *sides in boxes)


def _read_metrics(task: Task, question: Question, given: Given) -> dict[str, float]:
    """Of what the generator was given: nothing, where it was not asked. Only of systems that tell."""
    if not given.prompt and not given.abstained:
        return {}
    # The question may have words of the answer.
    read = given.prompt.replace(question.text, " ")
    quotes = [quote for _, quote in sorted(task.dataset.quotes.get(question.id, ()))]
    found = {"evidence_read": evidence_read(quotes, read), "answer_read": answer_read(question.answers, read)}
    return {name: value for name, value in found.items() if value is not None}


def _passages(given: Given) -> list[str]:
    """The texts of the passages that the generator read, by marker; all that were found where the system does not tell."""
    texts = {hit.chunk_id: hit.text for hit in given.context}
    read = [texts[id_] for id_ in given.stages.get("pack", ()) if id_ in texts]
    return read or list(texts.values())


def _verdicts(score: Score) -> Record:
    return {"value": score.value, "verdicts": [[verdict.about, verdict.said] for verdict in score.verdicts]}
