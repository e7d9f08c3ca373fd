"""Risk and coverage: how wrong the answers are when only the surest questions are answered.

    coverage(θ) = share of the questions with a score ≥ θ            risk(θ) = mean loss of those
    AURC = mean over the questions of risk(θ = their score)          E-AURC = AURC − AURC of the best possible order

El-Yaniv and Wiener, "On the foundations of noise-free selective classification" (JMLR 2010); AURC and E-AURC: Geifman, Uziel and
El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers" (ICLR 2019). A loss of 1 is a wrong answer, and any
answer to an unanswerable question. The best order is computed exactly, not by the paper's limit r + (1 − r) ln(1 − r).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Point:
    """What answering every question with a score of at least `threshold` gives."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage_curve(scores: Sequence[float], losses: Sequence[float]) -> list[Point]:
    """A point for each different score, from the highest (least coverage) to the lowest (coverage 1)."""
    values, answered, total = _cumulated(scores, losses)
    return [
        Point(float(value), float(count / len(scores)), float(loss / count))
        for value, count, loss in zip(values, answered, total, strict=True)
    ]


def aurc(scores: Sequence[float], losses: Sequence[float]) -> float:
    """In [0, 1], lower is better; questions with the same score are answered together or not at all."""
    _, answered, total = _cumulated(scores, losses)
    each = np.diff(answered, prepend=0)
    return float((each * total / answered).sum() / len(scores))


def e_aurc(scores: Sequence[float], losses: Sequence[float]) -> float:
    """What the order of the scores costs above the best order of the same losses: 0 for a perfect score."""
    best = np.sort(np.asarray(losses, dtype=np.float64))
    return max(0.0, aurc(scores, losses) - float((best.cumsum() / np.arange(1, len(best) + 1)).mean()))


def _cumulated(
    scores: Sequence[float], losses: Sequence[float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Different scores in descending order; per score, how many questions are answered and the sum of their losses."""
    values, wrong = np.asarray(scores, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if values.shape != wrong.shape or values.ndim != 1 or not len(values):
        raise ValueError("there has to be one loss for each score, and at least one")
    order = np.argsort(-values, kind="stable")
    values, wrong = values[order], wrong[order]
    last = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)
    return values[last], last + 1, wrong.cumsum()[last]
