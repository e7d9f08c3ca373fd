"""Pictures of pages inside the report, within a budget: each page once, however many failures show it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eval.report.reading import Place

PageImage = Callable[[str, int], bytes | None]
"""The picture of a page by the document's name, PNG, JPEG or WebP, `PIXELS_PER_POINT` for each point; None where there is none."""

PIXELS_PER_POINT = 2.0
LARGEST = (760, 900)
"""Pixels of an embedded page: its body text can still be read, and it takes 20 to 60 kB."""
QUALITY = 55
_KINDS = frozenset({"PNG", "JPEG", "WEBP"})


@dataclass(frozen=True, slots=True)
class Picture:
    """`id` is that of the element in the page, `width` and `height` are in points."""

    id: str
    document: str
    page: int
    data: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Pictures:
    """`left_out` counts pages for which the budget did not suffice."""

    by_place: dict[Place, Picture]
    left_out: int = 0

    @property
    def size(self) -> int:
        return sum(len(picture.data) for picture in self.by_place.values())


def collect(places: Iterable[Place], page_image: PageImage | None, budget: int) -> Pictures:
    """`budget` is in bytes of the report. What cannot be shown is left out: a report without a picture is still one."""
    if page_image is None:
        return Pictures({})
    found: dict[Place, Picture] = {}
    left, left_out = budget, 0
    for document, page in dict.fromkeys(places):
        if page is None or left <= 0:
            left_out += page is not None
            continue
        made = _encode(page_image(document, page))
        if made is None:
            continue
        data, width, height = made
        if len(data) > left:
            left_out += 1
            continue
        left -= len(data)
        found[document, page] = Picture(f"page-{len(found) + 1}", document, page, data, width, height)
    return Pictures(found, left_out)


def _encode(data: bytes | None) -> tuple[str, float, float] | None:
    """A data URI, and the size of the page in points. What is not a picture of a known kind is none."""
    if not data:
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.format not in _KINDS:
                return None
            width, height = (side / PIXELS_PER_POINT for side in opened.size)
            picture = opened.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    picture.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}", width, height
