"""A drawing surface that is painted three times too large and shrunk, so that edges come out smooth."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from examples.builder import fonts

SCALE = 3
INK = "#24313f"
MUTED = "#5d6b78"
PAPER = "#fbfaf6"
TEAL = "#1f7a74"
AMBER = "#d98b2b"
Point = tuple[float, float]


class Canvas:
    """Coordinates are pixels of the finished picture."""

    def __init__(self, width: int, height: int, background: str = PAPER) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), background)
        self.draw = ImageDraw.Draw(self.image)
        self.size = (width, height)

    def line(self, points: Sequence[Point], colour: str = INK, width: float = 2) -> None:
        self.draw.line(_scaled(points), fill=colour, width=round(width * SCALE), joint="curve")

    def polygon(self, points: Sequence[Point], fill: str, outline: str | None = None, width: float = 2) -> None:
        self.draw.polygon(_scaled(points), fill=fill)
        if outline:
            self.line([*points, points[0], points[1]], outline, width)

    def box(
        self, box: Sequence[float], fill: str, outline: str | None = None, radius: float = 12, width: int = 2
    ) -> None:
        corners = [value * SCALE for value in box]
        self.draw.rounded_rectangle(corners, radius * SCALE, fill, outline, width * SCALE)

    def ellipse(self, box: Sequence[float], fill: str | None, outline: str | None = None, width: int = 2) -> None:
        self.draw.ellipse([value * SCALE for value in box], fill, outline, width * SCALE)

    def pie(self, box: Sequence[float], start: float, end: float, fill: str, outline: str | None = None) -> None:
        self.draw.pieslice([value * SCALE for value in box], start, end, fill, outline, 2 * SCALE)

    def text(
        self,
        at: Point,
        text: str,
        size: int = 18,
        colour: str = INK,
        *,
        bold: bool = False,
        anchor: str = "mm",
        chinese: bool = False,
    ) -> None:
        font = fonts.chinese(size * SCALE) if chinese else fonts.latin(size * SCALE, bold)
        self.draw.text((at[0] * SCALE, at[1] * SCALE), text, colour, font, anchor)

    def arrow(self, start: Point, end: Point, colour: str = MUTED, width: float = 2.5) -> None:
        self.line([start, end], colour, width)
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = max((dx * dx + dy * dy) ** 0.5, 1e-6)
        ux, uy = dx / length, dy / length
        base = (end[0] - 11 * ux, end[1] - 11 * uy)
        tip = (end[0] + 2 * ux, end[1] + 2 * uy)
        self.polygon([tip, (base[0] - 6 * uy, base[1] + 6 * ux), (base[0] + 6 * uy, base[1] - 6 * ux)], colour)

    def finished(self) -> Image.Image:
        return self.image.resize(self.size, Image.Resampling.LANCZOS)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]
