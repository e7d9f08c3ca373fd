"""Latency: percentiles, because a mean hides the question that took ten seconds.

The q-th percentile is interpolated linearly between the two nearest measurements (Hyndman and Fan's type 7, NumPy's default). With n
measurements the 99th means something from about n = 100.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PERCENTILES = (50, 95, 99)


def latency(milliseconds: Sequence[float]) -> dict[str, float]:
    """`{"p50", "p95", "p99", "mean", "max"}` in milliseconds; empty without a measurement."""
    if not milliseconds:
        return {}
    found = np.percentile(milliseconds, PERCENTILES)
    values = {f"p{q}": round(float(value), 2) for q, value in zip(PERCENTILES, found, strict=True)}
    return values | {"mean": round(float(np.mean(milliseconds)), 2), "max": round(float(max(milliseconds)), 2)}
