"""SVG drawings."""

from __future__ import annotations

from ingest.protocols import Limits
from rag.documents import ImageData


def rasterise(data: bytes, limits: Limits) -> ImageData | None:  # noqa: ARG001
    """The drawing as a picture, or None when it cannot be drawn."""
    return None
