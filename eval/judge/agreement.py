"""How far a judge agrees with people: on a labelled sample, before anybody believes its figures.

    κ = (p_o − p_e) / (1 − p_e)      p_o: share of agreement, p_e: share expected by chance from both sides' rates of yes

Cohen, "A coefficient of agreement for nominal scales" (1960). Intervals by the percentile bootstrap over the items (Efron and
Tibshirani 1993). With 20 items they are wide, and that is the point of giving them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.significance import percentile_interval

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over the `items` that the judge could be understood on; `unread` are the others. κ is None where both sides always say
    the same one thing. `yes_right` and `no_right` are the shares of the labelled yes and no that the judge got right."""

    items: int
    unread: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    kappa: float | None
    kappa_interval: tuple[float, float] | None
    yes_right: float | None
    no_right: float | None


def agreement(
    judged: Sequence[bool | None],
    labelled: Sequence[bool],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Raises ValueError where there is nothing to compare."""
    pairs = [(said, true) for said, true in zip(judged, labelled, strict=True) if said is not None]
    if not pairs:
        raise ValueError("the judge was understood on no labelled item")
    said, true = np.array(pairs, dtype=bool).T
    random = np.random.default_rng(seed)
    draws = [random.integers(0, len(pairs), len(pairs)) for _ in range(resamples)]
    kappas = [value for draw in draws if (value := cohen_kappa(said[draw], true[draw])) is not None]
    return Agreement(
        items=len(pairs),
        unread=len(judged) - len(pairs),
        accuracy=float((said == true).mean()),
        accuracy_interval=percentile_interval([float((said[draw] == true[draw]).mean()) for draw in draws], level),
        kappa=cohen_kappa(said, true),
        kappa_interval=percentile_interval(kappas, level) if kappas else None,
        yes_right=_share(said, true, lambda value: value),
        no_right=_share(~said, true, lambda value: ~value),
    )


def cohen_kappa(first: Sequence[bool] | Bools, second: Sequence[bool] | Bools) -> float | None:
    """In [-1, 1]; 0 for agreement as by chance, None where chance alone gives full agreement."""
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    observed = float((one == two).mean())
    chance = float(one.mean() * two.mean() + (1 - one.mean()) * (1 - two.mean()))
    return None if chance == 1.0 else (observed - chance) / (1 - chance)


def _share(said: Bools, true: Bools, of: Callable[[Bools], Bools]) -> float | None:
    chosen = of(true)
    return float(said[chosen].mean()) if chosen.any() else None
