"""Two runs side by side: what changed on average, whether that is more than chance, and which questions changed sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.failures.facts import Facts
from eval.records import RunFolder
from eval.significance import bootstrap_interval, cohen_dz, holm, mcnemar, randomisation_test
from rag.errors import BadRequest
from rag.language import language_of

SHOWN = 10
"""Questions named on each side of a comparison."""
MAIN = "ndcg@10"
RIGHT = "right"
"""What stands in place of a failure class for a question that is not wrong."""
FEW = 20
"""Questions below which neither an interval nor a p says much."""

Records = Mapping[str, Mapping[str, Any]]


def compare(
    first: Path, second: Path, *, measures: Sequence[str] = (), by: str = MAIN, seed: int = 0
) -> dict[str, Any]:
    """Differences are second minus first, over the questions that both runs have.

    `{"a", "b", "questions", "same_labels", "warnings", "metrics": {measure: row}, "right": …, "changed": {"by", "better": [ids], "worse":
    [ids]}, "kinds": {kind: row}, "languages": {language: row}}`. A row is `{"questions", "a", "b", "difference", "interval": [low, high],
    "p", "p_holm", "effect", "better", "worse", "same"}`; `effect` is Cohen's d_z. `right`, where both runs were traced, is
    `{"a", "b", "better", "worse", "p", "p_mid", "odds_ratio", "interval", "moves": [{"from", "to", "questions": [ids]}]}` with failure
    classes. `measures` chooses (all that both have, by default); Holm's correction is over the rows of one table. `kinds` and `languages`
    are by the measure `by`. Raises BadRequest.
    """
    runs = [RunFolder(first), RunFolder(second)]
    for run in runs:
        run.read()
    shared = [question for question in runs[0].done if question in runs[1].done]
    if not shared:
        raise BadRequest(f"{first} and {second} have no question in common.", "Compare runs of the same labelled set.")
    a, b = ({id_: run.done[id_] for id_ in shared} for run in runs)
    rows = _rows(a, b, measures, seed)
    by = by if by in rows else next(iter(rows), "")
    result = {
        "a": _side(runs[0]),
        "b": _side(runs[1]),
        "questions": len(shared),
        "same_labels": _labels(runs[0]) == _labels(runs[1]),
        "warnings": _warnings(runs, len(shared), a, b),
        "metrics": rows,
        "changed": _changed(a, b, by),
    }
    if sides := _sides(a, b):
        result["right"] = sides
    for table, group in (("kinds", _kind), ("languages", _language)):
        if found := _groups(a, b, by, group, seed):
            result[table] = found
    return result


def _rows(a: Records, b: Records, measures: Sequence[str], seed: int) -> dict[str, dict[str, Any]]:
    wanted = list(measures) or list(dict.fromkeys(name for record in a.values() for name in record["metrics"]))
    rows: dict[str, dict[str, Any]] = {}
    for name in wanted:
        if pairs := _pairs(a, b, name):
            rows[name] = _row(pairs, seed)
        elif measures:
            both = {n for r in a.values() for n in r["metrics"]} & {n for r in b.values() for n in r["metrics"]}
            raise BadRequest(f"The runs do not both have {name!r}.", f"They have {', '.join(sorted(both))}.")
    return _corrected(rows)


def _pairs(a: Records, b: Records, name: str) -> list[tuple[float, float]]:
    return [
        (a[id_]["metrics"][name], b[id_]["metrics"][name])
        for id_ in a
        if name in a[id_]["metrics"] and name in b[id_]["metrics"]
    ]


def _row(pairs: Sequence[tuple[float, float]], seed: int) -> dict[str, Any]:
    differences = [after - before for before, after in pairs]
    count = len(pairs)
    effect = cohen_dz(differences)
    return {
        "questions": count,
        "a": round(sum(before for before, _ in pairs) / count, 6),
        "b": round(sum(after for _, after in pairs) / count, 6),
        "difference": round(sum(differences) / count, 6),
        "interval": [round(bound, 6) for bound in bootstrap_interval(differences, seed=seed)],
        "p": round(randomisation_test(differences, seed=seed), 6),
        "effect": None if effect is None else round(effect, 4),
        "better": sum(difference > 0 for difference in differences),
        "worse": sum(difference < 0 for difference in differences),
        "same": sum(difference == 0 for difference in differences),
    }


def _corrected(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for name, value in holm({name: row["p"] for name, row in rows.items()}).items():
        rows[name]["p_holm"] = round(value, 6)
    return rows


def _changed(a: Records, b: Records, by: str) -> dict[str, Any]:
    """The questions with the largest differences, largest first."""
    differences = {
        id_: b[id_]["metrics"][by] - a[id_]["metrics"][by]
        for id_ in a
        if by in a[id_]["metrics"] and by in b[id_]["metrics"]
    }
    ordered = sorted(differences, key=lambda id_: differences[id_])
    return {
        "by": by,
        "better": [id_ for id_ in reversed(ordered) if differences[id_] > 0][:SHOWN],
        "worse": [id_ for id_ in ordered if differences[id_] < 0][:SHOWN],
    }


def _sides(a: Records, b: Records) -> dict[str, Any]:
    """Which questions went from right to wrong, from wrong to right, and from one way of being lost to another."""
    traced = [id_ for id_ in a if _counts(a[id_]) and _counts(b[id_])]
    if not traced:
        return {}
    before, after = ({id_: records[id_].get("lost", {}).get("class", RIGHT) for id_ in traced} for records in (a, b))
    test = mcnemar([before[id_] == RIGHT for id_ in traced], [after[id_] == RIGHT for id_ in traced])
    moves: dict[tuple[str, str], list[str]] = {}
    for id_ in traced:
        if before[id_] != after[id_]:
            moves.setdefault((before[id_], after[id_]), []).append(id_)
    low, high = test.interval
    return {
        "questions": len(traced),
        "a": sum(kind == RIGHT for kind in before.values()),
        "b": sum(kind == RIGHT for kind in after.values()),
        "better": test.better,
        "worse": test.worse,
        "p": round(test.p_exact, 6),
        "p_mid": round(test.p_mid, 6),
        "odds_ratio": None if test.odds_ratio is None else round(test.odds_ratio, 4),
        "interval": [round(low, 4), None if high is None else round(high, 4)],
        "moves": [
            {"from": one, "to": other, "questions": ids}
            for (one, other), ids in sorted(moves.items(), key=lambda move: (-len(move[1]), move[0]))
        ],
    }


def _counts(record: Mapping[str, Any]) -> bool:
    return "facts" in record and Facts.from_json(record["facts"], record["stages"]).counts


def _groups(
    a: Records, b: Records, by: str, group: Callable[[Mapping[str, Any]], str], seed: int
) -> dict[str, dict[str, Any]]:
    """A row per group, where there are several."""
    members: dict[str, list[str]] = {}
    for id_, record in a.items():
        members.setdefault(group(record), []).append(id_)
    if len(members) < 2:
        return {}
    rows = {
        name: _row(pairs, seed)
        for name, ids in sorted(members.items())
        if (pairs := _pairs({id_: a[id_] for id_ in ids}, b, by))
    }
    return _corrected(rows)


def _kind(record: Mapping[str, Any]) -> str:
    return str(record.get("kind", ""))


def _language(record: Mapping[str, Any]) -> str:
    return str(record.get("language") or language_of(record["question"]))


def _warnings(runs: Sequence[RunFolder], shared: int, a: Records, b: Records) -> list[str]:
    """What makes the comparison less than it seems, one sentence each."""
    found = []
    for run in runs:
        if not run.finished:
            asked, all_ = len(run.done), run.head["config"].get("questions", "?")
            found.append(f"{run.path} is not finished: {asked} of {all_} questions.")
    if _labels(runs[0]) != _labels(runs[1]):
        found.append("Questions, judgements or documents of the two runs differ.")
    reworded = [id_ for id_ in a if a[id_]["question"] != b[id_]["question"]]
    if reworded:
        found.append(f"{len(reworded)} questions have the same id and another wording, {reworded[0]!r} for one.")
    more = [len(run.done) - shared for run in runs]
    if any(more):
        found.append(
            f"Only the {shared} questions of both are compared: {more[0]} of a and {more[1]} of b are left out."
        )
    documents = [run.head.get("index", {}).get("documents") for run in runs]
    if documents[0] != documents[1]:
        found.append(f"The indexes have {documents[0]} and {documents[1]} documents.")
    for name in ("depth", "answers"):
        values = [run.head["config"].get(name) for run in runs]
        if values[0] != values[1]:
            found.append(f"The runs differ in {name}: {values[0]} and {values[1]}.")
    if shared < FEW:
        found.append(f"With {shared} questions neither an interval nor a p says much.")
    return found


def _labels(run: RunFolder) -> Any:
    return run.head["config"]["labels"]


def _side(run: RunFolder) -> dict[str, Any]:
    lost = Counter(record["lost"]["class"] for record in run.done.values() if "lost" in record)
    return {
        "run": str(run.path),
        "dataset": run.head["dataset"],
        "config": run.head["config"]["system"],
        "finished": run.finished,
        "lost": dict(lost.most_common()),
    }
