"""Bulk ingest on many machines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from api.settings import Settings
from rag.protocols import ImageEncoder, TextEncoder

if TYPE_CHECKING:
    from ingest.bulk.farm import Farm
from api.wiring.encoders import image_encoder, text_encoder
from api.wiring.reading import parse_worker, toolbox


def _encoders(settings: Settings) -> tuple[TextEncoder, ImageEncoder | None]:
    return text_encoder(settings), image_encoder(settings)


def farm(settings: Settings) -> Farm:
    """The Ray cluster of `ingest.ray`. Raises ExtraMissing, BadSetting, Unavailable."""
    from ingest.bulk.farm import Farm, Recipe

    chosen = settings.ingest
    # Several actors may share a machine: none of them takes all of its processors.
    threads = settings.encoder.threads or max(1, int(chosen.ray_encoder_cpus))
    there = settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"threads": threads})})
    recipe = Recipe(
        partial(toolbox, settings),
        partial(_encoders, there),
        partial(parse_worker, settings),
        chosen.worker_memory,
        chosen.workers,
        chosen.ray_encoders,
        chosen.ray_encoder_cpus,
        chosen.ray_encoder_gpus,
    )
    return Farm(chosen.ray, recipe)
