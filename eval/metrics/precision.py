"""Precision: the share of what was returned that is relevant.

    P@k = |relevant ∩ first k| / k

As `P_k` of trec_eval: the denominator is k even where fewer than k documents were returned, and a document without a
judgement is not relevant. Without a cut-off the denominator is the number of documents returned (`set_P`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def precision(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; 0 for an empty list."""
    size = len(ranked) if k is None else k
    wanted = relevant(judged)
    return sum(document in wanted for document in ranked[:size]) / size if size else 0.0
