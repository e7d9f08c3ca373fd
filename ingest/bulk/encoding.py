"""Encoders on a cluster, as encoders: each call goes to the actor that is idle."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import Any

from ingest.bulk.actors import EncodeActor
from ingest.bulk.cluster import Cluster
from rag.documents import ImageData
from rag.errors import SpaceMismatch
from rag.protocols import ImageEncoder, Space, TextEncoder, Vectors

_RESTARTS = 5
"""A call is made again, on another machine, when the one that was at it is lost."""

Build = Callable[[], tuple[TextEncoder, ImageEncoder | None]]


class EncodePool:
    """`count` actors that embed. Safe to use from as many threads. Raises SpaceMismatch when a machine has another model."""

    def __init__(
        self, cluster: Cluster, build: Build, space: Space, count: int, *, cpus: float = 1.0, gpus: float = 0.0
    ) -> None:
        self._cluster = cluster
        self.actors = [
            cluster.start(EncodeActor, build, cpus=cpus, gpus=gpus, restarts=_RESTARTS) for _ in range(count)
        ]
        self._idle: queue.Queue[Any] = queue.Queue()
        for actor, reference in [(actor, actor.space.remote()) for actor in self.actors]:
            theirs: Space = cluster.result(reference)
            if theirs != space:
                raise SpaceMismatch(
                    f"A machine of the Ray cluster embeds with {theirs.model} ({theirs.rules}), this one with {space.model} ({space.rules}).",
                    "Install the same version of Tuwen and pull the same weights on every machine: tuwen models verify",
                )
            self._idle.put(actor)

    def call(self, method: str, argument: Any) -> Vectors:
        """Raises what the encoder raises, and Unavailable."""
        actor = self._idle.get()
        try:
            vectors: Vectors = self._cluster.result(getattr(actor, method).remote(argument))
            return vectors
        finally:
            self._idle.put(actor)

    def close(self) -> None:
        for actor in self.actors:
            self._cluster.kill(actor)


class RayTextEncoder:
    """A TextEncoder: passages are encoded on the cluster; questions, and the number of tokens, here."""

    def __init__(self, here: TextEncoder, pool: EncodePool) -> None:
        self._here, self._pool = here, pool

    @property
    def space(self) -> Space:
        return self._here.space

    @property
    def max_tokens(self) -> int:
        return self._here.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._here.count_tokens(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._here.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._pool.call("encode_passages", list(texts))


class RayImageEncoder:
    """An ImageEncoder whose pictures are encoded on the cluster."""

    def __init__(self, here: ImageEncoder, pool: EncodePool) -> None:
        self._here, self._pool = here, pool

    @property
    def space(self) -> Space:
        return self._here.space

    def encode_images(self, images: Sequence[ImageData]) -> Vectors:
        return self._pool.call("encode_images", list(images))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._here.encode_texts(texts)
