"""A run folder as the report reads it: also one of an earlier version, or one that is not finished.

Only `id` and `question` are certain in a record. Whatever else is absent is absent from the report, and `Run.missing` says so
in a sentence each, so that nobody takes an empty place for a good result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.records import RunFolder
from rag.errors import BadRequest
from rag.language import language_of

Place = tuple[str, int | None]
"""A document by its id in the labels, and a page of it."""


@dataclass(frozen=True)
class Asked:
    """One question of a run. `metrics` has the measures that its labels allow."""

    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def text(self) -> str:
        return str(self.record.get("question", ""))

    @property
    def kind(self) -> str:
        return str(self.record.get("kind") or "")

    @property
    def language(self) -> str:
        return str(self.record.get("language") or language_of(self.text))

    @property
    def answerable(self) -> bool:
        return bool(self.record.get("answerable", True))

    @property
    def metrics(self) -> Mapping[str, float]:
        given = _mapping(self.record.get("metrics"))
        return {str(name): float(value) for name, value in given.items() if isinstance(value, int | float)}

    @property
    def milliseconds(self) -> float | None:
        return number(self.record.get("ms"))

    @property
    def timings(self) -> Mapping[str, float]:
        return _numbers(self.record.get("timings"))

    @property
    def documents(self) -> list[str]:
        """Ranked documents, best first."""
        return [
            str(one[0]) if isinstance(one, list | tuple) else str(one) for one in self.record.get("documents") or ()
        ]

    @property
    def hits(self) -> list[Mapping[str, Any]]:
        return [_mapping(hit) for hit in self.record.get("hits") or ()]

    @property
    def evidence(self) -> float | None:
        """Of the answer where there is one: a follow-up is searched for as it was rewritten for that."""
        answered = number((self.answer or {}).get("evidence"))
        return number(self.record.get("evidence")) if answered is None else answered

    @property
    def alone(self) -> bool:
        """Whether it was asked by itself, so that its time is a latency."""
        return (number(self.record.get("at_once")) or 1) == 1

    @property
    def answer(self) -> Mapping[str, Any] | None:
        given = self.record.get("answer")
        return given if isinstance(given, Mapping) else None

    @property
    def abstained(self) -> bool | None:
        """None where answers were not measured."""
        return None if self.answer is None else bool(self.answer.get("abstained"))

    @property
    def lost(self) -> Mapping[str, Any] | None:
        """`{"stage", "why", "evidence"}` of a question that failed, where the run was traced."""
        given = self.record.get("lost")
        return given if isinstance(given, Mapping) and given.get("stage") else None

    @property
    def expected_answers(self) -> list[str]:
        return [str(one) for one in listed(self.record.get("answers_expected"))]

    @property
    def judged(self) -> Mapping[str, float]:
        """Grades of documents; empty where the run did not write its labels down."""
        given = self.record.get("documents_judged")
        return _numbers(given) if isinstance(given, Mapping) else {str(name): 1.0 for name in listed(given)}

    @property
    def relevant(self) -> set[str]:
        return {name for name, grade in self.judged.items() if grade > 0}

    @property
    def expected_pages(self) -> list[Place]:
        return sorted(
            (str(one[0]), int(one[1]))
            for one in listed(self.record.get("pages_judged"))
            if isinstance(one, list | tuple) and len(one) == 2
        )


@dataclass(frozen=True)
class Run:
    """A run folder with what was measured in it."""

    path: Path
    head: Mapping[str, Any]
    questions: Sequence[Asked]
    missing: list[str] = field(default_factory=list)

    @property
    def dataset(self) -> str:
        return str(self.head.get("dataset") or self.path.name)

    @property
    def config(self) -> Mapping[str, Any]:
        return _mapping(self.head.get("config"))

    @property
    def system(self) -> Mapping[str, Any]:
        """What was measured, in its own words."""
        return _mapping(self.config.get("system"))

    @property
    def settings(self) -> Mapping[str, Any]:
        return _mapping(self.system.get("settings"))

    @property
    def answered(self) -> list[Asked]:
        return [question for question in self.questions if question.answer is not None]

    @cached_property
    def traced(self) -> bool:
        """Whether failures were classed by the stage that lost them."""
        return any("lost" in question.record or "facts" in question.record for question in self.questions)


def read_run(path: Path) -> Run:
    """Raises BadRequest for a folder that holds no run, or one without a single finished question."""
    folder = RunFolder(path)
    folder.read()
    questions = [Asked(record) for record in folder.done.values()]
    if not questions:
        raise BadRequest(f"{path} has no finished question.", "Give the command of the run again: it goes on.")
    run = Run(path, folder.head, questions)
    run.missing.extend(_missing(run, folder.finished))
    return run


def _missing(run: Run, finished: bool) -> list[str]:
    asked, planned = len(run.questions), run.config.get("questions")
    found: list[str] = []
    if not finished:
        of = f" of {planned}" if planned else ""
        found.append(
            f"The run is not finished: {asked}{of} questions are done. Give its command again, and it goes on."
        )
    if not run.answered:
        found.append("Answers were not measured. Run with --answers to measure them.")
    if not any(question.evidence is not None for question in run.questions):
        found.append("The run has no evidence scores, so that nothing can be said about risk and coverage.")
    if not run.traced:
        found.append("The run was not traced: failures are classed by their outcome, not by the stage that lost them.")
    if not any(question.judged or question.expected_answers for question in run.questions):
        found.append("The run folder does not hold its labels, so that failures are shown without what was expected.")
    return found


def number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: Any) -> dict[str, float]:
    return {str(name): found for name, one in _mapping(value).items() if (found := number(one)) is not None}
