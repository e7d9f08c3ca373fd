"""Calibration of a run: a threshold for abstaining and a probability for the evidence, fitted on one side and shown on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from eval.calibration import self_check
from eval.calibration.bounds import clopper_pearson
from eval.calibration.outcomes import RIGHT_FROM, Outcome, Record, outcomes
from eval.calibration.probability import Calibrator, fit_isotonic, fit_platt
from eval.calibration.selection import Choice, least_answers, surest, threshold_for_coverage, threshold_for_risk
from eval.metrics.abstention import CONVENTION, abstention_auroc
from eval.metrics.brier import brier
from eval.metrics.calibration_error import calibration_error
from eval.metrics.risk_coverage import aurc, e_aurc, risk_coverage_curve
from eval.metrics.roc import auroc
from eval.sides import two_sides
from rag.errors import BadRequest
from rag.retrieval import abstain

FEW = 50
"""Questions on a side below which the figures say little."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: at most this `risk`, or else at least this `coverage`. `delta` is the chance to be wrong about the risk."""

    risk: float | None = None
    coverage: float | None = None
    delta: float = 0.05
    measure: str = ""
    right_from: float = RIGHT_FROM
    train: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.risk is None) == (self.coverage is None):
            raise BadRequest("Calibration needs a risk or a coverage, not both.", "Give --risk 0.1 or --coverage 0.8.")
        for name in ("risk", "coverage", "delta", "train"):
            value = getattr(self, name)
            if value is not None and not (0 < value < 1 or (name == "coverage" and value == 1)):
                raise BadRequest(f"The {name} is {value}.", f"Give a {name} between 0 and 1.")


def calibrate(records: Sequence[Record], target: Target, abstain_below: float | None = None) -> dict[str, Any]:
    """The whole report, as plain values; docs/metrics.md says what each is. `abstain_below` is the setting of the run.

    `{"target", "measure", "threshold", "train", "test", "now", "languages", "evidence", "probability", "curve", "self_check", "split", "notes"}`.
    `threshold` is None where no threshold keeps the risk. Raises BadRequest for records that cannot be judged or split.
    """
    found, measure = outcomes(records, target.measure, target.right_from)
    train, test, groups = _sides(found, target)
    # As it is: before other weights of the self-check are put in.
    served, weights = test, self_check.fit_weights(train)
    if weights:
        train, test = (self_check.with_weights(side, weights) for side in (train, test))
    choice = _choose(train, target)
    threshold = choice.threshold if choice else None
    report: dict[str, Any] = {
        "target": {
            "risk": target.risk,
            "coverage": target.coverage,
            "delta": target.delta,
            "right_from": target.right_from,
        },
        "measure": measure,
        "convention": CONVENTION,
        "threshold": threshold,
        "bound": round(choice.bound, 4) if choice else None,
        "train": _side(train, lambda _: threshold),
        "test": _side(test, lambda _: threshold),
        "now": _side(served, lambda _: abstain.threshold(abstain_below)),
        "languages": {
            language: _side([one for one in test if one.language == language], lambda _: threshold)
            for language in sorted({one.language for one in test})
        },
        "evidence": _evidence(test),
        "probability": _probability(train, test),
        "curve": _curve(test),
        "self_check": self_check.told(test, weights) if weights else None,
        "split": {"by": groups, "train": len(train), "test": len(test), "share": target.train, "seed": target.seed},
    }
    return report | {"notes": _notes(records, found, train, test, choice, target, groups)}


def _sides(found: Sequence[Outcome], target: Target) -> tuple[list[Outcome], list[Outcome], str]:
    train, test, kind = two_sides({one.id: one.group for one in found}, target.train, target.seed)
    if not train or not test:
        raise BadRequest(
            f"{len(found)} questions cannot be split into two sides.", "Calibrate with some hundreds of questions."
        )
    known = {one.id: one for one in found}
    return [known[id_] for id_ in train], [known[id_] for id_ in test], kind


def _choose(train: Sequence[Outcome], target: Target) -> Choice | None:
    scores, wrong = [one.evidence for one in train], [one.wrong for one in train]
    if target.risk is not None:
        return threshold_for_risk(scores, wrong, target.risk, target.delta)
    assert target.coverage is not None
    return threshold_for_coverage(scores, wrong, target.coverage, target.delta)


def _side(cases: Sequence[Outcome], threshold: Callable[[Outcome], float | None]) -> dict[str, Any]:
    """What comes of answering from the threshold upwards; without a threshold nothing is answered."""
    limits = [threshold(one) for one in cases]
    answered = [
        one
        for one, limit in zip(cases, limits, strict=True)
        if limit is not None and isfinite(one.evidence) and one.evidence >= limit
    ]
    kept = {one.id for one in answered}
    wrong = sum(one.wrong for one in answered)
    unanswerable = [one for one in cases if not one.answerable]
    low, high = clopper_pearson(wrong, len(answered))
    return {
        "questions": len(cases),
        "answered": len(answered),
        "coverage": round(len(answered) / len(cases), 4) if cases else None,
        "wrong": wrong,
        "risk": round(wrong / len(answered), 4) if answered else None,
        "risk_interval": [round(low, 4), round(high, 4)],
        "unanswerable": len(unanswerable),
        "unanswerable_refused": sum(one.id not in kept for one in unanswerable),
        "right_refused": sum(not one.wrong and one.id not in kept for one in cases),
    }


def _evidence(cases: Sequence[Outcome]) -> dict[str, float | None]:
    """How well the evidence orders the questions, whatever the threshold."""
    scores, losses = [one.evidence for one in cases], [float(one.wrong) for one in cases]
    values = {
        "auroc_answerable": abstention_auroc(scores, [one.answerable for one in cases]),
        "auroc_right": auroc(scores, [not one.wrong for one in cases]),
        "aurc": aurc(scores, losses),
        "e_aurc": e_aurc(scores, losses),
        "risk_of_all": sum(losses) / len(losses),
    }
    return {name: None if value is None else round(value, 4) for name, value in values.items()}


def _probability(train: Sequence[Outcome], test: Sequence[Outcome]) -> dict[str, Any]:
    """Evidence as a probability of being right: both fits on the train side, their errors on both sides, beside the raw evidence."""
    sides = {
        "train": [one for one in train if isfinite(one.evidence)],
        "test": [one for one in test if isfinite(one.evidence)],
    }
    if not all(sides.values()):
        return {}
    scores = {name: [one.evidence for one in cases] for name, cases in sides.items()}
    right = {name: [not one.wrong for one in cases] for name, cases in sides.items()}
    platt, isotonic = fit_platt(scores["train"], right["train"]), fit_isotonic(scores["train"], right["train"])
    found: dict[str, Any] = {
        "platt": {"slope": round(platt.slope, 6), "intercept": round(platt.intercept, 6)},
        "isotonic": {"points": [[round(x, 6), round(y, 6)] for x, y in isotonic.points]},
        "raw": {},
    }
    rate = sum(right["train"]) / len(right["train"])
    mappings: dict[str, Calibrator] = {
        "platt": platt,
        "isotonic": isotonic,
        "raw": lambda values: [min(1.0, max(0.0, value)) for value in values],
        "base_rate": lambda values: [rate] * len(values),
    }
    for name, mapping in mappings.items():
        for side in ("train", "test"):
            stated = mapping(scores[side])
            found.setdefault(name, {})[side] = {
                "ece": round(calibration_error(stated, right[side]), 4),
                "brier": round(brier(stated, right[side]), 4),
            }
    return found


def _curve(cases: Sequence[Outcome]) -> list[dict[str, float]]:
    points = risk_coverage_curve([one.evidence for one in cases], [float(one.wrong) for one in cases])
    return [
        {name: round(value, 4) for name, value in asdict(point).items()}
        for point in points
        if isfinite(point.threshold)
    ]


def _notes(
    records: Sequence[Record],
    found: Sequence[Outcome],
    train: Sequence[Outcome],
    test: Sequence[Outcome],
    choice: Choice | None,
    target: Target,
    groups: str,
) -> list[str]:
    notes = []
    if choice is None and target.risk is not None:
        least = least_answers(target.risk, target.delta)
        best = surest([one.evidence for one in train], [one.wrong for one in train], target.delta)
        lowest = (
            f"The lowest that could be promised is about {best.bound:.2f}, by answering {best.coverage:.0%} of the questions. "
            if best and best.bound > target.risk
            else ""
        )
        notes.append(
            f"No threshold found on the train side's {len(train)} questions keeps the risk at {target.risk:g} with confidence "
            f"{1 - target.delta:g}. {lowest}It takes at least {least} answered questions without a mistake, more with each mistake. "
            f"Ask for a higher risk, or label more questions."
        )
    elif choice is None:
        notes.append("Too few questions found anything: no threshold gives this coverage.")
    if choice is not None and target.risk is not None:
        side = _side(test, lambda _: choice.threshold)
        if side["risk"] is not None and side["risk"] > target.risk:
            low = side["risk_interval"][0]
            told = "by more than chance" if low > target.risk else "which chance can explain"
            notes.append(f"The test side's risk, {side['risk']:.3f}, is above the {target.risk:g} asked for, {told}.")
    assumed = sum(one.assumed for one in found)
    if assumed:
        notes.append(
            f"Answerable questions that the run abstained from: {assumed}. Answering them is taken for wrong, which makes the threshold "
            f"cautious; run with TUWEN_ANSWER__ABSTAIN=false to see how they would have been answered."
        )
    if left := len(records) - len(found):
        notes.append(f"Questions left out because they lack the measure: {left}.")
    if not any(not one.answerable for one in found):
        notes.append("No question of the set is unanswerable: the threshold knows wrong answers only.")
    if groups == "questions":
        notes.append(
            "Most questions are about one document, so questions were split, not documents: both sides are alike."
        )
    if min(len(train), len(test)) < FEW:
        notes.append(f"A side has fewer than {FEW} questions: the figures say little.")
    return notes
