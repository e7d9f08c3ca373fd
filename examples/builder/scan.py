"""Two typed letters as a scanner sees them: grey paper, a little askew, speckled, and no text layer."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from examples.builder import fonts
from examples.builder.drawn_text import LETTER, REPLY

_SIZE = (1240, 1754)
"""A4 at 150 dots per inch."""


def build(path: Path) -> None:
    pages = [_scanned(_letter(), 0.7, 3), _scanned(_reply(), -0.9, 21)]
    canvas = Canvas(str(path), pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle("Letters of 1987 (scan)")
    for page in pages:
        canvas.drawImage(ImageReader(io.BytesIO(page)), 0, 0, *A4)
        canvas.showPage()
    canvas.save()


def _letter() -> Image.Image:
    page = Image.new("L", _SIZE, 246)
    draw = ImageDraw.Draw(page)
    y = 150
    for index, line in enumerate(LETTER):
        if index < 2:
            font = fonts.latin(34, bold=True) if index == 0 else fonts.latin(24)
            draw.text((_SIZE[0] / 2, y), line, 45, font, "ma")
        elif index == 3:
            draw.text((1100, y), line, 45, fonts.latin(25), "ra")
        else:
            draw.text((140, y), line, 45, fonts.latin(25))
        y += 48 if line else 26
    return page


def _reply() -> Image.Image:
    page = Image.new("L", _SIZE, 243)
    draw = ImageDraw.Draw(page)
    y = 170
    for index, line in enumerate(REPLY):
        if index == 0:
            draw.text((_SIZE[0] / 2, y), line, 50, fonts.chinese(52), "ma")
        else:
            draw.text((150, y), line, 50, fonts.chinese(34))
        y += 78 if index == 0 else 66 if line else 34
    # The seal of the tea garden: a ring without words.
    draw.ellipse((400, y - 190, 570, y - 20), outline=170, width=6)
    draw.ellipse((460, y - 130, 510, y - 80), outline=170, width=4)
    return page


def _scanned(page: Image.Image, degrees: float, seed: int) -> bytes:
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=238).filter(ImageFilter.GaussianBlur(0.6))
    random = np.random.default_rng(seed)
    pixels = np.asarray(page, np.float32)
    shade = np.linspace(0, -9, pixels.shape[1], dtype=np.float32)[None, :]
    noise = random.normal(0, 3.5, pixels.shape).astype(np.float32)
    specks = random.random(pixels.shape) < 0.00012
    pixels = np.where(specks, 120, pixels + shade + noise)
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=55, dpi=(150, 150))
    return out.getvalue()
