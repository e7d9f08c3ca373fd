"""Deterministic adapters that need no weights, for tests and dry runs. They satisfy the same contracts as the real ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from rag.protocols import Space, Tokens, Vectors
from rag.words import content_words, sentences, words


class HashingTextEncoder:
    """Bag of words by feature hashing (Weinberger et al., 2009): texts that share words have a high cosine.

    Each word goes to one dimension with a sign, both from its hash, weighted by 1 + log(count). A question differs from
    the same passage by one constant dimension, so that nobody confuses the two unnoticed.
    """

    def __init__(self, dimension: int = 256, max_tokens: int = 512) -> None:
        self._space = Space("hashing", "0" * 64, dimension, "bag of words, feature hashing, v1")
        self._max_tokens = max_tokens

    @property
    def space(self) -> Space:
        return self._space

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, 0.1)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, -0.1)

    def question_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._tokens(texts)

    def passage_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._tokens(texts)

    def _tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """A vector a word, and that of the whole text."""
        whole = self._encode(texts, 0.0)
        found = []
        for text, pooled in zip(texts, whole, strict=True):
            said = [(n, word) for n, sentence in enumerate(sentences(text)) for word in content_words(sentence)]
            numbers = np.array([n for n, _ in said] or [0], np.int32)
            found.append(Tokens(self._encode([word for _, word in said] or [""], 0.0), pooled, numbers))
        return found

    def _encode(self, texts: Sequence[str], kind: float) -> Vectors:
        vectors = np.zeros((len(texts), self._space.dimension), np.float32)
        for row, text in enumerate(texts):
            for word, count in Counter(content_words(text)).items():
                digest = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
                sign = 1.0 if digest & 1 else -1.0
                vectors[row, 1 + (digest >> 1) % (self._space.dimension - 1)] += sign * (1 + np.log(count))
            # Also keeps a text without words at unit length.
            vectors[row, 0] = kind * max(1.0, float(np.linalg.norm(vectors[row])))
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors / lengths if len(texts) else vectors


class FakeReranker:
    """Scores a text by the share of the question's words that it holds, in [0, 1]."""

    @property
    def name(self) -> str:
        return "word overlap"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        asked = set(content_words(question)) or set(words(question))
        return [len(asked & set(words(text))) / len(asked) if asked else 0.0 for text in texts]


class FakeAligner:
    """Aligns passages by the share of the question's words that they hold, in [0, 1]."""

    @property
    def name(self) -> str:
        return "word overlap"

    def align(self, question: str, items: Sequence[str]) -> list[float]:
        return FakeReranker().score(question, items)
