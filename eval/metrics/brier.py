"""Brier score: the mean squared distance between a probability and what happened.

    B = (1/n) · Σ (p_i − y_i)²

Brier, "Verification of forecasts expressed in terms of probability" (1950), for two outcomes. Always saying the base rate r
scores r(1 − r); lower is better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def brier(probabilities: Sequence[float], happened: Sequence[bool]) -> float:
    """In [0, 1]. Raises ValueError without a case."""
    given, seen = np.asarray(probabilities, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if given.shape != seen.shape or not len(given):
        raise ValueError("there has to be one outcome for each probability, and at least one")
    return float(((given - seen) ** 2).mean())
