"""What calibration reads of a run: per question, the evidence that abstention is decided by, and whether answering was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from rag.errors import BadRequest
from rag.language import language_of

Record = Mapping[str, Any]

RIGHT = "right"
"""Not a measure, but the verdict of `eval.failures.rule`, which the run keeps with each answer."""
RIGHT_FROM = 0.5
"""Value of any other measure from which an answer counts as right."""
MEASURES = (RIGHT, "answer_recall", "page_hit@5", "source_hit@5")
"""What says that an answer is right, unless told otherwise: the first that the run has. The last two say no more than that a
reader could have answered from the passages found."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question. `evidence` is minus infinity where nothing was found: such a question is never answered."""

    id: str
    question: str
    language: str
    group: str
    answerable: bool
    evidence: float
    wrong: bool
    """Whether answering it is wrong. Any answer to an unanswerable question is."""
    assumed: bool = False
    """The run abstained, so that nobody knows how the answer would have been: it is taken for wrong."""
    searched: float = -inf
    """The evidence of the search alone."""
    self_check: float | None = None
    """What the generator said of its passages, where it was asked; `evidence` has it in."""


def outcomes(records: Sequence[Record], measure: str = "", right_from: float = RIGHT_FROM) -> tuple[list[Outcome], str]:
    """The questions that can be judged, and the measure they are judged by. A record without the measure is left out.

    Raises BadRequest for records without evidence or without the measure.
    """
    if not any("evidence" in _answer(record) or "evidence" in record for record in records):
        raise BadRequest(
            "The run says nothing of the evidence of its questions.", "Run `tuwen eval run` again with this version."
        )
    chosen = measure or _first_measure(records)
    if not any(chosen in _values(record) for record in records):
        have = sorted({name for record in records for name in _values(record)})
        raise BadRequest(
            f"The run does not have the measure {chosen or MEASURES[0]!r}.",
            f"It has {', '.join(have) or 'none'}: choose one with --measure, or run with --answers.",
        )
    return [found for record in records if (found := _outcome(record, chosen, right_from))], chosen


def _first_measure(records: Sequence[Record]) -> str:
    answerable = [_values(record) for record in records if record["answerable"]]
    return next((name for name in MEASURES if any(name in metrics for metrics in answerable)), "")


def _outcome(record: Record, measure: str, right_from: float) -> Outcome | None:
    answer = _answer(record)
    evidence = answer.get("evidence", record.get("evidence"))
    values = _values(record)
    # Measures of the answer's text say nothing of an answer that was not given; those of retrieval do.
    withheld = bool(answer.get("abstained")) and "@" not in measure
    if record["answerable"] and not withheld and measure not in values:
        return None
    right = record["answerable"] and not withheld and values[measure] >= right_from
    return Outcome(
        id=str(record["id"]),
        question=record["question"],
        language=record.get("language") or language_of(record["question"]),
        group=group_of(record),
        answerable=record["answerable"],
        evidence=-inf if evidence is None else float(evidence),
        wrong=not right,
        assumed=record["answerable"] and withheld,
        searched=_searched(record),
        self_check=answer.get("self_check"),
    )


def _searched(record: Record) -> float:
    answer = _answer(record)
    found = record.get("evidence")
    if found is None and "self_check" not in answer:
        found = answer.get("evidence")
    return -inf if found is None else float(found)


def group_of(record: Record) -> str:
    """The document that a question is about: one that is judged, or else the first that was found, which is the nearest thing to it for
    an unanswerable question."""
    judged = record.get("documents_judged") or {}
    found = record.get("documents") or ()
    if judged:
        return str(min(judged, key=lambda document: (-judged[document], document)))
    return str(found[0][0]) if found else f"question {record['id']}"


def _values(record: Record) -> dict[str, float]:
    right = record.get("facts", {}).get("right")
    return dict(record["metrics"]) | ({} if right is None else {RIGHT: float(right)})


def _answer(record: Record) -> Mapping[str, Any]:
    answer = record.get("answer")
    return answer if isinstance(answer, Mapping) else {}
