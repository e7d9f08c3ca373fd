"""A text encoder that encodes the questions of callers who come at the same time in one forward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.combining import Combining
from rag.encoders.wrapped import WrappedTextEncoder
from rag.protocols import TextEncoder, Vectors

MAX_BATCH = 32
"""Questions of one forward: more of them take as much longer as they are more."""


class BatchingEncoder(WrappedTextEncoder):
    """Satisfies TextEncoder over another one. Passages go straight through, and so do several questions of one caller: they come in
    batches already."""

    def __init__(self, inner: TextEncoder, max_batch: int = MAX_BATCH) -> None:
        super().__init__(inner)
        self._one: Combining[str, Vectors] = Combining(lambda texts: list(inner.encode_queries(texts)), max_batch)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        if len(texts) != 1:
            return self._inner.encode_queries(texts)
        return self._one(texts[0])[np.newaxis]
