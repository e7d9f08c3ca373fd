"""Pictures on the pages of a PDF: where they are, and their pixels as displayed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ctypes import c_int
from dataclasses import dataclass
from typing import Any

from ingest.layout.runs import Rect
from ingest.render import draw, jpeg, png
from rag.documents import ImageData

MIN_PIXELS = 32
"""Smaller pictures are bullets, rules and icons."""
MAX_PICTURES = 400
"""On one page; a page with more is a drawing made of tiles."""
MAX_SIDE = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, or several that touch and make one: its box, its pixels per point, and what its bytes are."""

    box: Rect
    density: float
    key: str


def pictures_of(page: Any, *, max_pixels: int) -> tuple[list[Picture], int]:
    """Pictures of a page of pypdfium2, and how many were left out because they have more than `max_pixels`."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    whole = Rect(0.0, 0.0, width, height)
    found: list[Picture] = []
    refused = 0
    for count, item in enumerate(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=6)):
        if count >= MAX_PICTURES:
            break
        pixels = item.get_px_size()
        if pixels[0] * pixels[1] > max_pixels:
            refused += 1
            continue
        box = _box(page, item, whole)
        if box.width < 2 or box.height < 2:
            continue
        found.append(Picture(box, max(pixels) / max(box.width, box.height), _key(item, pixels)))
    return [
        picture
        for picture in _joined(found)
        if min(picture.box.width, picture.box.height) * picture.density >= MIN_PIXELS
    ], refused


def crop(page: Any, box: Rect, density: float) -> ImageData:
    """The part of a page in that box as displayed, with about the pixels that the picture itself has.

    Drawing instead of copying the embedded bytes applies masks, colour spaces, rotation and what is drawn over it.
    """
    width, height = page.get_size()
    scale = min(max(density, 1.5), 4.0, MAX_SIDE / max(box.width, box.height))
    picture = draw_part(page, box.clipped(width, height), scale)
    few_colours = picture.getcolors(4096) is not None
    data = png(picture) if few_colours else jpeg(picture)
    return ImageData(data, "image/png" if few_colours else "image/jpeg", picture.width, picture.height)


def draw_part(page: Any, box: Rect, scale: float) -> Any:
    width, height = page.get_size()
    bitmap = page.render(
        scale=scale, crop=(box.left, height - box.bottom, width - box.right, box.top), may_draw_forms=False
    )
    try:
        return bitmap.to_pil().convert("RGB")
    finally:
        bitmap.close()


def _box(page: Any, item: Any, whole: Rect) -> Rect:
    """Bounds in points from the top left corner of the page as displayed."""
    left, bottom, right, top = item.get_bounds()
    corners = [(left, bottom), (left, top), (right, bottom), (right, top)]
    form = item.container
    while form is not None:
        matrix = form.get_matrix()
        corners = [matrix.on_point(x, y) for x, y in corners]
        form = form.container
    placed = [to_displayed(page, x, y) for x, y in corners]
    box = Rect(
        min(x for x, _ in placed), min(y for _, y in placed), max(x for x, _ in placed), max(y for _, y in placed)
    )
    return box.clipped(whole.right, whole.bottom)


def to_displayed(page: Any, x: float, y: float) -> tuple[float, float]:
    """A point of the page's own space as displayed: crop box and rotation applied, origin top left."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    fine = 20.0
    device_x, device_y = c_int(), c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, round(width * fine), round(height * fine), 0, x, y, device_x, device_y)
    return device_x.value / fine, device_y.value / fine


def _key(item: Any, pixels: tuple[int, int]) -> str:
    """What the picture is, cheaply: its size and the start of its encoded bytes."""
    import pypdfium2.raw as pdfium

    size = pdfium.FPDFImageObj_GetImageDataRaw(item, None, 0)
    digest = hashlib.sha256(f"{pixels} {size} ".encode())
    if 0 < size <= 20_000_000:
        digest.update(bytes(item.get_data(decode_simple=False)))
    return digest.hexdigest()


def _joined(pictures: Sequence[Picture], gap: float = 2.0) -> list[Picture]:
    """Strips and tiles of one picture put together."""
    groups: list[list[Picture]] = []
    for picture in pictures:
        near = [group for group in groups if any(_touch(picture.box, other.box, gap) for other in group)]
        joined = [picture, *(other for group in near for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(joined)
    made = []
    for group in groups:
        ordered = sorted(group, key=lambda picture: (picture.box.top, picture.box.left))
        key = (
            ordered[0].key
            if len(ordered) == 1
            else hashlib.sha256("".join(p.key for p in ordered).encode()).hexdigest()
        )
        made.append(Picture(Rect.around(p.box for p in ordered), max(p.density for p in ordered), key))
    return sorted(made, key=lambda picture: (picture.box.top, picture.box.left))


def _touch(a: Rect, b: Rect, gap: float) -> bool:
    return a.left - gap <= b.right and b.left - gap <= a.right and a.top - gap <= b.bottom and b.top - gap <= a.bottom


__all__ = ["Picture", "crop", "draw", "draw_part", "pictures_of", "to_displayed"]
