"""Whether the system knows what it does not know: evidence of answerable and unanswerable questions, risk and coverage, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.metrics.abstention import abstention_auroc
from eval.metrics.brier import brier
from eval.metrics.calibration_error import calibration_error, reliability
from eval.metrics.risk_coverage import aurc, e_aurc, risk_coverage_curve
from eval.report.reading import Asked

RIGHT_ABOVE = 0.5
"""Share of the expected answer's words from which an answer counts as right, where the run was not traced."""
FOUND = ("page_hit@5", "source_hit@5", "hit_rate@5")
"""What says that the passages to read were found: the finest that a question has."""


def knowing(questions: Sequence[Asked]) -> dict[str, Any]:
    """Empty where no question has an evidence score."""
    scored = [question for question in questions if question.evidence is not None]
    if not scored:
        return {}
    scores = [float(question.evidence or 0) for question in scored]
    answerable = [question.answerable for question in scored]
    found = [was_found(question) for question in scored]
    losses = [float(not one) for one in found]
    return {
        "questions": len(scored),
        "answerable": [round(score, 4) for score, yes in zip(scores, answerable, strict=True) if yes],
        "unanswerable": [round(score, 4) for score, yes in zip(scores, answerable, strict=True) if not yes],
        "auroc": _rounded(abstention_auroc(scores, answerable)),
        "search": {
            "aurc": _rounded(aurc(scores, losses)),
            "e_aurc": _rounded(e_aurc(scores, losses)),
            "curve": _curve(scores, losses),
        },
        "answers": _answers(scored),
        "reliability": _reliability(scores, found),
    }


def was_found(question: Asked) -> bool:
    """Whether a passage that answers is among the first five; never for an unanswerable question."""
    if not question.answerable:
        return False
    return next((question.metrics[name] > 0 for name in FOUND if name in question.metrics), False)


def was_right(question: Asked) -> bool:
    """Whether the answer is right, by the rule of the failure classes where the run was traced."""
    if not question.answerable:
        return bool(question.abstained)
    if "lost" in question.record or "facts" in question.record:
        return question.lost is None or str(question.lost.get("class")) == "cited wrongly"
    return not question.abstained and question.metrics.get("answer_recall", 0.0) >= RIGHT_ABOVE


def _answers(scored: Sequence[Asked]) -> dict[str, Any]:
    """The curve over the answers that were given: it ends where the system abstains. Coverage is of all questions."""
    given = [question for question in scored if question.abstained is False]
    if not given:
        return {}
    losses = [float(not (question.answerable and was_right(question))) for question in given]
    share = len(given) / len(scored)
    curve = _curve([float(question.evidence or 0) for question in given], losses)
    points = [point | {"coverage": round(point["coverage"] * share, 4)} for point in curve]
    return {"coverage": round(share, 4), "risk": round(sum(losses) / len(losses), 4), "curve": points}


def _curve(scores: Sequence[float], losses: Sequence[float]) -> list[dict[str, float]]:
    return [
        {"threshold": round(point.threshold, 4), "coverage": round(point.coverage, 4), "risk": round(point.risk, 4)}
        for point in risk_coverage_curve(scores, losses)
    ]


def _reliability(scores: Sequence[float], found: Sequence[bool]) -> dict[str, Any]:
    """Evidence read as the probability that the passages answer the question. Empty where it is no probability."""
    if not all(0 <= score <= 1 for score in scores):
        return {}
    bins = [
        {
            "low": bar.low,
            "high": bar.high,
            "count": bar.count,
            "stated": round(bar.stated, 4),
            "observed": round(bar.observed, 4),
        }
        for bar in reliability(scores, found)
    ]
    return {"ece": _rounded(calibration_error(scores, found)), "brier": _rounded(brier(scores, found)), "bins": bins}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
