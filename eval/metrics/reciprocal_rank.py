"""Reciprocal rank: how far down the first relevant document stands. Its mean over questions is MRR.

    RR@k = 1 / rank of the first relevant document, 0 if there is none among the first k

Voorhees, "The TREC-8 Question Answering Track Report" (1999); `recip_rank` of trec_eval where there is no cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def reciprocal_rank(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]."""
    wanted = relevant(judged)
    return next((1 / rank for rank, document in enumerate(ranked[:k], 1) if document in wanted), 0.0)
