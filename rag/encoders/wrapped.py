"""A text encoder over another one: what it does not do otherwise, the inner one does."""

from __future__ import annotations

from collections.abc import Sequence

from rag.protocols import Space, TextEncoder, Vectors


class WrappedTextEncoder:
    """Satisfies TextEncoder; the vectors stay in the space of the inner encoder."""

    def __init__(self, inner: TextEncoder) -> None:
        self._inner = inner

    @property
    def space(self) -> Space:
        return self._inner.space

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count_tokens(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._inner.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._inner.encode_passages(texts)
