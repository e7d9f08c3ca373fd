"""The result of a run in a few sentences, as its report opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.report.names import label

LEADING = {
    "page_hit@5": "a passage of the right page was among the first five",
    "source_hit@5": "a passage of a relevant document was among the first five",
    "hit_rate@5": "a relevant document was among the first five",
}


def abstract(numbers: Mapping[str, Any]) -> list[str]:
    """Sentences: what was found, how it was answered, what was declined, what failed, how long it took."""
    metrics = numbers["metrics"]
    found = [
        _found(metrics),
        _leading(metrics, numbers["measure"]),
        _answered(metrics),
        _declined(numbers["questions"]),
    ]
    return [one for one in (*found, _failed(numbers["failures"]), _time(numbers["times"])) if one]


def _found(metrics: Mapping[str, Any]) -> str:
    name = next((name for name in LEADING if name in metrics), "")
    if not name:
        return ""
    value = metrics[name]
    count = round(value["value"] * value["questions"])
    return f"For {count} of {value['questions']} questions with a labelled place ({percent(value['value'])}), {LEADING[name]}."


def _leading(metrics: Mapping[str, Any], measure: str) -> str:
    if measure not in metrics or measure in LEADING:
        return ""
    return f"{label(measure)} was {with_interval(metrics[measure])}."


def _answered(metrics: Mapping[str, Any]) -> str:
    if "answer_recall" not in metrics:
        return ""
    cited = metrics.get("citation_page_precision")
    right = f", and {percent(cited['value'])} of the citations named a relevant page" if cited else ""
    return f"Answers had {percent(metrics['answer_recall']['value'])} of the words expected{right}."


def _declined(questions: Mapping[str, Any]) -> str:
    if questions["answered"] == 0 or not questions["unanswerable"]:
        return ""
    return (
        f"{questions['declined_unanswerable']} of {questions['unanswerable']} unanswerable questions were declined, and "
        f"{questions['declined_answerable'] or 'none'} of {questions['answerable']} answerable ones."
    )


def _failed(failures: Mapping[str, Any]) -> str:
    if not failures["failed"]:
        return "No question failed."
    classes = sorted(failures["classes"].items(), key=lambda item: -item[1]["count"])
    told = ", ".join(f"{name} ({one['count']})" for name, one in classes[:3])
    most = ", most often" if len(classes) > 3 else ""
    return f"{failures['failed']} of {failures['questions']} questions failed{most}: {told}."


def _time(times: Mapping[str, Any]) -> str:
    told = [
        f"{'a search' if name == 'search' else 'an answer'} took {seconds(spent['latency_ms']['p50'])} (median; 95th percentile "
        f"{seconds(spent['latency_ms']['p95'])})"
        for name, spent in times.items()
    ]
    return _sentence(", ".join(told)) if told else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def percent(value: float) -> str:
    shown = f"{100 * value:.1f}".removesuffix(".0")
    return f"{shown} %"


def with_interval(value: Mapping[str, Any]) -> str:
    if not value["interval"]:
        return f"{value['value']:.3f}"
    low, high = value["interval"]
    return f"{value['value']:.3f} (95 % interval {low:.3f}–{high:.3f})"


def seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3g} s" if milliseconds >= 1000 else f"{milliseconds:.3g} ms"


def tiles(numbers: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Value, name and remark of the figures to be seen first, at most five."""
    metrics = numbers["metrics"]
    found: list[tuple[str, str, str]] = []
    for name in (numbers["measure"], "page_hit@5", "source_hit@5", "recall@10", "answer_recall", "abstention_recall"):
        if name in metrics and name not in {one[0] for one in found}:
            found.append((name, f"{metrics[name]['value']:.3f}", _range(metrics[name])))
    chosen = [(value, label(name), remark) for name, value, remark in found[:3]]
    failures = numbers["failures"]
    chosen.append((str(failures["failed"]), "failed", f"of {failures['questions']} questions"))
    if "search" in numbers["times"]:
        p = numbers["times"]["search"]["latency_ms"]
        chosen.append((seconds(p["p50"]), "median search", f"95th percentile {seconds(p['p95'])}"))
    return chosen


def _range(value: Mapping[str, Any]) -> str:
    return f"{value['interval'][0]:.3f}–{value['interval'][1]:.3f}" if value["interval"] else ""
