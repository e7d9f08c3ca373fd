from __future__ import annotations

import io

from PIL import Image

from ingest.crop import MARGIN, cropped
from rag.documents import Box


def page(width: int, height: int) -> bytes:
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), (100, 200, 140, 240))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_a_box_in_points_is_cut_out_of_the_pixels() -> None:
    # Two pixels for a point: the red square is 50..70 × 100..120 points.
    made = cropped(page(400, 600), 200.0, Box(1, 50, 100, 70, 120))
    assert made is not None
    assert (made.width, made.height) == (40 + 4 * MARGIN + 1, 40 + 4 * MARGIN + 1)
    with Image.open(io.BytesIO(made.data)) as opened:
        margin = int(2 * MARGIN)
        assert opened.getpixel((0, 0)) == (255, 255, 255)
        assert opened.getpixel((margin, margin)) == (255, 0, 0)
        assert opened.getpixel((margin + 39, margin + 39)) == (255, 0, 0)


def test_the_margin_ends_at_the_page_and_a_box_outside_is_nothing() -> None:
    whole = cropped(page(400, 600), 200.0, Box(1, 0, 0, 200, 300))
    assert whole is not None
    assert (whole.width, whole.height) == (400, 600)
    assert cropped(page(400, 600), 200.0, Box(1, 500, 0, 600, 10)) is None
