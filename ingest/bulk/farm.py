"""What a pipeline needs to work on a cluster: workers for its readers and encoders for its writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest.bulk.cluster import Cluster
from ingest.bulk.encoding import Build, EncodePool, RayImageEncoder, RayTextEncoder
from ingest.bulk.parsing import RayParseWorker
from ingest.embedding import Models
from ingest.protocols import Worker
from ingest.worker import Toolbox


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made on each machine. Everything in it has to be importable there."""

    toolbox: Callable[[], Toolbox]
    encoders: Build
    home: Callable[[], Worker]
    """A worker of this machine."""
    worker_memory: int = 4_000_000_000
    """Resident bytes of a parse process, at most."""
    parsers: int = 1
    encoder_count: int = 1
    encoder_cpus: float = 1.0
    encoder_gpus: float = 0.0


class Farm:
    """Open it for one ingest and close it afterwards. Raises ExtraMissing, BadSetting, Unavailable."""

    def __init__(self, address: str, recipe: Recipe) -> None:
        self._recipe = recipe
        processors = recipe.parsers + recipe.encoder_count * recipe.encoder_cpus
        self._cluster = Cluster(address, int(processors + 0.999))
        self._pool: EncodePool | None = None

    @property
    def parsers(self) -> int:
        return self._recipe.parsers

    def worker(self) -> RayParseWorker:
        recipe = self._recipe
        return RayParseWorker(self._cluster, recipe.toolbox, recipe.worker_memory, recipe.home)

    def models(self, here: Models) -> Models:
        """The models with their encoders on the cluster. Starts those. Raises SpaceMismatch, Unavailable."""
        recipe = self._recipe
        if self._pool is None:
            self._pool = EncodePool(
                self._cluster,
                recipe.encoders,
                here.encoder.space,
                recipe.encoder_count,
                cpus=recipe.encoder_cpus,
                gpus=recipe.encoder_gpus,
            )
        pictures = here.image_encoder
        return replace(
            here,
            encoder=RayTextEncoder(here.encoder, self._pool),
            image_encoder=RayImageEncoder(pictures, self._pool) if pictures is not None else None,
            lanes=recipe.encoder_count,
        )

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        self._cluster.close()

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
