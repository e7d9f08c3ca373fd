"""Which score to answer from: for a risk that must not be passed, or for a share of questions that must be answered.

The observed risk at a threshold that was chosen by looking at it is too good: it was chosen because it is low. `threshold_for_risk`
is selection with guaranteed risk (Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017): with
probability 1 − δ, the questions to come, drawn like these, have no higher risk. It tries coverages in an order that is fixed beforehand,
each by the exact binomial bound: from each of STARTS upwards until the first that fails, so that each start costs a share of δ and the tries after
it nothing (fixed-sequence testing with several starts: Angelopoulos et al., "Learn then Test", 2021). One start among the surest few
would give up at their first mistake. The paper's binary search, with δ divided by its number of steps, keeps the promise too, but
answers less: 35 % instead of 42 % of 300 simulated questions at a risk of .2 with δ = .1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import ceil, inf

import numpy as np

from eval.calibration.bounds import clopper_pearson_upper, needed_without_a_mistake
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


STARTS = (0.15, 0.3, 0.6)
"""Coverages from which the tries begin, each with its share of δ."""
STEPS = 50
"""Further coverages that are tried are this share of the questions apart."""


def threshold_for_risk(scores: Sequence[float], wrong: Sequence[bool], risk: float, delta: float) -> Choice | None:
    """The choice with most coverage whose bound is at most `risk`; None where none of the starts keeps it.

    A score of minus infinity is that of a question which is never answered. Raises ValueError.
    """
    if not 0 < risk < 1 or not 0 < delta < 1:
        raise ValueError("risk and δ lie between 0 and 1")
    found: list[Choice] = []
    for start in STARTS:
        tries = _tries(scores, wrong, ceil(start * len(scores)), delta / len(STARTS))
        found += takewhile(lambda choice: choice.bound <= risk, tries)
    return max(found, key=lambda choice: choice.answered, default=None)


def least_answers(risk: float, delta: float) -> int:
    """Answers without a single mistake that a promise of this risk takes."""
    return needed_without_a_mistake(risk, delta / len(STARTS))


def surest(scores: Sequence[float], wrong: Sequence[bool], delta: float) -> Choice | None:
    """The choice with the lowest bound: about the lowest risk that could be promised. None where nothing has a score."""
    return min(_tries(scores, wrong, 1, delta / len(STARTS)), key=lambda choice: choice.bound, default=None)


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
            return _choice(threshold, answered, mistakes, len(scores), delta)
    return None


def _tries(scores: Sequence[float], wrong: Sequence[bool], first: int, delta: float) -> Iterator[Choice]:
    """Choices that answer at least `first` questions, then at least one step more than the one before, until all are answered."""
    wanted = first
    for threshold, answered, mistakes in _candidates(scores, wrong):
        if answered >= wanted:
            yield _choice(threshold, answered, mistakes, len(scores), delta)
            wanted = answered + max(1, len(scores) // STEPS)


def _choice(threshold: float, answered: int, mistakes: int, count: int, delta: float) -> Choice:
    bound = clopper_pearson_upper(mistakes, answered, delta)
    return Choice(threshold, answered, mistakes, answered / count, mistakes / answered, bound)


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
