"""Successive halving: many combinations on few questions, the better half of them on twice as many, and so on.

Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (AISTATS 2016), with questions as
the resource. It saves questions, not ingests: every combination needs its whole index, because a smaller corpus is another task.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

LEAST = 20
"""Questions of the first rung: below, the order of the combinations is chance."""


def rungs(cells: int, questions: int, least: int = LEAST) -> list[int]:
    """How many questions each rung asks, doubling, the last one all; one rung where nothing can be saved.

    As many rungs as halving `cells` to 2 takes, as long as the first asks `least` questions.
    """
    count = 1
    while cells > 2 and questions // 2**count >= least:
        cells = ceil(cells / 2)
        count += 1
    return [ceil(questions / 2 ** (count - 1 - rung)) for rung in range(count)]


def better_half(scores: Mapping[int, float]) -> list[int]:
    """The better half of the cells, rounded up; of equals the earlier ones."""
    ordered = sorted(scores, key=lambda cell: (-scores[cell], cell))
    return sorted(ordered[: ceil(len(ordered) / 2)])
