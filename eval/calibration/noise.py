"""Below which score a hit is likely noise: fitted so that few of the relevant ones are lost, and judged on other questions.

The threshold is the largest one of which it is sure, with probability 1 − δ, that at most a share `loss` of the relevant hits score below it
(Clopper and Pearson's bound on the train side, as for the risk of answering). Documents that nobody judged count as noise,
so that what is left out is told too high rather than too low where labels are few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.calibration.bounds import clopper_pearson, clopper_pearson_upper
from eval.calibration.outcomes import Record, group_of
from eval.sides import two_sides
from rag.errors import BadRequest

DEPTH = 10
"""Hits of a question that count: more are not read."""
FEW = 100
"""Relevant hits of the train side below which the bound is wide."""


def noise_threshold(
    records: Sequence[Record], *, loss: float = 0.02, delta: float = 0.05, depth: int = DEPTH, seed: int = 0
) -> dict[str, Any]:
    """`{"threshold", "bound", "train", "test", "split", "notes", …}`; `threshold` is None where no score keeps the loss.

    A side is `{"questions", "relevant", "relevant_kept", "kept_interval", "noise", "noise_left_out", "emptied"}`: hits among the first
    `depth`, and the questions that keep none. Raises BadRequest for a share outside (0, 1), for runs without labels, and for too few questions.
    """
    if not 0 < loss < 1:
        raise BadRequest(
            f"The loss is {loss:g}.", "Give the share of relevant hits that may be left out, such as 0.02."
        )
    judged = {str(one["id"]): one for one in records if any(grade > 0 for grade in _grades(one).values())}
    *sides, by = two_sides({id_: group_of(record) for id_, record in judged.items()}, seed=seed)
    if not all(sides):
        raise BadRequest(
            f"{len(judged)} labelled questions cannot be split into two sides.",
            "Calibrate with some hundreds of questions.",
        )
    train, test = ([_hits(judged[id_], depth) for id_ in side] for side in sides)
    threshold, bound = _largest([score for hits in train for score, good in hits if good], loss, delta)
    notes = []
    relevant = sum(good for hits in train for _, good in hits)
    if relevant < FEW:
        notes.append(f"The train side has {relevant} relevant hits: the threshold is cautious.")
    if threshold is None:
        notes.append("No score separates: with so few relevant hits, or such scores, any threshold may lose more.")
    return {
        "loss": loss,
        "delta": delta,
        "depth": depth,
        "threshold": threshold,
        "bound": None if threshold is None else round(bound, 4),
        "train": _side(train, threshold),
        "test": _side(test, threshold),
        "split": {"by": by, "seed": seed},
        "notes": notes,
    }


def _largest(scores: Sequence[float], loss: float, delta: float) -> tuple[float | None, float]:
    """The largest of the scores that may be the threshold, and the bound of what it loses; None where the least loses too much."""
    ordered, best = sorted(scores), None
    bound = 1.0
    for below, score in enumerate(ordered):
        if below and ordered[below - 1] == score:
            continue  # those of the same score are kept together
        upper = clopper_pearson_upper(below, len(ordered), delta)
        if upper > loss:
            break
        best, bound = score, upper
    return best, bound


def _side(questions: Sequence[Sequence[tuple[float, bool]]], threshold: float | None) -> dict[str, Any]:
    least = float("-inf") if threshold is None else threshold
    relevant = [score for hits in questions for score, good in hits if good]
    noise = [score for hits in questions for score, good in hits if not good]
    kept = sum(score >= least for score in relevant)
    low, high = clopper_pearson(len(relevant) - kept, len(relevant))
    return {
        "questions": len(questions),
        "relevant": len(relevant),
        "relevant_kept": round(kept / len(relevant), 4) if relevant else None,
        "kept_interval": [round(1 - high, 4), round(1 - low, 4)],
        "noise": len(noise),
        "noise_left_out": round(sum(score < least for score in noise) / len(noise), 4) if noise else None,
        "emptied": sum(bool(hits) and all(score < least for score, _ in hits) for hits in questions),
    }


def _hits(record: Record, depth: int) -> list[tuple[float, bool]]:
    grades = _grades(record)
    return [(float(score), grades.get(document, 0) > 0) for document, score in record["documents"][:depth]]


def _grades(record: Record) -> Mapping[str, float]:
    grades: Mapping[str, float] = record.get("documents_judged") or {}
    return grades
