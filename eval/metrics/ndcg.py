"""Normalised discounted cumulative gain: graded relevance, discounted by rank, over the best order possible.

    DCG@k  = Σ over ranks r ≤ k of grade(r) / log2(r + 1)
    nDCG@k = DCG@k / DCG@k of all judged documents in descending order of grade

Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with the linear gain and the discount
of trec_eval's `ndcg_cut_k`, by which BEIR publishes its figures; 2^grade − 1 is another measure. Grades below 0 gain 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2


def ndcg(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; 0 where nothing is relevant."""
    ideal = _dcg(sorted(judged.values(), reverse=True)[:k])
    return _dcg(judged.get(document, 0) for document in ranked[:k]) / ideal if ideal else 0.0


def _dcg(grades: Iterable[int]) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades, 1) if grade > 0)
