"""A reranker's scores as probabilities: p = 1 / (1 + exp(−(slope · score + intercept))) (Platt, 1999).

(1, 0) is the plain sigmoid, for models that were trained with it (bge-reranker); fitted parameters come from `tuwen eval calibrate`.
The order does not change; blending with coarse scores, thresholds and people read probabilities better than logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from rag.protocols import Reranker


class ProbabilityReranker:
    """Satisfies Reranker over another one. Raises ValueError for a slope that would turn the order round."""

    def __init__(self, inner: Reranker, slope: float = 1.0, intercept: float = 0.0) -> None:
        if slope <= 0:
            raise ValueError(f"the slope is {slope}: better passages would get smaller probabilities")
        self._inner, self._slope, self._intercept = inner, slope, intercept

    @property
    def name(self) -> str:
        return self._inner.name

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        return [self._probability(score) for score in self._inner.score(question, texts)]

    def _probability(self, score: float) -> float:
        logit = self._slope * score + self._intercept
        return 1 / (1 + exp(-logit)) if logit >= 0 else exp(logit) / (1 + exp(logit))
