"""Scores from a server: the shape of Cohere and Jina (`/v1/rerank`, also vLLM's) or of Text Embeddings Inference (`/rerank`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from rag.retrying import JsonClient

if TYPE_CHECKING:
    import httpx

SETTING = "retrieval.reranker_url"


class RemoteReranker:
    """`base_url` ends before `/rerank`. `shape` "cohere" sends `documents` and reads `results[].relevance_score`; "tei"
    sends `texts` and reads `[].score`. Raises EncoderUnavailable.
    """

    def __init__(
        self,
        base_url: str,
        model: str = "",
        *,
        shape: Literal["cohere", "tei"] = "cohere",
        api_key: str = "",
        batch_size: int = 64,
        timeout: float = 60.0,
        attempts: int = 3,
        client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = JsonClient(
            base_url, setting=SETTING, api_key=api_key, timeout=timeout, attempts=attempts, client=client, sleep=sleep
        )
        self._model, self._shape, self._batch_size = model, shape, batch_size

    @property
    def name(self) -> str:
        return f"remote {self._model or 'reranker'}"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        scores: list[float] = []
        for start in range(0, len(texts), self._batch_size):
            scores.extend(self._request(question, texts[start : start + self._batch_size]))
        return scores

    def _request(self, question: str, texts: Sequence[str]) -> list[float]:
        answer = self._http.post("/rerank", self._body(question, texts))
        key = "relevance_score" if self._shape == "cohere" else "score"
        try:
            rows = answer["results"] if self._shape == "cohere" else answer
            found = {int(row["index"]): float(row[key]) for row in rows}
            return [found[index] for index in range(len(texts))]
        except (KeyError, TypeError, ValueError) as error:
            raise self._http.unexpected(f"not one score for each text in its answer ({str(answer)[:120]})") from error

    def _body(self, question: str, texts: Sequence[str]) -> dict[str, object]:
        if self._shape == "tei":
            return {"query": question, "texts": list(texts), "truncate": True}
        body: dict[str, object] = {"query": question, "documents": list(texts), "top_n": len(texts)}
        return {"model": self._model, **body} if self._model else body
