"""Pseudo-relevance feedback on vectors: the question moves toward the passages that were found first (Rocchio 1971, in Salton's SMART
Retrieval System; for dense vectors Li et al., ACM TOIS 2023, doi:10.1145/3570724).

q' = q + β · Σ_d  s(d)² · d / Σ_d s(d)²,  over the first passages that both vectors and words found good.

What words found brings the vectors along this way, and a word for the same thing that the question lacks. The candidates that were
found already are scored again, so that nothing is asked of a model or an index a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

import numpy as np

from rag.protocols import Vectors
from rag.retrieval.near import Near

FIRST = 5

Ranking = list[tuple[str, float]]


def rocchio(
    question: Vectors,
    ranking: Ranking,
    fused: Iterable[tuple[str, float]],
    near: Near,
    *,
    weight: float,
    depth: int,
    foreign: Collection[str] = (),
) -> Ranking:
    """The candidates `near` by their likeness to the moved `question` `[dimension]`, the first `depth`; then what else `ranking` has.

    Scores are put onto the scale of `ranking`, the one before, on which pictures are measured too. `fused`, best first, says which are first;
    those in another language than the question (`foreign`) do not count, so that a question is not moved away from its own language.
    """
    first = list(islice((one for one in fused if one[0] in near), FIRST))
    first = [(id_, score) for id_, score in first if id_ not in foreign and score > 0]
    if weight <= 0 or not first or len(ranking) < 2:
        return list(ranking)
    ids = sorted(near.rows)  # equal scores by id
    good = np.array([score for _, score in first]) ** 2
    centre = (good / good.sum()) @ near.of_ids([id_ for id_, _ in first])
    likeness = np.einsum("id,d->i", near.vectors, question + weight * centre, dtype=np.float64)
    scores = likeness[[near.rows[id_] for id_ in ids]]
    order = np.argsort(-scores, kind="stable")[:depth]
    best, foot = ranking[0][1], ranking[min(depth, len(ranking)) - 1][1]
    high, low = scores[order[0]], scores[order[-1]]
    if high <= low:
        return list(ranking)
    scaled = foot + (scores[order] - low) / (high - low) * (best - foot)
    moved = dict(zip((ids[n] for n in order.tolist()), scaled.tolist(), strict=True))
    return [*moved.items(), *((id_, min(score, foot)) for id_, score in ranking if id_ not in moved)]
