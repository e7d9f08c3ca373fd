"""Pictures for a generator that sees: figures among the passages, and the part of the page where a table stands, within a budget.

A vision model turns pixels into tokens (28 x 28 pixels are one, in Qwen2-VL), so the budget is one of pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answers import Hit, Passage
from rag.documents import ImageData
from rag.protocols import LabelledImage, Message

Look = Callable[[Hit], ImageData | None]
"""What a hit looks like: its picture, or a crop of its page; None where there is nothing to see."""

READABLE = frozenset({"image/png", "image/jpeg", "image/webp"})
"""Media types that servers take."""
LEAST_SIDE = 28
"""Pixels: what is smaller is a rule or a bullet."""


def nothing_to_see(_: Hit) -> ImageData | None:
    return None


def illustrate(
    passages: Sequence[Passage], look: Look, label: Callable[[int], str], *, limit: int, pixels: int
) -> tuple[LabelledImage, ...]:
    """At most `limit` pictures with `pixels` pixels together: figures first, then tables, each in the order of the passages."""
    wanted = [p for kind in ("image", "table") for p in passages if p.hit.chunk.kind == kind]
    found: list[LabelledImage] = []
    for passage in wanted:
        if len(found) == limit:
            break
        image = look(passage.hit)
        shown = fitted(image, pixels // limit) if image is not None else None
        if shown is not None:
            found.append(LabelledImage(label(passage.number), shown))
    return tuple(found)


def fitted(image: ImageData, pixels: int) -> ImageData | None:
    """The picture with at most so many pixels, in a type that servers take; None for one that cannot be drawn or shows nothing."""
    if min(image.width, image.height) < LEAST_SIDE:
        return None
    if image.media_type in READABLE and image.width * image.height <= pixels:
        return image
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(image.data)) as opened:
            scale = min(1.0, (pixels / (opened.width * opened.height)) ** 0.5)
            size = (max(1, int(opened.width * scale)), max(1, int(opened.height * scale)))
            # A decoder that can, reads a large JPEG small.
            opened.draft("RGB", size)
            drawn = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError):
        return None
    out = io.BytesIO()
    if image.media_type == "image/jpeg":
        drawn.save(out, "JPEG", quality=90)
        return ImageData(out.getvalue(), "image/jpeg", *size)
    drawn.save(out, "PNG")
    return ImageData(out.getvalue(), "image/png", *size)


def pictures_of(messages: Sequence[Message]) -> int:
    return sum(len(message.images) for message in messages)


def with_fewer_pictures(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The same with the first half of the pictures, of one with none: for a server to which they were too many, or any."""
    room = pictures_of(messages) // 2
    kept: list[Message] = []
    for message in messages:
        kept.append(replace(message, images=message.images[:room]))
        room -= len(kept[-1].images)
    return tuple(kept)
