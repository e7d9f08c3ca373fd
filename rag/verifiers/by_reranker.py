"""A reranker as verifier: how relevant the evidence is to the claim, as a probability."""

from __future__ import annotations

from collections.abc import Sequence

from rag.protocols import Reranker


class RerankerVerifier:
    """`reranker` scores in [0, 1] (rag/rerankers/probability.py makes it so). Relevance is not entailment: what is exact was checked before."""

    def __init__(self, reranker: Reranker, threshold: float = 0.5) -> None:
        self._reranker = reranker
        self.threshold = threshold

    @property
    def name(self) -> str:
        return f"reranker {self._reranker.name}"

    def probabilities(self, claim: str, evidence: Sequence[str]) -> list[float]:
        return [min(1.0, max(0.0, score)) for score in self._reranker.score(claim, evidence)]
