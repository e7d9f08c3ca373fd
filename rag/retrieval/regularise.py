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
    order = [rows[candidate.chunk_id] for candidate in fused if candidate.chunk_id in rows]
    if weight <= 0 or len(order) < 3:
        return list(fused)
    # As a searcher gives them they are in their order already.
    matrix = vectors if order == list(range(len(vectors))) else vectors[order]
    scores = np.array([candidate.score for candidate in fused if candidate.chunk_id in rows], dtype=np.float64)
    smoothed = _smooth(scores, matrix, weight, neighbours).tolist()
    ratio = smoothed[0] / float(scores[0]) if scores[0] else 1.0
    changed, taken = [], 0
    for chunk_id, score, ranks in fused:
        if chunk_id in rows:
            new = smoothed[taken]
            ratio, taken = new / score if score else ratio, taken + 1
        else:
            new = score * ratio
        # Sorted without a function to be called for each: an id comes once, so that ranks are never compared.
        changed.append((-new, chunk_id, ranks))
        if taken == len(smoothed):
            break
    changed.sort()
    floor = -changed[-1][0]
    result = [Fused(chunk_id, -score, ranks) for score, chunk_id, ranks in changed]
    return result + [Fused(one.chunk_id, min(one.score, floor), one.ranks) for one in fused[len(changed) :]]


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
    """`[n, n]`. A few rows at a time: for all at once BLAS wakes its threads, which took 5 ms for 100 passages, and 35 beside other work.
    In one call: between calls another question takes the interpreter, and has to be waited for."""
    count, dimension = vectors.shape
    blocks = np.zeros((-(-count // _ROWS), _ROWS, dimension), np.float32)
    blocks.reshape(-1, dimension)[:count] = vectors
    return np.asarray(np.matmul(blocks, vectors.T).reshape(-1, count)[:count])
