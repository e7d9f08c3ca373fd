"""A text encoder that remembers the questions it was last asked: a repeated question, or another page of its hits, costs no forward."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rag.encoders.wrapped import WrappedTextEncoder
from rag.protocols import TextEncoder, Vectors


class QueryCachedEncoder(WrappedTextEncoder):
    """Satisfies TextEncoder over another one; `size` questions are remembered, the longest unused is forgotten first.

    A vector of 384 dimensions takes 1.5 kB. Passages are not remembered. Safe to use from several threads.
    """

    def __init__(self, inner: TextEncoder, size: int) -> None:
        super().__init__(inner)
        self._size = size
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._guard = threading.Lock()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        found = self._recall(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            # Encoded outside the lock: two who ask the same at once both encode it, and nobody waits for another's question.
            made = dict(zip(missing, self._inner.encode_queries(missing), strict=True))
            found |= made
            self._keep(made)
        vectors = np.empty((len(texts), self.space.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = found[text]
        return vectors

    def _recall(self, texts: Sequence[str]) -> dict[str, Vectors]:
        found = {}
        with self._guard:
            for text in texts:
                if text in self._known:
                    self._known.move_to_end(text)
                    found[text] = self._known[text]
        return found

    def _keep(self, made: dict[str, Vectors]) -> None:
        with self._guard:
            for text, vector in made.items():
                self._known[text] = vector.copy()
            while len(self._known) > self._size:
                self._known.popitem(last=False)
