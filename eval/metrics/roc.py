"""AUROC of a score: the chance that a positive case has a higher score than a negative one, half a point for a tie.

    AUROC = (R − p(p + 1)/2) / (p · n),   R = sum of the (mid-)ranks of the p positive among all p + n scores

Hanley and McNeil (1982). It judges the order of the scores only, so it needs no threshold and does not change under calibration.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """In [0, 1], .5 for a score that says nothing; None where all cases are of one kind. Infinite scores are allowed."""
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if values.shape != labels.shape:
        raise ValueError("there has to be one label for each score")
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[place][labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))
