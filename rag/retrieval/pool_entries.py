"""One score for a picture from those of its entries: a smooth maximum, so that the best entry decides and the others tell equals apart.

s(p) = τ · ln Σ_e exp((s(q, e) − δ_e) / τ),  e over the entries of p that were found, s their cosines with the question

δ is SEEN_LESS for what was made of the picture (its labels, the text read in it) and 0 for what somebody wrote of it: a drawing of a bell
that a classifier of photographs takes for a lamp stood before the lamp's own name in another language.

Log-sum-exp between the best entry alone (τ → 0) and the sum of all, as instances of a bag are pooled in multiple-instance learning (Ramon
and De Raedt, "Multi instance neural networks", ICML workshop 2000). A label is the same text in every picture that has it: by the best
entry alone all kitchens are equally good.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

TEMPERATURE = 0.04
"""Compared on both halves of 74 photographs and 500 drawings, so that neither is untouched; .03 does as well on the tuned ones (docs/pictures.md)."""
SEEN_LESS = 0.05
"""Compared on both halves, too: .08 and .12 gain more for drawings by their names, and lose where photographs have nothing but labels and a
number for a name (docs/pictures.md)."""


def pool_entries(
    ranking: Sequence[tuple[str, float]], seen: Collection[str] = (), temperature: float = TEMPERATURE
) -> list[tuple[str, float]]:
    """Pictures with their score, best first and equal ones by id, from `id#n` (entry n of picture `id`) with its cosine, best first.

    `seen` are the entries that were made of the picture. An entry that was not found adds nothing. All are moved alike so that the highest score is the best entry's cosine: pictures and
    passages stay on one scale.
    """
    if not ranking:
        return []
    best = ranking[0][1]
    sums: dict[str, float] = {}
    for entry, score in ranking:
        id_ = entry.partition("#")[0]
        behind = score - best - (SEEN_LESS if entry in seen else 0.0)
        sums[id_] = sums.get(id_, 0.0) + math.exp(behind / temperature)
    highest = max(sums.values())
    # A cosine is at most 2 below the best: nothing sums up to 0.
    pooled = ((id_, best + temperature * math.log(total / highest)) for id_, total in sums.items())
    return sorted(pooled, key=lambda pair: (-pair[1], pair[0]))
