"""Hits that are likely noise are left out: those below a least score.

Meant for the probabilities of a reranker. A fused score says how good a hit is beside the best of the same question, and nothing of
whether any is good: as a threshold on it, `least` is a share of the best.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answers import Hit


def without_noise(hits: Sequence[Hit], least: float) -> list[Hit]:
    """The hits with a score of at least `least`, in order; all of them when it is 0."""
    return [hit for hit in hits if hit.score >= least] if least > 0 else list(hits)
