"""A part of a rendered page as a picture of its own."""

from __future__ import annotations

import io

from PIL import Image

from rag.documents import Box, ImageData

MARGIN = 6.0
"""Points around the box: a table's rules stand outside its words."""


def cropped(png: bytes, page_width: float, box: Box) -> ImageData | None:
    """The part of a page that a box covers, `png` being the page, `page_width` its width in points. None for an empty part."""
    with Image.open(io.BytesIO(png)) as page:
        scale = page.width / page_width
        left, top = max(0.0, box.left - MARGIN) * scale, max(0.0, box.top - MARGIN) * scale
        right, bottom = (box.right + MARGIN) * scale, (box.bottom + MARGIN) * scale
        area = (int(left), int(top), min(page.width, int(right) + 1), min(page.height, int(bottom) + 1))
        if area[2] <= area[0] or area[3] <= area[1]:
            return None
        part = page.convert("RGB").crop(area)
    out = io.BytesIO()
    part.save(out, "PNG")
    return ImageData(out.getvalue(), "image/png", part.width, part.height)
