"""The failures of a run, counted and listed, under the rule it was run with or under another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.failures.classes import ORDER, FailureClass
from eval.failures.classify import first_loss
from eval.failures.facts import Facts
from eval.failures.rule import Rule
from eval.failures.trace import as_json
from eval.records import RunFolder
from rag.errors import BadRequest

Record = Mapping[str, Any]
Lost = tuple[Record, Mapping[str, Any]]

GROUPS: Mapping[str, Callable[[Record], Sequence[str]]] = {
    "kind": lambda record: [record["about"]["kind"] or "not told"],
    "language": lambda record: [record["about"]["language"]],
    "document": lambda record: record["about"]["documents"] or ["none"],
    "page": lambda record: [record["about"]["page"]],
}
"""What failures are counted by. A question about several documents counts for each."""


def failures(
    run: Path,
    *,
    classes: Sequence[str] = (),
    read: int | None = None,
    measure: str = "",
    at_least: float | None = None,
) -> dict[str, Any]:
    """`{"run", "dataset", "rule", "questions", "wrong", "classes": {class: {"count", "share", "stage", "meaning", "remedy"}}, "by": {group: {name:
    {"questions", "wrong", "classes": {class: count}}}}, "doubts": [{"id", "question", "wrong", "why", "passage"}], "list": [failure]}`.

    Only questions that the run says something of are counted: one without an answer in the documents needs a run with answers.
    Classes and the list are in the order of the flow. A failure is `{"id", "question", "kind", "language", "documents", "page", "class", "stage",
    "step", "why", "missed_by", "evidence", "doubt"}`. `classes` chooses some for the list. `read` and `measure` with `at_least` judge the
    questions anew under another rule, from what the run kept; what its stages saw is there only for questions that
    were wrong under its own. Raises BadRequest for a folder without a traced run, an unknown class or measure.
    """
    folder = RunFolder(run)
    folder.read()
    traced = [record for record in folder.done.values() if "facts" in record]
    records = [record for record in traced if Facts.from_json(record["facts"], record["stages"]).counts]
    if not traced:
        raise BadRequest(
            f"{run} has no traced questions.", "Run it again with `tuwen eval run`: older runs kept no stages."
        )
    wanted = _wanted(classes)
    rule = _rule(folder, read, measure, at_least)
    changed = rule != _rule(folder, None, "", None)
    lost = [(record, found) for record in records if (found := _lost(record, rule, changed))]
    lost.sort(key=lambda pair: ORDER.index(FailureClass(pair[1]["class"])))
    wrong = {record["id"] for record, _ in lost}
    return {
        "run": str(run),
        "dataset": folder.head["dataset"],
        "finished": folder.finished,
        "rule": {"read": rule.read, "reach": rule.reach, "measure": rule.measure, "at_least": rule.at_least},
        "questions": len(records),
        "wrong": len(lost),
        "classes": _classes(lost, len(records)),
        "by": {name: _by(records, lost, group) for name, group in GROUPS.items()},
        "doubts": [
            {"id": record["id"], "question": record["question"], "wrong": record["id"] in wrong, **record["doubt"]}
            for record in records
            if "doubt" in record
        ],
        "list": [_failure(record, found) for record, found in lost if not wanted or found["class"] in wanted],
    }


def _wanted(classes: Sequence[str]) -> frozenset[str]:
    known = {kind.value for kind in ORDER}
    for name in classes:
        if name not in known:
            raise BadRequest(f"There is no class {name!r}.", f"Name one of: {', '.join(kind.value for kind in ORDER)}.")
    return frozenset(classes)


def _rule(folder: RunFolder, read: int | None, measure: str, at_least: float | None) -> Rule:
    rule = Rule.of(folder.head["config"]["system"])
    rule = rule if read is None else replace(rule, read=read)
    rule = replace(rule, measure=measure) if measure else rule
    return rule if at_least is None else replace(rule, at_least=at_least)


def _lost(record: Record, rule: Rule, changed: bool) -> Mapping[str, Any] | None:
    if not changed:
        kept: Mapping[str, Any] | None = record.get("lost")
        return kept
    facts = Facts.from_json(record["facts"], record["stages"])
    if facts.answered and facts.state != "unanswerable" and not facts.abstained and facts.right is not None:
        if rule.measure not in record["metrics"]:
            raise BadRequest(
                f"Question {record['id']!r} has no {rule.measure!r}.", f"It has {', '.join(record['metrics'])}."
            )
        facts = replace(facts, right=record["metrics"][rule.measure] >= rule.at_least)
    loss = first_loss(facts, rule)
    return None if loss is None else as_json(loss) | {"evidence": record.get("lost", {}).get("evidence")}


def _classes(lost: Sequence[Lost], questions: int) -> dict[str, dict[str, Any]]:
    counts = Counter(found["class"] for _, found in lost)
    return {
        kind.value: {
            "count": counts[kind.value],
            "share": round(counts[kind.value] / questions, 4) if questions else 0.0,
            "stage": kind.stage,
            "meaning": kind.meaning,
            "remedy": kind.remedy,
        }
        for kind in ORDER
        if counts[kind.value]
    }


def _by(records: Iterable[Record], lost: Sequence[Lost], group: Callable[[Record], Sequence[str]]) -> dict[str, Any]:
    asked = Counter(name for record in records for name in group(record))
    wrong: dict[str, Counter[str]] = {}
    for record, found in lost:
        for name in group(record):
            wrong.setdefault(name, Counter())[found["class"]] += 1
    return {
        name: {"questions": count, "wrong": sum(wrong.get(name, {}).values()), "classes": dict(wrong.get(name, {}))}
        for name, count in sorted(asked.items(), key=lambda item: (-sum(wrong.get(item[0], {}).values()), item[0]))
    }


def _failure(record: Record, found: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"id": record["id"], "question": record["question"], **record["about"], **found}
    return shown | ({"doubt": record["doubt"]} if "doubt" in record else {})
