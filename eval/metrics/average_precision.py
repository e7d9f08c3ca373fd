"""Average precision: the mean of the precision at the rank of each relevant document. Its mean over questions is MAP.

    AP@k = (1 / |relevant|) · Σ over relevant documents at rank r ≤ k of P@r

Relevant documents that were not returned count as 0. `map` and `map_cut_k` of trec_eval: the denominator is the number
of relevant documents also where it is larger than k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def average_precision(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; 0 where nothing is relevant."""
    wanted = relevant(judged)
    found, total = 0, 0.0
    for rank, document in enumerate(ranked[:k], 1):
        if document in wanted:
            found += 1
            total += found / rank
    return total / len(wanted) if wanted else 0.0
