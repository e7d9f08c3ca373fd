"""The figures of a run from the records of its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eval.metrics.ranking import mean


def metrics(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Means over the questions that have the measure, and how well the system knew what it does not know."""
    values = mean({record["id"]: record["metrics"] for record in records})
    return {name: round(value, 6) for name, value in (values | _abstention(records)).items()}


def latency(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Median and 95th percentile of a search in milliseconds, one question at a time."""
    if not records:
        return {}
    p50, p95 = np.percentile([record["ms"] for record in records], [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _abstention(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Precision: of the abstentions, those to unanswerable questions. Recall: of the unanswerable questions, those abstained
    from. Only where answers were measured and both can be told."""
    answered = [record for record in records if "answer" in record]
    unanswerable = sum(not record["answerable"] for record in answered)
    abstained = [record for record in answered if record["answer"]["abstained"]]
    right = sum(not record["answerable"] for record in abstained)
    values: dict[str, float] = {}
    if unanswerable:
        values["abstention_recall"] = right / unanswerable
    if abstained and unanswerable:
        values["abstention_precision"] = right / len(abstained)
    return values
