"""Fine ranking: a reranker reads question and passage together and orders the first hits anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answers import Hit
from rag.protocols import Reranker


def rerank(reranker: Reranker, question: str, hits: Sequence[Hit], depth: int) -> list[Hit]:
    """The first `depth` hits by the reranker's score, the rest behind them in their old order. Raises EncoderUnavailable."""
    head = hits[:depth]
    scores = reranker.score(question, [hit.chunk.text for hit in head])
    ranked = sorted(zip(head, scores, strict=True), key=lambda pair: -pair[1])
    return [replace(hit, score=score) for hit, score in ranked] + list(hits[depth:])
