"""F1 of a cut-off list: the harmonic mean of its precision and its recall.

    F1@k = 2 · P@k · R@k / (P@k + R@k)

van Rijsbergen, "Information Retrieval" (1979), with equal weights. P@k has the denominator k (see `precision`), so a list shorter
than k loses; without a cut-off it is `set_F` of trec_eval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.precision import precision
from eval.metrics.recall import recall


def f1(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; 0 where nothing relevant was returned."""
    precise, complete = precision(ranked, judged, k), recall(ranked, judged, k)
    return 2 * precise * complete / (precise + complete) if precise and complete else 0.0
