"""Which score to answer from: for a risk that must not be passed, or for a share of questions that must be answered.

The empirical risk at a threshold chosen by looking at it is too good: it was chosen because it is low. `threshold_for_risk` is
selection with guaranteed risk (Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017,
Algorithm 2): a binary search over the thresholds, each tried with the exact binomial bound at δ / number of tries, so that with
probability 1 − δ the questions to come, drawn like these, have no higher risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, log2

import numpy as np

from eval.calibration.bounds import clopper_pearson_upper
from eval.metrics.risk_coverage import risk_coverage_curve


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold, and what answering from it upwards gives on the questions that it was chosen on."""

    threshold: float
    answered: int
    wrong: int
    coverage: float
    risk: float
    """Share of wrong among the answered."""
    bound: float
    """What the risk of further questions does not pass, with probability 1 − δ."""


def threshold_for_risk(scores: Sequence[float], wrong: Sequence[bool], risk: float, delta: float) -> Choice | None:
    """The choice with most coverage whose bound is at most `risk`; None where there is none, however few are answered.

    A score of minus infinity is that of a question which is never answered. Raises ValueError.
    """
    if not 0 < risk < 1 or not 0 < delta < 1:
        raise ValueError("risk and δ lie between 0 and 1")
    candidates = _candidates(scores, wrong)
    if not candidates:
        return None
    # Each step halves what is left, of n candidates or none of them.
    tries = max(1, ceil(log2(len(candidates) + 1)))
    found: Choice | None = None
    low, high = 0, len(candidates) - 1
    while low <= high:
        middle = (low + high) // 2
        threshold, answered, mistakes = candidates[middle]
        bound = clopper_pearson_upper(mistakes, answered, delta / tries)
        if bound <= risk:
            found = Choice(threshold, answered, mistakes, answered / len(scores), mistakes / answered, bound)
            low = middle + 1
        else:
            high = middle - 1
    return found


def threshold_for_coverage(
    scores: Sequence[float], wrong: Sequence[bool], coverage: float, delta: float
) -> Choice | None:
    """The highest threshold that answers at least this share of the questions; None where too few have a score.

    The bound is that of a single try: coverage does not look at what is wrong. Raises ValueError.
    """
    if not 0 < coverage <= 1 or not 0 < delta < 1:
        raise ValueError("a coverage lies above 0 and is at most 1, δ between 0 and 1")
    for threshold, answered, mistakes in _candidates(scores, wrong):
        if answered >= coverage * len(scores) - 1e-9:
            bound = clopper_pearson_upper(mistakes, answered, delta)
            return Choice(threshold, answered, mistakes, answered / len(scores), mistakes / answered, bound)
    return None


def _candidates(scores: Sequence[float], wrong: Sequence[bool]) -> list[tuple[float, int, int]]:
    """Every threshold that makes a difference, highest first, with how many it answers and how many of those are wrong."""
    if not len(scores):
        return []
    points = risk_coverage_curve(scores, np.asarray(wrong, dtype=float).tolist())
    found = []
    for point in points:
        answered = round(point.coverage * len(scores))
        found.append((point.threshold, answered, round(point.risk * answered)))
    return [candidate for candidate in found if candidate[0] > -inf]
