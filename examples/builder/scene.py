"""A picture without a single word: the observatory above the tea terraces, by night."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFilter

from examples.builder.canvas import SCALE, Canvas


def valley_at_night() -> Image.Image:
    width, height = 1000, 640
    c = Canvas(width, height, "#0d1830")
    for row in range(height):
        share = row / height
        colour = tuple(round(a + (b - a) * share) for a, b in ((11, 64), (20, 84), (46, 118)))
        c.draw.rectangle((0, row * SCALE, width * SCALE, (row + 1) * SCALE), colour)
    random = np.random.default_rng(1987)
    for _ in range(260):
        x, y, size = random.uniform(0, width), random.uniform(0, 400), random.uniform(0.5, 1.7)
        c.ellipse((x - size, y - size, x + size, y + size), "#fff6de")
    glow = Image.new("RGB", c.image.size, "black")
    spot = Canvas(width, height, "black")
    spot.ellipse((760, 60, 900, 200), "#6b6a52")
    glow = spot.image.resize((width // 4, height // 4)).filter(ImageFilter.GaussianBlur(14)).resize(c.image.size)
    c.image.paste(
        Image.fromarray(np.clip(np.asarray(c.image, np.int16) + np.asarray(glow, np.int16), 0, 255).astype(np.uint8))
    )
    c.ellipse((785, 85, 875, 175), "#f7ecc4")
    for x, y, r in ((812, 112, 11), (845, 138, 8), (822, 150, 6), (850, 108, 5)):
        c.ellipse((x - r, y - r, x + r, y + r), "#e6d7a5")

    def ridge(top: float, swing: float, waves: float, shift: float) -> list[tuple[float, float]]:
        return [(x, top - swing * math.sin(x / width * math.pi * waves + shift)) for x in range(0, width + 10, 10)]

    c.polygon([(0, height), *ridge(400, 42, 2.6, 0.4), (width, height)], "#2a3d5c")
    hill = [(0, 560), (120, 500), (260, 400), (360, 352), (470, 350), (590, 400), (760, 490), (width, 540)]
    c.polygon([(0, height), *hill, (width, height)], "#1d3040")
    # The dome: a drum, a half sphere, and the open slit with a thread of light.
    c.box((352, 296, 478, 362), "#cfd6da", None, 2)
    c.pie((340, 210, 490, 384), 180, 360, "#eef1f2")
    c.polygon([(426, 297), (438, 213), (466, 226), (472, 297)], "#16202c")
    c.line([(446, 290), (478, 218)], "#8fa6b5", 9)
    c.box((366, 326, 388, 362), "#3c4a56", None, 2)
    c.box((432, 318, 456, 338), "#f4c66a", None, 2)
    for index in range(7):
        y = 452 + index * 28
        points = [
            (x, y + 16 * math.sin(x / 150 + index * 0.7) + abs(x - 430) * 0.045) for x in range(-20, width + 40, 20)
        ]
        c.line(points, "#24523d", 15)
        for x, py in points[index % 2 :: 2]:
            c.ellipse((x - 13, py - 13, x + 13, py + 6), "#33734f" if index % 2 else "#2c6648")
    path = [(410, 362), (404, 420), (440, 470), (400, 530), (450, 590), (430, 640)]
    c.line(path, "#c9b48a", 9)
    for x, y in ((392, 430), (456, 478), (386, 540), (468, 598)):
        c.ellipse((x - 26, y - 8, x + 26, y + 8), "#6d6a45")
        c.polygon([(x - 7, y - 31), (x + 7, y - 31), (x + 13, y - 6), (x - 13, y - 6)], "#d9b65a")
        c.line([(x, y), (x, y - 34)], "#10161d", 3)
        c.polygon([(x - 11, y - 31), (x + 11, y - 31), (x + 4, y - 43), (x - 4, y - 43)], "#10161d")
    return c.finished()
