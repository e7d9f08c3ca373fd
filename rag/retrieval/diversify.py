"""Maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998 (doi:10.1145/290941.291025).

next = argmax_d  λ · rel(d) − (1 − λ) · max_{s already taken} cos(d, s)

`rel` is the score, brought to [0, 1] over the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.answers import Hit
from rag.protocols import Vectors


def diversify(hits: Sequence[Hit], ids: Sequence[str], vectors: Vectors, *, relevance: float, first: int) -> list[Hit]:
    """The first `first` places by marginal relevance with λ = `relevance` in [0, 1], the rest behind in their order. What has no
    vector among the unit `vectors` `[len(ids), dimension]` resembles nothing. Scores stay as they are."""
    if relevance >= 1 or len(hits) < 2:
        return list(hits)
    rows = {chunk_id: row for row, chunk_id in enumerate(ids)}
    scores = np.array([hit.score for hit in hits])
    span = scores.max() - scores.min()
    gain = (scores - scores.min()) / span if span > 0 else np.ones(len(hits))
    matrix = np.zeros((len(hits), vectors.shape[1] if len(ids) else 1), dtype=np.float32)
    for place, hit in enumerate(hits):
        if hit.chunk.id in rows:
            matrix[place] = vectors[rows[hit.chunk.id]]
    likeness = np.einsum("id,jd->ij", matrix, matrix)  # as in regularise.py
    left, taken = list(range(len(hits))), [0]
    left.remove(0)
    while left and len(taken) < first:
        closest = likeness[left][:, taken].max(axis=1)
        best = left[int(np.argmax(relevance * gain[left] - (1 - relevance) * closest))]
        taken.append(best)
        left.remove(best)
    return [hits[place] for place in (*taken, *left)]
