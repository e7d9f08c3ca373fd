"""The figures of one run: means with intervals, by kind and language, recall by depth, and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from eval.metrics.latency import latency
from eval.report.names import OVERVIEW, in_order
from eval.report.reading import Asked, Run, number
from eval.significance import bootstrap_interval

DEPTHS = (1, 2, 3, 5, 10, 20, 30, 50, 100)
FEW = 20
"""Questions below which a bootstrap interval is too narrow to be believed."""

_HIGHEST_RESAMPLED = 20_000_000
"""Draws per interval: 10,000 resamples for up to 2,000 questions, fewer beyond, so that a report of 100,000 questions takes seconds."""

Value = dict[str, Any]


def mean_with_interval(values: Sequence[float]) -> Value:
    """`{"value", "interval": [low, high] or None, "questions"}`; the interval is the 95 % bootstrap over questions."""
    count = len(values)
    mean = round(float(np.mean(values)), 6)
    if count < 2:
        return {"value": mean, "interval": None, "questions": count}
    resamples = max(500, min(10_000, _HIGHEST_RESAMPLED // count))
    low, high = bootstrap_interval(values, resamples=resamples)
    return {"value": mean, "interval": [round(low, 6), round(high, 6)], "questions": count}


def metrics(questions: Sequence[Asked]) -> dict[str, Value]:
    """Every measure over the questions that have it, and how often abstaining was right."""
    values: dict[str, list[float]] = {}
    for question in questions:
        for name, value in question.metrics.items():
            values.setdefault(name, []).append(value)
    values |= _abstention(questions)
    return {name: mean_with_interval(values[name]) for name in in_order(values)}


def with_totals(measured: Mapping[str, Value], totals: Mapping[str, Any], questions: int) -> dict[str, Value]:
    """And the measures that the run has of all its questions together, which no single one has: they have no interval here."""
    more = {
        str(name): {"value": round(float(value), 6), "interval": None, "questions": questions}
        for name, value in totals.items()
        if name not in measured and number(value) is not None
    }
    both = {**measured, **more}
    return {name: both[name] for name in in_order(both)}


def _abstention(questions: Sequence[Asked]) -> dict[str, list[float]]:
    """Precision over the abstentions, recall over the unanswerable questions (`eval.metrics.abstention`)."""
    told = [question for question in questions if question.abstained is not None]
    unanswerable = [float(bool(question.abstained)) for question in told if not question.answerable]
    abstentions = [float(not question.answerable) for question in told if question.abstained]
    found: dict[str, list[float]] = {}
    if unanswerable:
        found["abstention_recall"] = unanswerable
        if abstentions:
            found["abstention_precision"] = abstentions
    return found


def grouped(questions: Sequence[Asked], key: Callable[[Asked], str]) -> dict[str, Any]:
    """`{group: {"questions", "metrics"}}`, largest group first; empty where there is only one."""
    groups: dict[str, list[Asked]] = {}
    for question in questions:
        groups.setdefault(key(question) or "not told", []).append(question)
    if len(groups) < 2:
        return {}
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        name: {
            "questions": len(members),
            "metrics": {measure: value for measure, value in metrics(members).items() if measure in OVERVIEW},
        }
        for name, members in ordered
    }


def recall_by_depth(questions: Sequence[Asked], measured: Mapping[str, Value]) -> list[Value]:
    """Recall of documents at each depth, `{"k", "value", "interval", "questions"}`.

    From the labels where the run holds them; otherwise at the depths that were measured.
    """
    judged = [question for question in questions if question.relevant]
    if judged:
        deepest = max((len(question.documents) for question in judged), default=0)
        depths = [k for k in DEPTHS if k <= deepest] or [1]
        return [{"k": k} | mean_with_interval([_recall(question, k) for question in judged]) for k in depths]
    found = ((int(name.partition("@")[2]), value) for name, value in measured.items() if name.startswith("recall@"))
    return [{"k": k} | value for k, value in sorted(found, key=lambda pair: pair[0])]


def _recall(question: Asked, k: int) -> float:
    return len(question.relevant & set(question.documents[:k])) / len(question.relevant)


def times(run: Run) -> dict[str, Any]:
    """`{"search": {"latency_ms", "steps", "values"}, "answer": …}`: where there are any; of the questions that were asked alone,
    where there are any."""
    found: dict[str, Any] = {}
    timed = [question for question in run.questions if question.alone] or run.questions
    searches = [question.milliseconds for question in timed if question.milliseconds is not None]
    if searches:
        found["search"] = _spent(searches, [question.timings for question in timed])
    answers = [question.answer for question in timed if question.answer and question.answer.get("ms")]
    if answers:
        steps = [{k: float(v) for k, v in (one.get("timings") or {}).items()} for one in answers]
        found["answer"] = _spent([float(one["ms"]) for one in answers], steps)
    return found


def _spent(milliseconds: Sequence[float], timings: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for one in timings for name in one if name not in {"total", "first_token"}))
    whole = float(np.mean(milliseconds)) or 1.0
    steps: dict[str, dict[str, float | None]] = {}
    accounted = 0.0
    for name in names:
        values = [one.get(name, 0.0) for one in timings]
        mean = float(np.mean(values))
        accounted += mean
        steps[name] = {
            "median": round(float(np.median(values)), 3),
            "mean": round(mean, 3),
            "share": round(mean / whole, 4),
        }
    # What no step accounts for: the way through the service, and over the network where there is one.
    rest = whole - accounted
    if steps and rest > 0:
        steps["rest"] = {"median": None, "mean": round(rest, 3), "share": round(rest / whole, 4)}
    return {"latency_ms": latency(milliseconds), "steps": steps, "values": [round(value, 2) for value in milliseconds]}
