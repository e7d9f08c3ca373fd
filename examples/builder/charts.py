"""The vector chart of both reports: bars with their values."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.colors import HexColor

_INK, _GRID = HexColor("#24313f"), HexColor("#d9dee2")


def bars(
    names: Sequence[str], values: Sequence[float], unit: str, *, font: str, colour: str, top: float, step: float
) -> Drawing:
    """`top` ends the scale; a grid line stands at every `step`."""
    drawing, left, width, height = _axes(unit, font, top, step)
    slot = width / len(values)
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        x, tall = left + slot * index, value / top * height
        drawing.add(Rect(x + slot * 0.18, 24, slot * 0.64, tall, fillColor=HexColor(colour), strokeColor=None))
        drawing.add(_label(x + slot / 2, 27 + tall, f"{value:,}", font, 7.5))
        drawing.add(_label(x + slot / 2, 12, name, font, 8))
    return drawing


def _axes(unit: str, font: str, top: float, step: float) -> tuple[Drawing, float, float, float]:
    left, width, height = 34.0, 430.0, 130.0
    drawing = Drawing(470, 178)
    level = 0.0
    while level <= top:
        y = 24 + level / top * height
        drawing.add(Line(left, y, left + width, y, strokeColor=_GRID if level else _INK, strokeWidth=0.6))
        drawing.add(
            String(left - 5, y - 3, f"{level:,.0f}", fontName=font, fontSize=7.5, textAnchor="end", fillColor=_INK)
        )
        level += step
    drawing.add(String(4, 166, unit, fontName=font, fontSize=8, fillColor=_INK))
    return drawing, left, width, height


def _label(x: float, y: float, text: str, font: str, size: float) -> String:
    return String(x, y, text, fontName=font, fontSize=size, textAnchor="middle", fillColor=_INK)
