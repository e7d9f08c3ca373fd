"""Expected calibration error: how far stated probabilities are from observed shares.

    ECE = Σ over bins b of (n_b / n) · | share that happened in b − mean probability in b |

Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning" (AAAI 2015), with bins of equal
width over [0, 1]. It depends on the number of bins, and chance alone keeps it above 0: with 100 questions in 10 bins expect
about .1 from a perfectly calibrated score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a reliability diagram: probabilities in [low, high) (the last bin holds 1, too)."""

    low: float
    high: float
    count: int
    stated: float
    """Mean probability."""
    observed: float
    """Share that happened."""


def reliability(probabilities: Sequence[float], happened: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """The bins that hold a case, in order. Raises ValueError for a probability outside [0, 1], or without a case."""
    given, seen = np.asarray(probabilities, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if given.shape != seen.shape or not len(given):
        raise ValueError("there has to be one outcome for each probability, and at least one")
    if not np.all((given >= 0) & (given <= 1)):
        raise ValueError("a probability lies in [0, 1]")
    place = np.minimum((given * bins).astype(int), bins - 1)
    found = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            stated, observed = float(given[inside].mean()), float(seen[inside].mean())
            found.append(Bin(number / bins, (number + 1) / bins, int(inside.sum()), stated, observed))
    return found


def calibration_error(probabilities: Sequence[float], happened: Sequence[bool], bins: int = BINS) -> float:
    """In [0, 1], lower is better."""
    bars = reliability(probabilities, happened, bins)
    return sum(bar.count * abs(bar.observed - bar.stated) for bar in bars) / len(probabilities)
