"""The chart of visitors in the annual report, pasted in as a picture, as charts in reports often are."""

from __future__ import annotations

from PIL import Image

from examples.builder.canvas import INK, MUTED, Canvas
from examples.builder.drawn_text import VISITORS, VISITORS_TITLE

_LINE = "#c8772a"


def visitors() -> Image.Image:
    c = Canvas(1000, 440, "#ffffff")
    left, right, floor, ceiling, top = 90, 980, 380, 70, 5000
    c.text((left - 60, 30), VISITORS_TITLE, 17, bold=True, anchor="lm")
    for level in range(0, top + 1, 1000):
        y = floor - level / top * (floor - ceiling)
        c.line([(left, y), (right, y)], INK if level == 0 else "#d9dee2", 1.2)
        c.text((left - 12, y), f"{level:,}", 14, MUTED, anchor="rm")
    slot = (right - left) / len(VISITORS)
    points = [
        (left + slot * (index + 0.5), floor - count / top * (floor - ceiling))
        for index, count in enumerate(VISITORS.values())
    ]
    c.line(points, _LINE, 4)
    for index, ((x, y), (year, count)) in enumerate(zip(points, VISITORS.items(), strict=True)):
        lowest = 0 < index < len(points) - 1 and y > max(points[index - 1][1], points[index + 1][1])
        c.ellipse((x - 6, y - 6, x + 6, y + 6), _LINE, "#ffffff", 2)
        c.text((x, y + 22) if lowest else (x - 14, y - 22), f"{count:,}", 17, bold=True)
        c.text((x, floor + 24), year, 16)
    return c.finished()
