"""The three labelled diagrams."""

from __future__ import annotations

from PIL import Image

from examples.builder.canvas import AMBER, INK, MUTED, TEAL, Canvas
from examples.builder.drawn_text import FLOW, TEA, TELESCOPE


def telescope() -> Image.Image:
    """The Heron telescope in its dome, with leader lines to its parts."""
    c = Canvas(1000, 760)
    c.text((500, 44), TELESCOPE["title"], 26, bold=True)
    # The dome, its slit, the wall and the floor.
    c.pie((260, 120, 740, 600), 180, 360, "#dfe6ea", INK)
    c.pie((254, 114, 746, 606), 274, 306, "#20344f")
    c.pie((284, 144, 716, 576), 180, 360, "#f3f6f7")
    c.box((262, 358, 738, 372), "#9fb0ba", INK, 3)
    c.polygon([(275, 372), (300, 372), (300, 690), (275, 690)], "#cdb79a", INK)
    c.polygon([(700, 372), (725, 372), (725, 690), (700, 690)], "#cdb79a", INK)
    c.box((300, 600, 446, 612), "#8b7355", None, 0)
    c.box((554, 600, 700, 612), "#8b7355", None, 0)
    # The pier goes through a gap in the floor.
    c.polygon([(462, 480), (538, 480), (558, 690), (442, 690)], "#8d949b", INK)
    c.box((220, 690, 780, 700), "#6f8f5f", None, 0)
    # The tube, tilted towards the slit.
    ux, uy = 0.342, -0.940
    px, py = 0.940, 0.342
    base, top = (478, 450), (570, 200)

    def at(origin: tuple[float, float], along: float, across: float) -> tuple[float, float]:
        return (origin[0] + ux * along + px * across, origin[1] + uy * along + py * across)

    for side in (-58, -20, 20, 58):
        c.line([at(base, 20, side), at(top, 0, side * 0.8)], TEAL, 3)
    c.polygon([at(base, 0, -64), at(base, 34, -64), at(base, 34, 64), at(base, 0, 64)], "#36516b", INK)
    c.polygon([at(base, 34, -54), at(base, 41, -54), at(base, 41, 54), at(base, 34, 54)], "#bfe3f2", INK, 1)
    c.polygon([at(top, 0, -50), at(top, 12, -50), at(top, 12, 50), at(top, 0, 50)], "#36516b", INK)
    c.polygon([at(top, -14, -17), at(top, -4, -17), at(top, -4, 17), at(top, -14, 17)], "#bfe3f2", INK, 1)
    c.ellipse((462, 442, 538, 512), "#4b6480", INK)
    c.box((538, 462, 600, 496), AMBER, INK, 5)
    c.box((398, 470, 456, 512), "#565d64", INK, 5)
    c.line([(456, 488), (466, 482)], INK, 6)
    for name, mark, label, anchor in (
        ("slit", (596, 142), (768, 118), "lm"),
        ("secondary", (568, 212), (768, 214), "lm"),
        ("truss", (548, 330), (768, 300), "lm"),
        ("camera", (598, 478), (768, 430), "lm"),
        ("primary", (452, 424), (232, 300), "rm"),
        ("counterweight", (400, 492), (232, 440), "rm"),
    ):
        bend = (label[0] - 8, label[1]) if anchor == "lm" else (label[0] + 8, label[1])
        c.line([mark, bend], MUTED, 1.5)
        c.ellipse((mark[0] - 4, mark[1] - 4, mark[0] + 4, mark[1] + 4), AMBER, INK, 1)
        c.text(label, TELESCOPE[name], 14, anchor=anchor)
    c.line([(500, 660), (500, 722)], MUTED, 1.5)
    c.ellipse((496, 656, 504, 664), AMBER, INK, 1)
    c.text((500, 736), TELESCOPE["pier"], 15)
    return c.finished()


def question_flow() -> Image.Image:
    """The way of a question, left to right and back, with the exit for unanswerable ones."""
    c = Canvas(1100, 620)
    c.text((550, 42), FLOW["title"], 26, bold=True)
    width, height = 176, 58

    def node(name: str, x: float, y: float, fill: str = "#e3efee", outline: str = TEAL, colour: str = INK) -> None:
        c.box((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill, outline, 12)
        c.text((x, y), FLOW[name], 16, colour, bold=outline == INK)

    half = width / 2 + 4
    for y in (120, 200, 280):
        c.arrow((370 + half, 200), (620 - half, y))
        c.arrow((620 + half, y), (920 - half, 200))
    c.arrow((130 + half, 200), (370 - half, 200))
    c.arrow((920, 233), (920, 367))
    c.arrow((920 - half, 400), (680 + half, 400))
    c.arrow((680 - half, 400), (430 + half, 400))
    c.arrow((680, 433), (680, 507))
    c.arrow((430 - half, 400), (180 + half, 400))
    c.arrow((180, 433), (180, 507))
    c.arrow((180 + half, 540), (430 - half, 540))
    node("question", 130, 200, "#fdf1dd", INK)
    node("rewrite", 370, 200)
    node("dense", 620, 120, "#e8ecf6", "#4a63a8")
    node("images", 620, 200, "#e8ecf6", "#4a63a8")
    node("lexical", 620, 280, "#e8ecf6", "#4a63a8")
    node("fuse", 920, 200)
    node("rerank", 920, 400)
    node("abstain", 680, 400, "#fdf1dd", AMBER)
    c.box((570, 511, 790, 569), "#f6e3df", "#b0523f", 12)
    c.text((680, 540), FLOW["refuse"], 15)
    node("pack", 430, 400)
    node("generate", 180, 400)
    node("cite", 180, 540)
    node("answer", 430, 540, "#fdf1dd", INK)
    return c.finished()


def tea_steps() -> Image.Image:
    """Six steps of green tea in Chinese, each with a small drawing."""
    c = Canvas(1100, 520, "#f8f6ec")
    c.text((550, 52), str(TEA["title"]), 34, "#2f4a2c", chinese=True)
    for index, (name, way, figure) in enumerate(TEA["steps"]):
        x = 105 + index * 178
        c.box((x - 76, 110, x + 76, 420), "#ffffff", "#7c9a6a", 14)
        _ICONS[index](c, x, 190)
        c.text((x, 285), name, 30, "#2f4a2c", chinese=True)
        c.text((x, 334), way, 19, INK, chinese=True)
        c.text((x, 376), figure, 18 if len(figure) < 8 else 17, "#a8561c", chinese=True)
        if index < 5:
            c.arrow((x + 79, 265), (x + 98, 265), "#7c9a6a", 3)
    c.text((550, 470), str(TEA["foot"]), 24, "#2f4a2c", chinese=True)
    return c.finished()


def _leaf(c: Canvas, x: float, y: float, lean: float, fill: str = "#6fa05a") -> None:
    c.polygon(
        [(x, y), (x + lean - 10, y - 26), (x + lean * 1.8, y - 56), (x + lean + 12, y - 24)], fill, "#3d6b34", 1.5
    )


def _pick(c: Canvas, x: float, y: float) -> None:
    c.line([(x, y + 45), (x, y + 5)], "#3d6b34", 4)
    _leaf(c, x, y + 22, -26)
    _leaf(c, x, y + 12, 26)
    _leaf(c, x, y + 8, 0, "#a9c77f")


def _spread(c: Canvas, x: float, y: float) -> None:
    c.ellipse((x - 56, y - 26, x + 56, y + 40), "#e4c98f", "#96733a", 3)
    for dx, dy in ((-30, 4), (-8, -8), (16, 2), (32, 14), (-16, 20), (6, 24)):
        c.ellipse((x + dx - 9, y + dy - 4, x + dx + 9, y + dy + 4), "#6fa05a", "#3d6b34", 1)


def _pan(c: Canvas, x: float, y: float) -> None:
    c.pie((x - 56, y - 56, x + 56, y + 44), 0, 180, "#4c5157", "#2b2f33")
    for dx in (-22, 0, 22):
        c.polygon([(x + dx - 9, y + 66), (x + dx, y + 44), (x + dx + 9, y + 66)], "#e2703a")
        c.line([(x + dx, y - 18), (x + dx + 6, y - 28), (x + dx - 4, y - 40), (x + dx + 4, y - 52)], "#aab3ba", 2.5)


def _roll(c: Canvas, x: float, y: float) -> None:
    for dx, dy in ((-26, 10), (2, -10), (26, 16), (-2, 34)):
        c.ellipse((x + dx - 22, y + dy - 12, x + dx + 22, y + dy + 12), "#4f7f45", "#2f4a2c", 2)
        c.line([(x + dx - 14, y + dy), (x + dx, y + dy - 5), (x + dx + 14, y + dy)], "#9cc08a", 2)


def _dry(c: Canvas, x: float, y: float) -> None:
    c.polygon([(x - 48, y - 30), (x + 48, y - 30), (x + 34, y + 22), (x - 34, y + 22)], "#d9b36c", "#96733a")
    c.ellipse((x - 48, y - 42, x + 48, y - 16), "#50703f", "#96733a", 2)
    for dx in (-26, -2, 22):
        c.ellipse((x + dx - 10, y + 38, x + dx + 14, y + 56), "#39302b", "#e2703a", 2)


def _sort(c: Canvas, x: float, y: float) -> None:
    for dx, size in ((-36, 17), (0, 22), (36, 17)):
        c.box((x + dx - 15, y + 46 - size * 3, x + dx + 15, y + 46), "#e9e2cc", "#7c6a3f", 4)
        c.box((x + dx - 15, y + 46 - size * 2, x + dx + 15, y + 46 - size), "#6fa05a", None, 0)


_ICONS = (_pick, _spread, _pan, _roll, _dry, _sort)
