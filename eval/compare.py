"""Two runs side by side: what changed on average, whether that is more than chance, and which questions changed sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.records import RunFolder
from eval.significance import bootstrap_interval, holm, randomisation_test
from rag.errors import BadRequest

SHOWN = 10
"""Questions named on each side of a comparison."""


def compare(
    first: Path, second: Path, *, measures: Sequence[str] = (), by: str = "ndcg@10", seed: int = 0
) -> dict[str, Any]:
    """Differences are second minus first, over the questions that both runs have.

    `{"a", "b", "questions", "metrics": {measure: {"a", "b", "difference", "interval": [low, high], "p", "p_holm", "better",
    "worse", "same"}}, "changed": {"by", "better": [ids], "worse": [ids]}}`. `measures` chooses (all that both have, by
    default); Holm's correction is over the measures that are shown. Raises BadRequest.
    """
    runs = [RunFolder(first), RunFolder(second)]
    for run in runs:
        run.read()
    labels = [run.head["config"]["labels"] for run in runs]
    shared = [question for question in runs[0].done if question in runs[1].done]
    if not shared:
        raise BadRequest(f"{first} and {second} have no question in common.", "Compare runs of the same labelled set.")
    a, b = ({id_: run.done[id_]["metrics"] for id_ in shared} for run in runs)
    wanted = list(measures) or list(dict.fromkeys(name for metrics in a.values() for name in metrics))
    rows: dict[str, dict[str, Any]] = {}
    for name in wanted:
        pairs = [(a[id_][name], b[id_][name]) for id_ in shared if name in a[id_] and name in b[id_]]
        if pairs:
            rows[name] = _row(pairs, seed)
        elif measures:
            raise BadRequest(f"The runs do not both have {name!r}.", f"They have {', '.join(sorted(_names(a)))}.")
    for name, value in holm({name: row["p"] for name, row in rows.items()}).items():
        rows[name]["p_holm"] = round(value, 6)
    by = by if by in rows else next(iter(rows), "")
    return {
        "a": _side(runs[0]),
        "b": _side(runs[1]),
        "questions": len(shared),
        "same_labels": labels[0] == labels[1],
        "metrics": rows,
        "changed": _changed(a, b, by),
    }


def _row(pairs: Sequence[tuple[float, float]], seed: int) -> dict[str, Any]:
    differences = [after - before for before, after in pairs]
    count = len(pairs)
    return {
        "questions": count,
        "a": round(sum(before for before, _ in pairs) / count, 6),
        "b": round(sum(after for _, after in pairs) / count, 6),
        "difference": round(sum(differences) / count, 6),
        "interval": [round(bound, 6) for bound in bootstrap_interval(differences, seed=seed)],
        "p": round(randomisation_test(differences, seed=seed), 6),
        "better": sum(difference > 0 for difference in differences),
        "worse": sum(difference < 0 for difference in differences),
        "same": sum(difference == 0 for difference in differences),
    }


def _changed(a: dict[str, dict[str, float]], b: dict[str, dict[str, float]], by: str) -> dict[str, Any]:
    """The questions with the largest differences, largest first."""
    differences = {id_: b[id_][by] - a[id_][by] for id_ in a if by in a[id_] and by in b[id_]}
    ordered = sorted(differences, key=lambda id_: differences[id_])
    return {
        "by": by,
        "better": [id_ for id_ in reversed(ordered) if differences[id_] > 0][:SHOWN],
        "worse": [id_ for id_ in ordered if differences[id_] < 0][:SHOWN],
    }


def _side(run: RunFolder) -> dict[str, Any]:
    return {"run": str(run.path), "dataset": run.head["dataset"], "config": run.head["config"]["system"]}


def _names(metrics: dict[str, dict[str, float]]) -> set[str]:
    return {name for values in metrics.values() for name in values}
