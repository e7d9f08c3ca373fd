"""Two runs over the same questions, as a report shows them: differences with their intervals, a verdict, questions that changed sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.compare import compare
from eval.report.configured import differing
from eval.report.figures import FEW
from eval.report.names import in_order, label, primary, signed
from eval.report.reading import Asked, Run

SIGNIFICANT = 0.05


def comparison(run: Run, base: Run, measure: str = "") -> dict[str, Any]:
    """`eval.compare.compare` with `base` as the run before, and `"verdict"`, `"settings"`, `"by"`, and the questions that changed in full."""
    both = {name for side in (run, base) for one in side.questions for name in one.metrics}
    found = compare(base.path, run.path, by=measure or primary(in_order(both)))
    rows = {name: found["metrics"][name] for name in in_order(found["metrics"])}
    by = str(found["changed"]["by"])
    before, after = ({one.id: one for one in side.questions} for side in (base, run))
    changed = _changed(before, after, by)
    return found | {
        "metrics": rows,
        "by": by,
        "verdict": verdict(rows, by),
        "sides": sides(found.get("right")),
        "warnings": list(found.get("warnings", ())),
        "settings": differing(base.settings, run.settings),
        "changed": changed,
    }


def verdict(rows: Mapping[str, Mapping[str, Any]], by: str) -> str:
    """Whether the leading measure changed more than chance explains, and which others did. The leading one is named before anybody looks,
    so its p stands as it is; the others are many, and count after Holm's correction only."""
    if by not in rows:
        return "The runs have no measure in common."
    row = rows[by]
    p = row["p"]
    direction = "better" if row["difference"] > 0 else "worse"
    change = f"{label(by)} {signed(row['difference'])} ({_interval(row)}, p = {p:.3f})"
    if p < SIGNIFICANT:
        told = f"{direction.capitalize()}: {change}."
    elif row["difference"] == 0:
        told = f"No difference: {label(by)} is the same in both runs."
    else:
        told = f"No clear difference: {change}."
    others = [
        f"{label(name)} {signed(one['difference'])}"
        for name, one in rows.items()
        if name != by and one.get("p_holm", one["p"]) < SIGNIFICANT
    ]
    if others:
        told += f" After Holm’s correction also beyond chance: {', '.join(others)}."
    if row.get("questions", FEW) < FEW:
        told += f" Only {row['questions']} questions: neither interval nor p says much."
    return told


def sides(right: Mapping[str, Any] | None) -> str:
    """How many questions were answered rightly, and whether that changed more than chance explains. Empty for runs that were not traced."""
    if not right:
        return ""
    return (
        f"{right['a']} of {right['questions']} questions were right before and {right['b']} after: {right['better']} became right and "
        f"{right['worse']} wrong (McNemar’s exact test, p = {right['p']:.3f})."
    )


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    return f"95 % interval {signed(low)} to {signed(high)}"


def _changed(before: Mapping[str, Asked], after: Mapping[str, Asked], by: str) -> dict[str, Any]:
    """All questions whose leading measure differs, largest difference first, on each side."""
    found: list[dict[str, Any]] = []
    for id_, one in before.items():
        other = after.get(id_)
        if other is not None and by in one.metrics and by in other.metrics:
            a, b = one.metrics[by], other.metrics[by]
            if a != b:
                found.append({"id": id_, "question": other.text, "a": a, "b": b, "first": [_first(one), _first(other)]})
    found.sort(key=lambda row: -abs(row["b"] - row["a"]))
    return {
        "by": by,
        "better": [row for row in found if row["b"] > row["a"]],
        "worse": [row for row in found if row["b"] < row["a"]],
    }


def _first(question: Asked) -> str:
    return question.documents[0] if question.documents else ""
