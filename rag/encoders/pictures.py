"""Bytes of a picture -> upright RGB pixels, with a bound on what is ever decoded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import numpy as np

from rag.documents import ImageData
from rag.errors import CorruptFile, LimitExceeded

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000")
"""Raster formats only: Pillow would hand EPS to Ghostscript, which runs programs."""

MAX_PIXELS = 100_000_000
"""What the parsers let through; 300 MB as RGB."""


def open_rgb(
    image: ImageData,
    *,
    max_pixels: int = MAX_PIXELS,
    max_side: int | None = None,
    backdrop: Literal["white", "contrast"] = "white",
) -> Image.Image:
    """The first frame as upright RGB, with its longer side at most `max_side` pixels where that is given.

    Transparent pixels show the backdrop: white, or the contrast of what is drawn (white letters stay readable).
    Raises CorruptFile, and LimitExceeded before more than `max_pixels` are decoded.
    """
    from PIL import Image, ImageOps

    try:
        picture: Image.Image = Image.open(io.BytesIO(image.data), formats=FORMATS)
        if max_side is not None:
            # A JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough (twice the wanted size, for quality); a no-op elsewhere.
            picture.draft(picture.mode, (2 * max_side, 2 * max_side))
        if picture.width * picture.height > max_pixels:
            raise LimitExceeded(
                f"A picture has {picture.width} x {picture.height} pixels, more than the limit of {max_pixels:,}.",
                "Scale it down, or raise the limit of pixels.",
            )
        picture = ImageOps.exif_transpose(picture)
        if max_side is not None and max(picture.size) > max_side and picture.mode not in {"P", "PA", "1"}:
            picture.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
        rgb = _flatten(picture, backdrop)
        if max_side is not None and max(rgb.size) > max_side:
            rgb.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    except (LimitExceeded, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise LimitExceeded(f"A picture is too large: {error}.", "Scale it down.") from error
    except Exception as error:
        # Pillow's decoders raise whatever a broken file makes them stumble over: OSError, SyntaxError, struct.error, …
        raise CorruptFile(
            f"A picture ({image.media_type}, {len(image.data):,} bytes) cannot be decoded: {error}.",
            "Save it again as PNG or JPEG.",
        ) from error
    return rgb


def _flatten(picture: Image.Image, backdrop: Literal["white", "contrast"]) -> Image.Image:
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(picture)
    if picture.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        colour = (255, 255, 255)
        if backdrop == "contrast":
            alpha = np.asarray(rgba.getchannel("A"))
            drawn = np.asarray(rgba.convert("L"))[alpha > 127]
            if drawn.size and float(drawn.mean()) > 170:
                colour = (0, 0, 0)
        below = Image.new("RGB", rgba.size, colour)
        below.paste(rgba, mask=rgba.getchannel("A"))
        return below
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scientific pictures (16 bit, float) by their own range: Pillow's conversion would clip them to white."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
