"""Score regularisation: passages that are alike should be scored alike (Diaz, Information Retrieval 2007,
doi:10.1007/s10791-007-9030-4), after the cluster hypothesis of van Rijsbergen.

s'(d) = (1 − λ) · s(d) + λ · Σ_n  w(d, n) · s(n) / Σ_n w(d, n),  over the nearest of the passages that were found, w = cos².

A passage that many good passages resemble gains; one that was found by a chance word loses. It pays where several passages answer,
and costs a little where exactly one does: docs/benchmarks.md has the figures by which λ was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.protocols import Vectors
from rag.retrieval.fuse import Fused

NEIGHBOURS = 3
_ROWS = 4


def regularise(
    fused: Sequence[Fused], ids: Sequence[str], vectors: Vectors, *, weight: float, neighbours: int = NEIGHBOURS
) -> list[Fused]:
    """The candidates, best first, with `weight` λ in [0, 1] of each score from its neighbours. `vectors` are unit vectors
    `[len(ids), dimension]` of those that take part; one that does not (a picture) changes as the one before it does, and
    nothing that was behind all of them passes one."""
    rows = {chunk_id: row for row, chunk_id in enumerate(ids)}
    taking = [candidate for candidate in fused if candidate.chunk_id in rows]
    if weight <= 0 or len(taking) < 3:
        return list(fused)
    scores = np.array([candidate.score for candidate in taking], dtype=np.float64)
    matrix = vectors[[rows[candidate.chunk_id] for candidate in taking]]
    smoothed = _smooth(scores, matrix, weight, neighbours)
    changed = {candidate.chunk_id: float(score) for candidate, score in zip(taking, smoothed, strict=True)}
    last = next(place for place in range(len(fused) - 1, -1, -1) if fused[place].chunk_id in rows)
    ratio = float(smoothed[0] / scores[0]) if scores[0] else 1.0
    result = []
    for candidate in fused[: last + 1]:
        if candidate.chunk_id in changed:
            score = changed[candidate.chunk_id]
            ratio = score / candidate.score if candidate.score else ratio
        else:
            score = candidate.score * ratio
        result.append(Fused(candidate.chunk_id, score, candidate.ranks))
    result.sort(key=lambda candidate: (-candidate.score, candidate.chunk_id))
    floor = result[-1].score
    return result + [Fused(one.chunk_id, min(one.score, floor), one.ranks) for one in fused[last + 1 :]]


def _smooth(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]],
    vectors: Vectors,
    weight: float,
    neighbours: int,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    near = _products(vectors).astype(np.float64)
    np.fill_diagonal(near, 0.0)
    near = np.clip(near, 0.0, None) ** 2
    kept = min(neighbours, len(scores) - 1)
    floor = -np.partition(-near, kept - 1, axis=1)[:, kept - 1 : kept]
    near[near < floor] = 0.0
    total = near.sum(axis=1)
    around = np.divide(near @ scores, total, out=scores.copy(), where=total > 0)
    smoothed: np.ndarray[tuple[int], np.dtype[np.float64]] = (1 - weight) * scores + weight * around
    return smoothed


def _products(vectors: Vectors) -> Vectors:
    """`[n, n]`. A few rows at a time: for all at once BLAS wakes its threads, which took 5 ms for 100 passages, and 35 beside other work;
    this takes 0.2 (einsum 0.36)."""
    products = np.empty((len(vectors), len(vectors)), np.float32)
    for start in range(0, len(vectors), _ROWS):
        np.matmul(vectors[start : start + _ROWS], vectors.T, out=products[start : start + _ROWS])
    return products
