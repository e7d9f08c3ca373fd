"""Whether a difference between two runs over the same questions is more than chance.

All of it is paired: a question is hard for both runs alike, and only the differences per question count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 1_000
"""Resamples drawn at a time: 1,000 × 10,000 questions are 80 MB."""


def bootstrap_interval(
    differences: Sequence[float], *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean difference, from resampling the questions with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. With fewer than about 20 questions it is too
    narrow.
    """
    values = _values(differences)
    random = np.random.default_rng(seed)
    means = [
        values[random.integers(0, len(values), (min(_BLOCK, resamples - start), len(values)))].mean(axis=1)
        for start in range(0, resamples, _BLOCK)
    ]
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return float(low), float(high)


def randomisation_test(differences: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of the mean difference, when the runs' names were swapped at random for each question.

    Fisher's randomisation test, recommended for retrieval by Smucker, Allan and Carterette, "A comparison of statistical
    significance tests for information retrieval evaluation" (CIKM 2007). All 2^n swaps are counted where that is no more work
    than sampling; a sampled p counts the observed outcome as one of the samples, so it is never 0 (Phipson and Smyth 2010).
    """
    values = _values(differences)
    values = values[values != 0]  # a swap of equals changes nothing
    observed = abs(values.sum())
    # Sums of the same numbers in another order differ in the last digits.
    threshold = observed - 1e-12 * max(1.0, float(np.abs(values).sum()))
    count = len(values)
    if 2**count <= resamples:
        bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return float(np.mean(np.abs((1 - 2 * bits) @ values) >= threshold))
    random = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, resamples, _BLOCK):
        signs = 1 - 2 * random.integers(0, 2, (min(_BLOCK, resamples - start), count))
        extreme += int(np.sum(np.abs(signs @ values) >= threshold))
    return (extreme + 1) / (resamples + 1)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted for having looked at several measures at once: Holm's step-down method (1979).

    The adjusted value of the i-th smallest of m is the largest of (m − j + 1) · p_j for j ≤ i, at most 1.
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for position, name in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def _values(differences: Sequence[float]) -> Floats:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError("differences of at least one question are needed")
    return values
