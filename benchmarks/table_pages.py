"""Pages with tables whose cells are known: drawn lines, none, Chinese, merged headings, cells of several lines, beside text.

Everything is drawn from a seed, so that rules can be tuned on the pages of one seed and measured on those of others.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.table_words import CHINESE, ENGLISH, Language

WIDTH, HEIGHT = 595.0, 842.0
MARGIN = 56.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as drawn; `columns` and `rows` are how many slots it covers."""

    text: str
    columns: int = 1
    rows: int = 1


Rows = list[list[Cell | None]]
"""None is a slot that the cell to the left or above covers."""


@dataclass(slots=True)
class Drawn:
    """A page as it was drawn, and the truth about its tables: their rows, and how many of them are headings."""

    path: Path
    kind: str
    tables: list[tuple[Rows, int]] = field(default_factory=list)


def draw_page(path: Path, kind: str, seed: str) -> Drawn:
    """One PDF page of that kind."""
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfgen.canvas import Canvas

    registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), invariant=1)
    page = _Page(canvas, random.Random(seed), Drawn(path, kind))
    KINDS[kind](page)
    canvas.showPage()
    canvas.save()
    return page.drawn


class _Page:
    """The page being drawn, and how far down it is filled."""

    def __init__(self, canvas: Any, chance: random.Random, drawn: Drawn) -> None:
        self.canvas, self.chance, self.drawn = canvas, chance, drawn
        self.y = 60.0
        self.language: Language = ENGLISH
        self.size = chance.choice([8.0, 9.0, 10.0])
        self.font, self.bold = chance.choice([("Helvetica", "Helvetica-Bold"), ("Times-Roman", "Times-Bold")])

    def chinese(self) -> _Page:
        self.language, self.font, self.bold = CHINESE, "STSong-Light", "STSong-Light"
        return self

    def title(self) -> None:
        self._text(self.language.phrase(self.chance, 3, 6), MARGIN, WIDTH - 2 * MARGIN, 15.0, self.bold)

    def caption(self) -> None:
        number = self.chance.randint(1, 30)
        said = self.language.phrase(self.chance, 3, 7)
        word = "表" if self.language is CHINESE else "Table "
        self._text(f"{word}{number}: {said}", MARGIN, WIDTH - 2 * MARGIN, self.size, self.bold)

    def prose(self, sentences: int = 4) -> None:
        self._text(self.language.prose(self.chance, sentences), MARGIN, WIDTH - 2 * MARGIN, 10.0, self.font)

    def column(self, left: float, width: float, top: float, sentences: int) -> float:
        """Prose in a column of its own; answers where it ends."""
        before, self.y = self.y, top
        self._text(self.language.prose(self.chance, sentences), left, width, 9.5, self.font)
        end, self.y = self.y, before
        return end

    def bullets(self, count: int) -> None:
        for _ in range(count):
            self._text(
                f"• {self.language.prose(self.chance, 1)}", MARGIN + 14, WIDTH - 2 * MARGIN - 14, 10.0, self.font
            )

    def table(
        self,
        rows: Rows,
        style: str,
        *,
        left: float = MARGIN,
        width: float = WIDTH - 2 * MARGIN,
        headers: int = 1,
        weights: list[float] | None = None,
        numeric: bool = True,
    ) -> None:
        """Draws a table in one of STYLES; remembers its truth."""
        from reportlab.lib import colors
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph, Table, TableStyle

        count = len(rows[0])
        weights = weights or [1.6] + [1.0] * (count - 1)
        usual = sum(weights)
        plain = ParagraphStyle("plain", fontName=self.font, fontSize=self.size, leading=1.2 * self.size)
        strong = ParagraphStyle("strong", parent=plain, fontName=self.bold)
        if self.language is CHINESE:
            plain.wordWrap = strong.wordWrap = "CJK"
        where = self.chance.choice([0, 2])  # left or right
        commands: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), self.chance.choice(["TOP", "MIDDLE"]))]
        made = []
        for r, row in enumerate(rows):
            line = []
            for c, cell in enumerate(row):
                if cell is None:
                    line.append("")
                    continue
                base = strong if r < headers else plain
                align = 1 if cell.columns > 1 else (where if c and numeric else 0)
                line.append(Paragraph(_escaped(cell.text), ParagraphStyle("cell", parent=base, alignment=align)))
                if cell.columns > 1 or cell.rows > 1:
                    commands.append(("SPAN", (c, r), (c + cell.columns - 1, r + cell.rows - 1)))
            made.append(line)
        pad = self.chance.uniform(1.5, 4.0)
        commands += [("TOPPADDING", (0, 0), (-1, -1), pad), ("BOTTOMPADDING", (0, 0), (-1, -1), pad)]
        commands += STYLES[style](headers, colors)
        table = Table(made, colWidths=[width * weight / usual for weight in weights], style=TableStyle(commands))
        _, height = table.wrapOn(self.canvas, width, HEIGHT)
        table.drawOn(self.canvas, left, HEIGHT - self.y - height)
        self.y += height + 16
        self.drawn.tables.append((rows, headers))

    def _text(self, text: str, left: float, width: float, size: float, font: str) -> None:
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph

        style = ParagraphStyle("text", fontName=font, fontSize=size, leading=1.3 * size)
        if self.language is CHINESE:
            style.wordWrap = "CJK"
        made = Paragraph(_escaped(text), style)
        _, height = made.wrapOn(self.canvas, width, HEIGHT)
        made.drawOn(self.canvas, left, HEIGHT - self.y - height)
        self.y += height + 10


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


# --- how a table is drawn ---------------------------------------------------------------------------------------------

_ALL = ((0, 0), (-1, -1))
STYLES: dict[str, Callable[[int, Any], list[tuple[Any, ...]]]] = {
    "grid": lambda _, colors: [("GRID", *_ALL, 0.6, colors.black)],
    "rows": lambda headers, colors: [
        ("LINEABOVE", (0, 0), (-1, 0), 1, colors.black),
        ("LINEBELOW", (0, headers - 1), (-1, headers - 1), 0.5, colors.black),
        ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black),
    ],
    "striped": lambda headers, colors: [
        ("BACKGROUND", (0, 0), (-1, headers - 1), colors.HexColor("#d9e2ec")),
        ("ROWBACKGROUNDS", (0, headers), (-1, -1), [colors.white, colors.HexColor("#f0f4f8")]),
    ],
    "none": lambda _, __: [],
}


# --- what stands in it ------------------------------------------------------------------------------------------------


def figures(page: _Page, columns: int, rows: int) -> Rows:
    """Labels and columns of numbers, a dash here and there."""
    chance, said = page.chance, page.language
    makers = [chance.choice(said.numbers) for _ in range(columns - 1)]
    made: Rows = [[Cell(said.word(chance)), *(Cell(said.heading(chance)) for _ in makers)]]
    for _ in range(rows):
        numbers = [Cell("–" if chance.random() < 0.04 else make(chance)) for make in makers]
        made.append([Cell(said.phrase(chance, 1, 4)), *numbers])
    return made


def words(page: _Page, columns: int, rows: int, longest: int = 3) -> Rows:
    """Words in every cell, some of them empty from the second column on."""
    chance, said = page.chance, page.language
    made: Rows = [[Cell(said.heading(chance)) for _ in range(columns)]]
    for _ in range(rows):
        made.append(
            [
                Cell("" if column > 1 and chance.random() < 0.07 else said.phrase(chance, 1, longest))
                for column in range(columns)
            ]
        )
    return made


def grouped(page: _Page, groups: int, each: int, rows: int) -> Rows:
    """Figures under two rows of headings: one over several columns, one for each."""
    chance, said = page.chance, page.language
    top: list[Cell | None] = [Cell(said.word(chance), rows=2)]
    for _ in range(groups):
        top += [Cell(said.heading(chance), columns=each), *[None] * (each - 1)]
    made: Rows = [top, [None, *(Cell(said.heading(chance)) for _ in range(groups * each))]]
    return made + figures(page, groups * each + 1, rows)[1:]


def sectioned(page: _Page, columns: int, rows: int) -> Rows:
    """A statement: figures in sections, each under a row that is only its name."""
    made = figures(page, columns, 0)
    for _ in range(2):
        made.append([Cell(page.language.phrase(page.chance, 1, 2)), *[Cell("") for _ in range(columns - 1)]])
        made += figures(page, columns, rows)[1:]
    return made


# --- the kinds of pages -----------------------------------------------------------------------------------------------


def _ruled(page: _Page) -> None:
    page.title()
    page.prose()
    page.caption()
    make = page.chance.choice([figures, words])
    page.table(make(page, page.chance.randint(2, 7), page.chance.randint(2, 16)), "grid", numeric=make is figures)
    page.prose()


def _merged(page: _Page) -> None:
    page.prose()
    page.table(grouped(page, page.chance.randint(2, 3), 2, page.chance.randint(3, 9)), "grid", headers=2)
    page.prose(2)


def _lines_in_cells(page: _Page) -> None:
    page.prose(2)
    columns = page.chance.randint(2, 4)
    page.table(words(page, columns, page.chance.randint(3, 7), 14), "grid", weights=[1.0] * columns, numeric=False)
    page.prose(2)


def _booktabs(page: _Page) -> None:
    page.prose()
    page.caption()
    page.table(figures(page, page.chance.randint(3, 6), page.chance.randint(3, 12)), "rows")
    page.prose()


def _striped(page: _Page) -> None:
    page.prose(2)
    make = page.chance.choice([figures, words])
    page.table(make(page, page.chance.randint(3, 6), page.chance.randint(4, 14)), "striped", numeric=make is figures)
    page.prose(2)


def _bare_figures(page: _Page) -> None:
    page.prose()
    page.table(figures(page, page.chance.randint(3, 6), page.chance.randint(4, 14)), "none")
    page.prose()


def _statement(page: _Page) -> None:
    page.title()
    page.table(sectioned(page, page.chance.randint(3, 4), page.chance.randint(3, 7)), "none", weights=None)
    page.prose(2)


def _bare_headed(page: _Page) -> None:
    page.prose(2)
    page.table(
        grouped(page, 2, page.chance.randint(2, 3), page.chance.randint(4, 9)),
        page.chance.choice(["none", "rows"]),
        headers=2,
    )
    page.prose(2)


def _bare_words(page: _Page) -> None:
    page.prose()
    columns = page.chance.randint(3, 4)
    page.table(words(page, columns, page.chance.randint(4, 12), 2), "none", weights=[1.0] * columns, numeric=False)
    page.prose()


def _bare_lines(page: _Page) -> None:
    """Cells of several lines without a line between them."""
    page.prose(2)
    page.table(words(page, 3, page.chance.randint(3, 6), 12), "rows", weights=[0.7, 1.0, 1.2], numeric=False)
    page.prose(2)


def _chinese_ruled(page: _Page) -> None:
    page.chinese().title()
    page.prose()
    page.caption()
    make = page.chance.choice([figures, words])
    page.table(make(page, page.chance.randint(3, 6), page.chance.randint(3, 14)), "grid", numeric=make is figures)
    page.prose()


def _chinese_merged(page: _Page) -> None:
    page.chinese().prose()
    page.table(grouped(page, 2, 2, page.chance.randint(3, 9)), "grid", headers=2)
    page.prose()


def _chinese_bare(page: _Page) -> None:
    page.chinese().prose()
    if page.chance.random() < 0.5:
        page.table(
            figures(page, page.chance.randint(3, 5), page.chance.randint(4, 12)), page.chance.choice(["none", "rows"])
        )
    else:
        columns = page.chance.randint(3, 4)
        page.table(
            words(page, columns, page.chance.randint(4, 10), 2),
            page.chance.choice(["none", "rows"]),
            weights=[1.0] * columns,
            numeric=False,
        )
    page.prose()


def _two(page: _Page) -> None:
    page.prose(2)
    for style in page.chance.sample(["grid", "rows", "none"], 2):
        page.table(figures(page, page.chance.randint(3, 6), page.chance.randint(3, 7)), style)
        page.prose(2)


def _side_by_side(page: _Page) -> None:
    page.prose(2)
    top, half = page.y, (WIDTH - 2 * MARGIN - 24) / 2
    page.size = 8.0
    style = page.chance.choice(["grid", "rows"])
    ends = []
    for left in (MARGIN, MARGIN + half + 24):
        page.y = top
        page.table(figures(page, 3, page.chance.randint(3, 8)), style, left=left, width=half)
        ends.append(page.y)
    page.y = max(ends)
    page.prose(3)


def _beside_text(page: _Page) -> None:
    """Two columns of text, the table in one of them."""
    page.title()
    half, gap = (WIDTH - 2 * MARGIN - 20) / 2, 20
    top, right = page.y, MARGIN + half + gap
    page.size = 8.0
    first, second = (MARGIN, right) if page.chance.random() < 0.5 else (right, MARGIN)
    page.column(first, half, top, 14)
    page.y = page.column(second, half, top, 4) + 6
    page.table(
        figures(page, page.chance.randint(3, 4), page.chance.randint(4, 8)),
        page.chance.choice(["grid", "rows", "none"]),
        left=second,
        width=half,
    )
    page.column(second, half, page.y, 5)


def _no_table(page: _Page) -> None:
    """Prose in one or two columns, lists, an address, a bar chart with its axes and numbers."""
    page.title()
    if page.chance.random() < 0.5:
        top, half = page.y, (WIDTH - 2 * MARGIN - 20) / 2
        ends = [page.column(left, half, top, 9) for left in (MARGIN, MARGIN + half + 20)]
        page.y = max(ends) + 10
    else:
        page.prose(5)
        page.bullets(5)
    _bars(page)
    page.prose(3)


def _bars(page: _Page) -> None:
    canvas, chance = page.canvas, page.chance
    left, base, count = MARGIN + 40, HEIGHT - page.y - 170, chance.randint(4, 8)
    canvas.setLineWidth(0.5)
    grid = chance.random() < 0.6
    canvas.setFont("Helvetica", 8)
    for step in range(6):
        y = base + 28 * step
        canvas.drawRightString(left - 6, y - 3, f"{20 * step}")
        canvas.line(left - 3, y, left + (380 if grid else 0), y)
    canvas.line(left, base, left, base + 150)
    canvas.setFillColorRGB(0.27, 0.51, 0.71)
    for bar in range(count):
        x, height = left + 20 + bar * 360 / count, chance.randint(15, 140)
        canvas.rect(x, base, 0.55 * 360 / count, height, fill=1, stroke=int(chance.random() < 0.5))
    canvas.setFillColorRGB(0, 0, 0)
    for bar in range(count):
        x = left + 20 + bar * 360 / count
        canvas.drawString(x, base - 11, str(2015 + bar))
        if chance.random() < 0.7:
            canvas.drawString(x, base + 144, f"{chance.uniform(1, 99):.1f}")
    page.y += 200
    if chance.random() < 0.5:
        page._text(f"Figure {chance.randint(1, 9)}: {page.language.phrase(chance, 3, 6)}", MARGIN, 400, 9.0, page.font)


def _charts(page: _Page) -> None:
    """Two charts with axes, grid lines, figures at the bars and a legend: all of it numbers under each other."""
    from reportlab.graphics import renderPDF
    from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
    from reportlab.graphics.charts.lineplots import LinePlot
    from reportlab.graphics.shapes import Drawing

    page.prose(3)
    for kind in page.chance.sample([VerticalBarChart, HorizontalBarChart, LinePlot], 2):
        chance = page.chance
        count, rows = chance.randint(4, 8), chance.randint(1, 3)
        drawing, chart = Drawing(460, 190), kind()
        chart.x, chart.y, chart.width, chart.height = 70, 30, 360, 145
        if kind is LinePlot:
            chart.data = [[(year, chance.uniform(1, 99)) for year in range(count)] for _ in range(rows)]
            chart.lineLabelFormat = chance.choice([None, "%2.1f"])
        else:
            chart.data = [[chance.randint(2, 99) for _ in range(count)] for _ in range(rows)]
            chart.categoryAxis.categoryNames = [
                chance.choice([str(2012 + at), page.language.word(chance)]) for at in range(count)
            ]
            chart.valueAxis.valueMin = 0
            chart.valueAxis.visibleGrid = chance.random() < 0.6
            chart.barLabelFormat = chance.choice([None, "%d", "%d%%"])
            chart.barLabels.nudge = 8
        drawing.add(chart)
        renderPDF.draw(drawing, page.canvas, MARGIN, HEIGHT - page.y - 190)
        page.y += 200
        page._text(f"Figure {chance.randint(1, 9)}: {page.language.phrase(chance, 3, 6)}", MARGIN, 400, 9.0, page.font)
        page.prose(2)


KINDS: dict[str, Callable[[_Page], None]] = {
    "ruled": _ruled,
    "ruled, merged headings": _merged,
    "ruled, cells of several lines": _lines_in_cells,
    "lines above and below": _booktabs,
    "striped": _striped,
    "no lines, figures": _bare_figures,
    "no lines, a statement in sections": _statement,
    "no vertical lines, merged headings": _bare_headed,
    "no lines, words": _bare_words,
    "no vertical lines, cells of several lines": _bare_lines,
    "Chinese, ruled": _chinese_ruled,
    "Chinese, ruled, merged headings": _chinese_merged,
    "Chinese, no vertical lines": _chinese_bare,
    "two on a page": _two,
    "side by side": _side_by_side,
    "beside text in two columns": _beside_text,
    "no table on the page": _no_table,
    "charts and no table": _charts,
}
