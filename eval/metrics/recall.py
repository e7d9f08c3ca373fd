"""Recall: the share of the relevant documents that was returned.

    R@k = |relevant ∩ first k| / |relevant|

As `recall_k` of trec_eval: 0 where nothing is relevant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def recall(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; never falls with k."""
    wanted = relevant(judged)
    return sum(document in wanted for document in ranked[:k]) / len(wanted) if wanted else 0.0
