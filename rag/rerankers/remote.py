"""Scores from a server: the shapes of Cohere, Jina and vLLM (`/v1/rerank`) and of Text Embeddings Inference (`/rerank`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rag.retrying import JsonClient

if TYPE_CHECKING:
    import httpx

SETTING = "retrieval.reranker_url"

Name = Literal["cohere", "jina", "tei", "vllm"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The names by which a server knows the texts, the list of its answer (empty: the answer is the list) and a score."""

    texts: str
    rows: str
    score: str
    counted: bool
    """Whether it wants to be told how many it shall return."""
    further: tuple[tuple[str, Any], ...] = ()


SHAPES: dict[Name, Shape] = {
    "cohere": Shape("documents", "results", "relevance_score", True),
    "jina": Shape("documents", "results", "relevance_score", True, (("return_documents", False),)),
    # vLLM cuts at the model's length only when told; -1 is that length.
    "vllm": Shape("documents", "results", "relevance_score", True, (("truncate_prompt_tokens", -1),)),
    "tei": Shape("texts", "", "score", False, (("truncate", True),)),
}


class RemoteReranker:
    """`base_url` ends before `/rerank`. The templates are for servers that pass texts to the model as they come (vLLM with
    Qwen3-Reranker): `{query}` and `{document}` stand for the texts. Raises EncoderUnavailable.
    """

    def __init__(
        self,
        base_url: str,
        model: str = "",
        *,
        shape: Name = "cohere",
        query_template: str = "{query}",
        document_template: str = "{document}",
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
        self._model, self._shape, self._batch_size = model, SHAPES[shape], batch_size
        self._templates = (query_template, document_template)

    @property
    def name(self) -> str:
        return f"remote {self._model or 'reranker'}"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        scores: list[float] = []
        for start in range(0, len(texts), self._batch_size):
            scores.extend(self._request(question, texts[start : start + self._batch_size]))
        return scores

    def _request(self, question: str, texts: Sequence[str]) -> list[float]:
        shape = self._shape
        answer = self._http.post("/rerank", self._body(question, texts))
        try:
            rows = answer[shape.rows] if shape.rows else answer
            found = {int(row["index"]): float(row[shape.score]) for row in rows}
            return [found[index] for index in range(len(texts))]
        except (KeyError, TypeError, ValueError) as error:
            raise self._http.unexpected(f"not one score for each text in its answer ({str(answer)[:120]})") from error

    def _body(self, question: str, texts: Sequence[str]) -> dict[str, object]:
        shape, (asked, read) = self._shape, self._templates
        body: dict[str, object] = {"model": self._model} if self._model else {}
        # Not str.format: a text may have braces.
        body["query"] = asked.replace("{query}", question)
        body[shape.texts] = [read.replace("{document}", text) for text in texts]
        if shape.counted:
            body["top_n"] = len(texts)
        return body | dict(shape.further)
