"""The figures of a run from the records of its questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval.metrics import abstention, cost
from eval.metrics import latency as latencies
from eval.metrics.ranking import mean
from eval.metrics.risk_coverage import aurc, e_aurc
from rag.answers import Usage

Records = Sequence[dict[str, Any]]

CORRECTNESS = "token_f1"
"""What an answer's loss is one minus, in risk and coverage."""


def metrics(records: Records) -> dict[str, float]:
    """Means over the questions that have the measure, and how well the system knew what it does not know."""
    values = mean({record["id"]: record["metrics"] for record in records})
    return {name: round(value, 6) for name, value in (values | _knowing(records)).items()}


def latency(records: Records) -> dict[str, Any]:
    """Percentiles of a search in milliseconds, over the questions that were asked one at a time; where none was, over all, with the
    number that were asked at once."""
    alone = [record["ms"] for record in records if record.get("at_once", 1) == 1]
    if alone or not records:
        return dict(latencies.latency(alone))
    most = max(record["at_once"] for record in records)
    return {**latencies.latency([record["ms"] for record in records]), "at_once": most}


def tables(records: Records) -> dict[str, dict[str, Any]]:
    """`{"kinds" | "languages": {name: {"questions", "metrics"}}}`, where there is more than one."""
    return {
        name: groups
        for name, field in (("kinds", "kind"), ("languages", "language"))
        if len(groups := _grouped(records, lambda record, field=field: record.get(field, ""))) > 1  # type: ignore[misc]
    }


def usage(records: Records, prices: Mapping[str, cost.Price] | None = None) -> dict[str, Any]:
    """`{"prompt", "completion"}` tokens of the generator over the run, and with prices of its model `"cost"`, `"currency"`."""
    answered = [record["answer"] for record in records if "answer" in record]
    if not answered:
        return {}
    total = cost.tokens(Usage(one["tokens"]["prompt"], one["tokens"]["completion"]) for one in answered)
    found: dict[str, Any] = {"prompt": total.prompt_tokens, "completion": total.completion_tokens}
    price = cost.price_of(answered[0]["generator"], prices or {})
    if price is not None:
        found |= {"cost": round(cost.cost(total, price), 6), "currency": price.currency}
    return found


def losses(records: Records) -> dict[str, int]:
    """Wrong questions by the class of what lost them, most first."""
    counts: dict[str, int] = {}
    for record in records:
        if "lost" in record:
            name = record["lost"]["class"]
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _grouped(records: Records, key: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return {name: {"questions": len(found), "metrics": metrics(found)} for name, found in sorted(groups.items())}


def _knowing(records: Records) -> dict[str, float]:
    """Abstention, and the order of answers by evidence. Only where answers were measured and it can be told."""
    answered = [record for record in records if "answer" in record]
    if not answered:
        return {}
    abstained = [bool(record["answer"]["abstained"]) for record in answered]
    answerable = [bool(record["answerable"]) for record in answered]
    found: dict[str, float | None] = {}
    if not all(answerable):
        found["abstention_precision"] = abstention.abstention_precision(abstained, answerable)
        found["abstention_recall"] = abstention.abstention_recall(abstained, answerable)
        found["abstention_f1"] = abstention.abstention_f1(abstained, answerable)
        # Nothing found is no evidence.
        evidence = [record["answer"].get("evidence") or 0.0 for record in answered]
        found["abstention_auroc"] = abstention.abstention_auroc(evidence, answerable)
    # An answer that was withheld has no loss that could be measured.
    spoken = [r for r in answered if not r["answer"]["abstained"] and CORRECTNESS in r["metrics"]]
    if spoken:
        scores = [record["answer"].get("evidence") or 0.0 for record in spoken]
        loss = [1 - record["metrics"][CORRECTNESS] for record in spoken]
        found["aurc"], found["e_aurc"] = aurc(scores, loss), e_aurc(scores, loss)
    return {name: value for name, value in found.items() if value is not None}
