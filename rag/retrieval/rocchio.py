"""Pseudo-relevance feedback on vectors: the question moves toward the passages that were found first (Rocchio 1971, in Salton's SMART
Retrieval System; for dense vectors Li et al., ACM TOIS 2023, doi:10.1145/3570724).

q' = q + β · Σ_d  s(d)² · d / Σ_d s(d)²,  over the first passages that both vectors and words found good.

What words found brings the vectors along this way, and a word for the same thing that the question lacks. The candidates that were
found already are scored again, so that nothing is asked of a model or an index a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from rag.protocols import Vectors
from rag.retrieval.fuse import Fused

FIRST = 5

Ranking = list[tuple[str, float]]
Near = Mapping[str, Vectors]
"""Unit vectors `[dimension]` of candidates by their ids."""


def rocchio(
    question: Vectors,
    ranking: Ranking,
    fused: Sequence[Fused],
    near: Near,
    *,
    weight: float,
    depth: int,
    foreign: Collection[str] = (),
) -> Ranking:
    """The candidates `near` by their likeness to the moved `question` `[dimension]`, the first `depth`; then what else `ranking` has.

    Scores are put onto the scale of `ranking`, the one before, on which pictures are measured too. `fused` says which are first;
    those in another language than the question (`foreign`) do not count, so that a question is not moved away from its own language.
    """
    first = [one for one in fused if one.chunk_id in near][:FIRST]
    first = [one for one in first if one.chunk_id not in foreign and one.score > 0]
    if weight <= 0 or not first or len(ranking) < 2:
        return list(ranking)
    ids = sorted(near)
    good = np.array([one.score for one in first]) ** 2
    centre = (good / good.sum()) @ np.stack([near[one.chunk_id] for one in first])
    scores = np.einsum("id,d->i", np.stack([near[id_] for id_ in ids]), question + weight * centre, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")[:depth]
    best, foot = ranking[0][1], ranking[min(depth, len(ranking)) - 1][1]
    high, low = scores[order[0]], scores[order[-1]]
    if high <= low:
        return list(ranking)
    moved = {ids[n]: float(foot + (scores[n] - low) / (high - low) * (best - foot)) for n in order}
    return [*moved.items(), *((id_, min(score, foot)) for id_, score in ranking if id_ not in moved)]
