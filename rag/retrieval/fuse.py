"""Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009 (doi:10.1145/1571941.1572114), with weights.

score(d) = Σ_r  w_r / (k + rank_r(d))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import NamedTuple


class Fused(NamedTuple):
    """A chunk, its fused score, and its rank (from 1) in each ranking that has it. Made by the hundred for each question: a tuple, since a
    frozen dataclass takes three times as long to make."""

    chunk_id: str
    score: float
    ranks: Mapping[str, int]


def reciprocal_rank_fusion(
    rankings: Mapping[str, Sequence[str]],
    *,
    k: float = 60.0,
    weights: Mapping[str, float] | None = None,
    assumed: Mapping[str, Mapping[str, int]] | None = None,
) -> list[Fused]:
    """Chunk ids by fused score, best first; equal scores by id. A retriever without a weight counts 1; with 0, nothing.

    `assumed` holds ranks that a retriever could not give, by its name and chunk id; they count, and are not shown in `ranks`.
    """
    weights = weights or {}
    ranks: dict[str, dict[str, int]] = {}
    for name, ids in rankings.items():
        for rank, chunk_id in enumerate(dict.fromkeys(ids), start=1):
            ranks.setdefault(chunk_id, {})[name] = rank
    assumed = assumed or {}
    fused = []
    for chunk_id, found in ranks.items():
        counted = {name: given[chunk_id] for name, given in assumed.items() if chunk_id in given} | found
        # Exact: added in another order, equal scores would differ in their last digit, and the order of retrievers decide.
        score = fsum(weights.get(name, 1.0) / (k + rank) for name, rank in counted.items())
        fused.append(Fused(chunk_id, score, found))
    return sorted((f for f in fused if f.score > 0), key=lambda f: (-f.score, f.chunk_id))
