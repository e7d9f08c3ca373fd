"""Fine-grained alignment by late interaction: tokens of the question against tokens of a passage or patches of a picture.

MaxSim (Khattab and Zaharia, "ColBERT", SIGIR 2020) takes for every token of the question its best match in the item; FILIP (Yao et
al., ICLR 2022) does the same between words and patches. How much a token of the question counts is its attention: a softmax over
its cosine with the question's pooled vector. The result is fused with the cosine of the two pooled vectors.

    s(q, d) = λ · q̄·d̄ + (1 − λ) · Σ_i a_i max_j q_i·d_j        a = softmax_i(q_i·q̄ / τ)

With a window, j runs over so many neighbouring sentences at a time, and the best of them counts: in a long passage every word of a question
finds something somewhere, and an answer stands in one place.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rag.protocols import Tokens, Vectors

Thing = TypeVar("Thing")

CACHE_BYTES = 256_000_000
"""Of token vectors in 16 bits: 1,700 passages of 200 tokens and 384 dimensions."""
BATCH = 32
WHOLE, SENTENCES = 1 / 3, 2
"""λ and window of the reranker: docs/reranking.md has what others gave."""


class LateInteraction(Generic[Thing]):
    """Satisfies `rag.protocols.Aligner[Thing]`. `questions` and `items` give token vectors, in order; `key` names an item's content.

    `pooled` is λ, `temperature` τ (`None` weighs all tokens alike), `window` how many sentences are matched at a time (0: the whole). What
    was encoded is kept up to `cache_bytes`, the least recently used going first. Safe to use from several threads.
    """

    def __init__(
        self,
        name: str,
        questions: Callable[[Sequence[str]], list[Tokens]],
        items: Callable[[Sequence[Thing]], list[Tokens]],
        key: Callable[[Thing], str],
        *,
        pooled: float = 0.5,
        temperature: float | None = None,
        window: int = 0,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._name, self._questions, self._items, self._key = name, questions, items, key
        self._pooled, self._temperature, self._window = pooled, temperature, window
        self._cache, self._guard = _Cache(cache_bytes), threading.Lock()

    @property
    def name(self) -> str:
        return f"late interaction {self._name}"

    def align(self, question: str, items: Sequence[Thing]) -> list[float]:
        if not items:
            return []
        (asked,) = self._questions([question])
        weights = attention(asked, self._temperature)
        return [
            self._pooled * float(asked.pooled @ item.pooled)
            + (1 - self._pooled)
            * max_similarity(asked.tokens, item.tokens, weights, item.sentences if self._window else None, self._window)
            for item in self._tokens(items)
        ]

    def score(self: LateInteraction[str], question: str, texts: Sequence[str]) -> list[float]:
        """Satisfies `rag.protocols.Reranker`, over texts."""
        return self.align(question, texts)

    def _tokens(self, items: Sequence[Thing]) -> list[Tokens]:
        keys = [self._key(item) for item in items]
        with self._guard:
            found = {key: kept for key in keys if (kept := self._cache.get(key)) is not None}
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in found}
        order = list(missing)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            made = dict(zip(part, self._items([missing[key] for key in part]), strict=True))
            found |= made
            with self._guard:
                for key, tokens in made.items():
                    self._cache.put(key, tokens)
        return [found[key] for key in keys]


def attention(question: Tokens, temperature: float | None) -> Vectors:
    """Weights `[tokens]` that sum to 1."""
    count = len(question.tokens)
    if temperature is None:
        return np.full(count, 1 / max(1, count), np.float32)
    logits = question.tokens @ question.pooled / temperature
    raised = np.exp(logits - logits.max(initial=0.0))
    return np.asarray(raised / max(float(raised.sum()), 1e-12), np.float32)


def max_similarity(
    question: Vectors, item: Vectors, weights: Vectors, sentences: npt.NDArray[np.int32] | None = None, window: int = 0
) -> float:
    """Σ_i w_i max_j q_i·d_j of unit vectors `[n, dimension]` and `[m, dimension]`; in [−1, 1]. 0 where either has no token.

    With `sentences` `[m]`, the largest of it over all `window` neighbouring sentences."""
    if not len(question) or not len(item):
        return 0.0
    alike = question @ item.T
    if sentences is None:
        return float(alike.max(axis=1) @ weights)
    begins = np.flatnonzero(np.diff(sentences, prepend=-1))
    best = np.maximum.reduceat(alike, begins, axis=1)
    wide = min(window, best.shape[1])
    over = np.lib.stride_tricks.sliding_window_view(best, wide, axis=1).max(axis=-1)
    return float((weights @ over).max())


class _Cache:
    def __init__(self, limit: int) -> None:
        self._kept: OrderedDict[str, Tokens] = OrderedDict()
        self._limit, self._bytes = limit, 0

    def get(self, key: str) -> Tokens | None:
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        kept = self._kept[key]
        return replace(kept, tokens=kept.tokens.astype(np.float32))

    def put(self, key: str, item: Tokens) -> None:
        small = item.tokens.astype(np.float16)
        if key in self._kept:
            return
        self._kept[key] = replace(item, tokens=small)  # type: ignore[arg-type]
        self._bytes += small.nbytes
        while self._bytes > self._limit and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.tokens.nbytes
