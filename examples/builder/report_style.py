"""The look of the two reports, and the few flowables they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle


class Report:
    """Collects flowables in one colour and font, then writes them with a running foot line."""

    def __init__(self, *, font: str, bold: str, colour: str, title: str, foot: str, chinese: bool = False) -> None:
        self.font, self.bold, self.colour, self.title, self.foot = font, bold, colour, title, foot
        wrap = {"wordWrap": "CJK"} if chinese else {}
        base = {"fontName": font, "textColor": HexColor("#24313f"), **wrap}
        strong = {**base, "fontName": bold, "textColor": HexColor(colour)}
        self.styles = {
            "title": ParagraphStyle("title", fontSize=25, leading=31, spaceAfter=4, **strong),
            "subtitle": ParagraphStyle("subtitle", fontSize=12, leading=17, spaceAfter=16, **base),
            "heading": ParagraphStyle("heading", fontSize=15, leading=20, spaceBefore=12, spaceAfter=6, **strong),
            "body": ParagraphStyle("body", fontSize=10.5, leading=16, spaceAfter=8, **base),
            "caption": ParagraphStyle("caption", fontSize=9, leading=13, spaceAfter=10, alignment=TA_CENTER, **base),
            "cell": ParagraphStyle("cell", fontSize=9.5, leading=13, **base),
        }
        self.story: list[Flowable] = []

    def add(self, style: str, text: str) -> None:
        self.story.append(Paragraph(text, self.styles[style]))

    def figure(self, drawing: Flowable, caption: str) -> None:
        self.story.append(KeepTogether([drawing, Spacer(1, 4), Paragraph(caption, self.styles["caption"])]))

    def table(
        self, caption: str, rows: Sequence[Sequence[str]], widths: Sequence[float], *, total: bool = False
    ) -> None:
        """The first row heads the table; the first column is text, the others are figures; `total` stresses the last row."""
        commands: list[tuple[Any, ...]] = [
            ("FONT", (0, 0), (-1, -1), self.font, 9.5),
            ("FONT", (0, 0), (-1, 0), self.bold, 9.5),
            ("TEXTCOLOR", (0, 0), (-1, 0), white),
            ("BACKGROUND", (0, 0), (-1, 0), HexColor(self.colour)),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, HexColor("#f2f5f3")]),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#c5ccd1")),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
        if total:
            commands += [
                ("FONT", (0, -1), (-1, -1), self.bold, 9.5),
                ("LINEABOVE", (0, -1), (-1, -1), 1, HexColor(self.colour)),
            ]
        table = Table([list(row) for row in rows], [width * cm for width in widths], style=TableStyle(commands))
        self.story.append(KeepTogether([Paragraph(caption, self.styles["caption"]), table, Spacer(1, 10)]))

    def write(self, path: Path, author: str) -> None:
        document = SimpleDocTemplate(
            str(path), pagesize=A4, leftMargin=2.3 * cm, rightMargin=2.3 * cm, topMargin=2 * cm, bottomMargin=2 * cm,
            title=self.title, author=author, invariant=1,
        )  # fmt: skip
        document.build(self.story, onFirstPage=self._page, onLaterPages=self._page)

    def _page(self, canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFillColor(HexColor(self.colour))
        canvas.rect(0, A4[1] - 0.5 * cm, A4[0], 0.5 * cm, stroke=0, fill=1)
        canvas.setFont(self.font, 8.5)
        canvas.drawString(2.3 * cm, 1.1 * cm, self.foot)
        canvas.drawRightString(A4[0] - 2.3 * cm, 1.1 * cm, str(document.page))
        canvas.restoreState()
