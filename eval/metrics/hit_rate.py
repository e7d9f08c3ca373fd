"""Hit rate: whether any relevant document was returned.

    H@k = 1 if relevant ∩ first k is not empty, else 0

As `success_k` of trec_eval; its mean over questions is the share of questions with something to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def hit_rate(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """0 or 1."""
    return float(not relevant(judged).isdisjoint(ranked[:k]))
