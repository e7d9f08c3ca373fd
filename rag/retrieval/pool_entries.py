"""One score for a picture from those of its entries: a smooth maximum, so that the best entry decides and the others tell equals apart.

s(p) = τ · ln Σ_e exp(s(q, e) / τ),  e over the entries of p that were found, s their cosines with the question

Log-sum-exp between the best entry alone (τ → 0) and the sum of all, as instances of a bag are pooled in multiple-instance learning (Ramon
and De Raedt, "Multi instance neural networks", ICML workshop 2000). A label is the same text in every picture that has it: by the best
entry alone all kitchens are equally good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

TEMPERATURE = 0.04
"""Chosen on half of 74 photographs; .03 and .05 are within .02 of it in recall@1 and @5 (docs/pictures.md)."""


def pool_entries(ranking: Sequence[tuple[str, float]], temperature: float = TEMPERATURE) -> list[tuple[str, float]]:
    """Pictures with their score, best first and equal ones by id, from `id#n` (entry n of picture `id`) with its cosine, best first.

    An entry that was not found adds nothing. All are moved alike so that the highest score is the best entry's cosine: pictures and
    passages stay on one scale.
    """
    if not ranking:
        return []
    best = ranking[0][1]
    sums: dict[str, float] = {}
    for entry, score in ranking:
        id_ = entry.partition("#")[0]
        sums[id_] = sums.get(id_, 0.0) + math.exp((score - best) / temperature)
    highest = max(sums.values())
    # A cosine is at most 2 below the best: nothing sums up to 0.
    pooled = ((id_, best + temperature * math.log(total / highest)) for id_, total in sums.items())
    return sorted(pooled, key=lambda pair: (-pair[1], pair[0]))
