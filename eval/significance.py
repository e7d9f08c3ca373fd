"""Whether a difference between two runs over the same questions is more than chance.

All of it is paired: a question is hard for both runs alike, and only the differences per question count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, lgamma, log, log1p

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
    return percentile_interval(np.concatenate(means), level)


def percentile_interval(resampled: Sequence[float] | Floats, level: float = 0.95) -> tuple[float, float]:
    """The middle `level` of a statistic's values over resamples."""
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(resampled, [tail, 100 - tail])
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


@dataclass(frozen=True, slots=True)
class McNemar:
    """Of questions that are right or wrong: `better` only the second run has right, `worse` only the first.

    `odds_ratio` is better / worse, None where worse is 0; `interval` its exact 95 % interval, whose upper end is None where it has
    none.
    """

    better: int
    worse: int
    p_exact: float
    p_mid: float
    odds_ratio: float | None
    interval: tuple[float, float | None]


def mcnemar(first: Sequence[bool], second: Sequence[bool], *, level: float = 0.95) -> McNemar:
    """McNemar's test, two-sided, from the binomial distribution of the questions that changed sides; no approximation.

    Exact p: twice the smaller tail, at most 1. It is conservative; the mid-p counts half of the observed outcome, and is recommended by
    Fagerland, Lydersen and Laake, "The McNemar test for binary matched-pairs data" (BMC Med Res Methodol 2013). The interval is
    Clopper and Pearson's of the share of the better ones, as odds.
    """
    pairs = list(zip(first, second, strict=True))
    better = sum(after and not before for before, after in pairs)
    worse = sum(before and not after for before, after in pairs)
    count, least = better + worse, min(better, worse)
    below, here = _binomial(least - 1, count, 0.5), _binomial(least, count, 0.5)
    exact = min(1.0, 2 * here)
    mid = min(1.0, below + here)
    tail = (1 - level) / 2
    low = _share(lambda share: 1 - _binomial(better - 1, count, share) < tail) if better else 0.0
    high = _share(lambda share: _binomial(better, count, share) >= tail) if worse else 1.0
    odds = (low / (1 - low), high / (1 - high) if worse else None)
    return McNemar(better, worse, exact, mid, better / worse if worse else None, odds)


def cohen_dz(differences: Sequence[float]) -> float | None:
    """Effect size of paired differences: their mean over their standard deviation, d_z in Lakens, "Calculating and reporting
    effect sizes" (Front Psychol 2013). 0.2 is small, 0.5 medium, 0.8 large (Cohen 1988). None where all are equal or there is one."""
    values = _values(differences)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return float(values.mean()) / spread if spread > 1e-12 else None


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


def _binomial(most: int, count: int, share: float) -> float:
    """P(X ≤ most) of `count` trials."""
    if most < 0:
        return 0.0
    if most >= count or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    logs = (
        lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) + k * log(share) + (count - k) * log1p(-share)
        for k in range(most + 1)
    )
    return min(1.0, fsum(exp(value) for value in logs))


def _share(is_low: Callable[[float], bool]) -> float:
    """The share in [0, 1] up to which `is_low` holds, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return low
