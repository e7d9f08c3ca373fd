"""Vectors from a server in the shape of OpenAI's `/v1/embeddings`: vLLM, TEI, Ollama, LM Studio, OpenAI itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.protocols import Space, Vectors
from rag.retrying import JsonClient
from rag.words import words

if TYPE_CHECKING:
    import httpx

SETTING = "encoder.base_url"


class RemoteTextEncoder:
    """`base_url` ends before `/embeddings`, as for OpenAI's clients (`http://host:8000/v1`).

    The server names no weights, so the space is that of its model's name: whoever puts other weights behind the same name
    has to embed again. With `dimension` 0 the first answer tells it (one call, at the first use of `space`).
    Raises EncoderUnavailable when the server does not answer after the retries, or answers in another shape.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        dimension: int = 0,
        api_key: str = "",
        query_prefix: str = "",
        passage_prefix: str = "",
        max_tokens: int = 512,
        batch_size: int = 64,
        timeout: float = 60.0,
        attempts: int = 4,
        client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = JsonClient(
            base_url, setting=SETTING, api_key=api_key, timeout=timeout, attempts=attempts, client=client, sleep=sleep
        )
        self._model, self._dimension, self._batch_size = model, dimension, batch_size
        self._query_prefix, self._passage_prefix, self._max_tokens = query_prefix, passage_prefix, max_tokens

    @property
    def space(self) -> Space:
        rules = f"remote; query={self._query_prefix!r} passage={self._passage_prefix!r}"
        return Space(self._model, "", self._known_dimension(), rules)

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An upper estimate, since the server's tokenizer is not here: two tokens a word, at least one per three bytes."""
        return [max(2 * len(words(text)), len(text.encode()) // 3) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._query_prefix + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._passage_prefix + text for text in texts])

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._known_dimension()), np.float32)
        for start in range(0, len(texts), self._batch_size):
            batch = texts[start : start + self._batch_size]
            vectors[start : start + len(batch)] = self._request(batch)
        return vectors

    def _known_dimension(self) -> int:
        if not self._dimension:
            self._dimension = self._request(["."]).shape[1]
        return self._dimension

    def _request(self, texts: Sequence[str]) -> Vectors:
        # Servers refuse an empty string; a full stop says as little.
        body = {
            "model": self._model,
            "input": [text if text.strip() else "." for text in texts],
            "encoding_format": "float",
        }
        answer = self._http.post("/embeddings", body)
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise self._http.unexpected(f"no embeddings in its answer ({_brief(answer)})") from error
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise self._http.unexpected(f"{len(rows)} vectors came for {len(texts)} texts")
        if self._dimension and vectors.shape[1] != self._dimension:
            raise self._http.unexpected(
                f"its vectors have {vectors.shape[1]} dimensions, the setting encoder.dimension says {self._dimension}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise self._http.unexpected("a vector is zero or not finite")
        return np.asarray(vectors / lengths, np.float32)


def _brief(answer: Any) -> str:
    return str(answer)[:120]
