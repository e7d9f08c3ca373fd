"""A text encoder that encodes the questions of callers who come at the same time in one forward.

Whoever comes while no forward is running begins one at once, so that a single caller never waits. Whoever comes while one is running
waits for it to end; all who wait then go together in the next. (Dynamic batching without a waiting time, as in Clipper, Crankshaw et
al., NSDI 2017.)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.encoders.wrapped import WrappedTextEncoder
from rag.protocols import TextEncoder, Vectors

MAX_BATCH = 32
"""Questions of one forward: more of them take as much longer as they are more."""


@dataclass(slots=True)
class _Waiting:
    """A caller's questions, and what became of them."""

    texts: Sequence[str]
    settled: threading.Event = field(default_factory=threading.Event)
    vectors: Vectors | None = None
    leads: bool = False
    """Whether it is for this caller to run the next forward."""


class BatchingEncoder(WrappedTextEncoder):
    """Satisfies TextEncoder over another one. Passages go straight through: they come in batches already.

    When a forward of several callers fails, each caller's questions are encoded again alone, so that nobody gets another's error.
    """

    def __init__(self, inner: TextEncoder, max_batch: int = MAX_BATCH) -> None:
        super().__init__(inner)
        self._max_batch = max_batch
        self._guard = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._running = False

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        own = _Waiting(list(texts))
        with self._guard:
            if self._running:
                self._waiting.append(own)
            else:
                self._running = own.leads = True
        if not own.leads:
            own.settled.wait()
        if own.leads:
            self._forward(own)
        # Left without vectors by a forward that failed: alone, the error is this caller's.
        return own.vectors if own.vectors is not None else self._inner.encode_queries(own.texts)

    def _forward(self, own: _Waiting) -> None:
        """Encodes what is waiting together with `own`, and hands over to one of those who came meanwhile."""
        with self._guard:
            batch = self._take(own)
        try:
            vectors = self._inner.encode_queries([text for one in batch for text in one.texts])
            start = 0
            for one in batch:
                one.vectors = vectors[start : start + len(one.texts)]
                start += len(one.texts)
        except Exception:
            # Each of them finds no vectors, and asks alone.
            return
        finally:
            with self._guard:
                if self._waiting:
                    follower = self._waiting.pop(0)
                    follower.leads = True
                    follower.settled.set()
                else:
                    self._running = False
            for one in batch:
                one.settled.set()

    def _take(self, own: _Waiting) -> list[_Waiting]:
        batch, count = [own], len(own.texts)
        while self._waiting and count + len(self._waiting[0].texts) <= self._max_batch:
            count += len(self._waiting[0].texts)
            batch.append(self._waiting.pop(0))
        return batch
