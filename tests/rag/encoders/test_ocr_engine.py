from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.documents import ImageData
from rag.encoders import ocr_engine
from rag.encoders.ocr import RapidOcr
from rag.encoders.ocr_engine import letters_beside, small_lines

BODY = "The committee met on the third day of March and heard the report"
PRINT = "Fees are charged monthly in arrears and may be changed by the bank without further notice"


def _quad(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _page(small: int) -> Image.Image:
    """A page of A4 at 150 dots an inch: twelve lines of 22 pixels, and at its foot that many of 10 pixels (under 5 points)."""
    picture = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(picture)
    for number in range(12):
        draw.text((100, 100 + 40 * number), f"{number} {BODY}", fill="black", font=ImageFont.load_default(22))
    for number in range(small):
        draw.text((100, 1600 + 16 * number), f"{number} {PRINT}", fill="black", font=ImageFont.load_default(10))
    return picture


def test_lines_that_were_seen_small_are_counted() -> None:
    quads = np.array([_quad(0, 0, 300, 20), _quad(0, 30, 300, 42), _quad(0, 60, 14, 72), _quad(20, 100, 32, 400)])
    assert small_lines(quads.astype(np.float32), 0.5) == 2, "the short one may be any mark, the upright one is a line"
    assert small_lines(quads.astype(np.float32), 0.9) == 0


def test_letters_outside_of_lines_are_counted() -> None:
    pixels = np.full((200, 300, 3), 255, np.uint8)
    pixels[20:30, 20:280:10] = 0  # a row of strokes one pixel wide, which are no letters
    pixels[60:70, 20:280] = 0  # a rule
    for left in range(20, 280, 10):
        pixels[100:110, left : left + 5] = 0
        pixels[150:160, left : left + 5] = 0
    assert letters_beside(pixels, np.empty((0, 4, 2), np.float32)) == 52
    assert letters_beside(pixels, np.array([_quad(15, 95, 285, 115)], np.float32)) == 26


@pytest.mark.model
@pytest.mark.parametrize(("small", "looks"), [(0, [ocr_engine.COARSE]), (3, [ocr_engine.COARSE, 0])])
def test_small_print_is_looked_for_again(monkeypatch: pytest.MonkeyPatch, small: int, looks: list[int]) -> None:
    seen: list[int] = []
    detect = ocr_engine.LineReader._detect

    def spied(self: ocr_engine.LineReader, pixels: ocr_engine.Pixels, side: int) -> object:
        seen.append(side)
        return detect(self, pixels, side)

    monkeypatch.setattr(ocr_engine.LineReader, "_detect", spied)
    buffer = io.BytesIO()
    picture = _page(small)
    picture.save(buffer, "PNG")
    lines = RapidOcr(threads=2).read(ImageData(buffer.getvalue(), "image/png", *picture.size))
    assert seen == looks
    read = "".join("".join(line.text for line in lines).split())
    assert read.count("".join(BODY.split())) == 12
    assert read.count("bythebankwithoutfurthernotice") == small
