"""How wrong a share may really be that was observed in a sample: one-sided bounds that hold with probability 1 − δ."""

from __future__ import annotations

from math import log, log1p

import numpy as np

_STEPS = 200
"""Halvings of [0, 1]: more than a double can tell apart."""


def clopper_pearson_upper(wrong: int, answered: int, delta: float) -> float:
    """The largest share p under which `wrong` or fewer of `answered` would happen with probability δ: P(Bin(n, p) ≤ k) = δ.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial" (1934): the exact bound, and
    the one of Geifman and El-Yaniv's selection with guaranteed risk. 1 for an empty sample.
    """
    _check(wrong, answered, delta)
    if wrong == answered:
        return 1.0
    kept = np.arange(wrong + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, answered + 1)))])
    ways = factorials[answered] - factorials[kept] - factorials[answered - kept]

    def at_most_so_many(share: float) -> float:
        """P(Bin(answered, share) ≤ wrong)"""
        return float(np.exp(ways + kept * log(share) + (answered - kept) * log1p(-share)).sum())

    low, high = wrong / answered, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if at_most_so_many(middle) > delta:
            low = middle
        else:
            high = middle
    return high


def clopper_pearson_lower(wrong: int, answered: int, delta: float) -> float:
    """The mirror image: the smallest share under which `wrong` or more would happen with probability δ. 0 for an empty sample."""
    _check(wrong, answered, delta)
    return 0.0 if not answered else 1.0 - clopper_pearson_upper(answered - wrong, answered, delta)


def clopper_pearson(wrong: int, answered: int, level: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of a share."""
    tail = (1 - level) / 2
    return clopper_pearson_lower(wrong, answered, tail), clopper_pearson_upper(wrong, answered, tail)


def needed_without_a_mistake(risk: float, delta: float) -> int:
    """Answers in a row, none of them wrong, after which the bound is `risk`: ln δ / ln(1 − risk), rounded up."""
    if not 0 < risk < 1:
        raise ValueError("a risk lies between 0 and 1")
    return -int(log(delta) / log1p(-risk) // -1)


def _check(wrong: int, answered: int, delta: float) -> None:
    if not 0 <= wrong <= answered:
        raise ValueError(f"{wrong} of {answered} is no share")
    if not 0 < delta < 1:
        raise ValueError("δ lies between 0 and 1")
