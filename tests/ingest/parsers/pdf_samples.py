"""PDFs made for the tests, each with one property."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw
from reportlab.lib import colors
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

WIDTH, HEIGHT = 595.0, 842.0
LEFT_COLUMN = [
    "The first column begins with the causes of",
    "the flood, which the council had long been",
    "warned of. Dams upstream were built for a",
    "river of another century, and nobody had an",
    "estimate of what the new suburbs would inter-",
    "cept. Rain fell on the hills for nine days.",
]
RIGHT_COLUMN = [
    "The second column tells what was learned.",
    "Gauges were put at every bridge and are now",
    "read by a machine each quarter of an hour.",
    "Two meadows were bought to hold the water,",
    "and the school was moved up to the ridge. It",
    "opened again in the spring of that year.",
]


def make(path: Path, draw: Callable[[Canvas], None], **options: object) -> Path:
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), **options)
    draw(canvas)
    canvas.save()
    return path


def lines(canvas: Canvas, texts: list[str], x: float, top: float, *, size: float = 10, font: str = "Helvetica") -> None:
    """Lines of text, the first with its base line at `top` points from the top of the page."""
    canvas.setFont(font, size)
    for index, text in enumerate(texts):
        canvas.drawString(x, HEIGHT - top - index * 1.3 * size, text)


def two_columns(canvas: Canvas) -> None:
    lines(canvas, ["A Report on the Flood"], 190, 80, size=22, font="Helvetica-Bold")
    lines(canvas, LEFT_COLUMN, 60, 130)
    lines(canvas, RIGHT_COLUMN, 320, 130)
    canvas.showPage()


def with_table(canvas: Canvas) -> None:
    lines(canvas, ["Harvest by year and field"], 60, 60, size=14, font="Helvetica-Bold")
    lines(canvas, ["Table 1: Tonnes of wheat that each field gave."], 60, 90)
    table = Table(
        [["Field", "2023", "2024"], ["North|East", "120.5", "130.1"], ["South", "98.0", "101.7"]], colWidths=100
    )
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.7, colors.black)]))
    table.wrapOn(canvas, 400, 300)
    table.drawOn(canvas, 60, HEIGHT - 170)
    lines(canvas, ["Both fields gave more in the second year than in the first."], 60, 200)
    canvas.showPage()


def photograph(width: int = 320, height: int = 200) -> Image.Image:
    picture = Image.effect_noise((width, height), 60).convert("RGB")
    ImageDraw.Draw(picture).ellipse((60, 40, width - 60, height - 40), fill="orange")
    return picture


def with_figure(canvas: Canvas) -> None:
    lines(canvas, ["The sun was photographed from the roof of the observatory in May."], 60, 80)
    canvas.drawImage(ImageReader(photograph()), 100, HEIGHT - 320, 320, 200)
    lines(canvas, ["Figure 3: The sun behind noise."], 100, 336)
    lines(canvas, ["What follows is about something else and belongs to no figure at all."], 60, 420)
    canvas.drawImage(ImageReader(Image.new("RGB", (8, 8), "red")), 60, 100, 8, 8)
    canvas.showPage()


def with_chart(canvas: Canvas) -> None:
    """A bar chart of vector shapes, without a picture file."""
    lines(canvas, ["Sales rose in every quarter of the year, as the figure shows."], 60, 80)
    canvas.setFillColor(colors.steelblue)
    canvas.line(120, 500, 120, 660)
    canvas.line(120, 500, 380, 500)
    for index, height in enumerate([40, 70, 90, 120]):
        canvas.rect(140 + 60 * index, 500, 40, height, fill=1)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(152 + 60 * index, 488, f"Q{index + 1}")
        canvas.drawString(152 + 60 * index, 504 + height, str(height))
    canvas.setFillColor(colors.black)
    lines(canvas, ["Figure 1. Sales by quarter, in thousands."], 120, HEIGHT - 465)
    canvas.showPage()


def rotated(canvas: Canvas) -> None:
    """Stored lying on its side, shown upright: 595 points wide, 842 high."""
    canvas.setPageRotation(90)
    canvas.translate(300, 60)
    canvas.rotate(90)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(0, 0, "This page is stored on its side and shown upright.")
    canvas.showPage()


def running_headers(canvas: Canvas) -> None:
    topics = ["apples", "pears", "plums", "cherries", "figs"]
    for number, topic in enumerate(topics, 1):
        lines(canvas, ["The Gardener's Yearbook"], 60, 40, size=9)
        lines(canvas, [f"Chapter about {topic}"], 60, 100, size=16, font="Helvetica-Bold")
        lines(canvas, [f"This chapter says when {topic} ripen and how they are kept.", "It is short."], 60, 140)
        lines(canvas, [f"Page {number}"], 280, 815, size=9)
        canvas.showPage()


def chinese(canvas: Canvas) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    lines(canvas, ["第一章 概述"], 60, 80, size=18, font="STSong-Light")
    lines(
        canvas,
        ["分布式数据库把数据分成多个区域，每个区域默认保存", "一段连续的数据，并由多个副本保证安全。"],
        60,
        120,
        size=11,
        font="STSong-Light",
    )
    canvas.showPage()


SCANNED = "The meeting begins at nine and the minutes are kept by the clerk of the town."


def scan(canvas: Canvas) -> None:
    picture = Image.new("RGB", (1240, 1754), (250, 250, 246))
    ImageDraw.Draw(picture).text((150, 300), SCANNED, fill="black", font_size=26)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    buffer.seek(0)
    canvas.drawImage(ImageReader(buffer), 0, 0, WIDTH, HEIGHT)
    canvas.showPage()


def blank(canvas: Canvas) -> None:
    canvas.showPage()


def locked() -> StandardEncryption:
    return StandardEncryption("user-password", "owner-password")


def owner_locked() -> StandardEncryption:
    """Opens without a password; printing and copying are forbidden."""
    return StandardEncryption("", "owner-password", canCopy=0, canPrint=0)


def table_over_pages(canvas: Canvas) -> None:
    """One table over three pages, its headings on the first only."""
    for page in range(3):
        rows = [[f"Place {page * 20 + n}", f"{1000 + 37 * n + page:,}", f"{n + page}.5%"] for n in range(20)]
        table = Table([["Place", "People", "Share"], *rows] if page == 0 else rows, colWidths=[160, 120, 120])
        table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
        table.wrapOn(canvas, WIDTH, HEIGHT)
        table.drawOn(canvas, 72, HEIGHT - 90 - table._height)
        canvas.showPage()
