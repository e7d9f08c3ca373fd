"""The observatory's operations handbook: a Word file with headings, lists, a table and a picture with its caption."""

from __future__ import annotations

import io
from pathlib import Path

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Pt, RGBColor
from PIL import Image

from examples.builder.stable_zip import stable

_EXTENSIONS = (
    ("Role", "Person", "Extension", "Hours"),
    ("Night operator", "Jonas Bielik", "214", "20:00–05:00"),
    ("Duty engineer", "Amara Solheim", "231", "always"),
    ("Site safety", "Petr Lindqvist", "207", "08:00–18:00"),
    ("Visitor desk", "He Xiaoman", "219", "13:00–22:00"),
    ("Gate", "changing", "200", "always"),
)


def build(path: Path, telescope: Image.Image) -> None:
    document = Document()
    document.core_properties.title = "Operations handbook"
    document.core_properties.author = "Lantern Hill Observatory"
    document.core_properties.comments = ""
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    for level in (1, 2):
        document.styles[f"Heading {level}"].font.color.rgb = RGBColor(0x1F, 0x4E, 0x79)

    def text(words: str) -> None:
        document.add_paragraph(words)

    def items(style: str, *entries: str) -> None:
        for entry in entries:
            document.add_paragraph(entry, style=style)

    document.add_heading("Operations handbook", 0)
    text(
        "Lantern Hill Observatory, seventh edition, valid from 1 January 2026. Kept by Tomas Reyl, head of operations."
    )
    document.add_heading("1 Before sunset", 1)
    text(
        "The evening belongs to the person on the list in the kitchen. Whoever cannot come finds a replacement before noon."
    )
    items(
        "List Number",
        "Walk once around the dome and look for tools, birds and ice on the rail.",
        "Switch on the mirror fans 90 minutes before sunset, so that the primary mirror reaches the temperature of the air.",
        "Fill the camera with liquid nitrogen: 18 litres, at the latest every 36 hours. Wear the long gloves.",
        "Ring the tea garden's gatehouse when the schedule asks for darkness before ten o'clock.",
    )
    document.add_heading("2 The dome", 1)
    document.add_heading("2.1 When it may be open", 2)
    text(
        "The dome may be opened when the mean wind has been below 45 km/h and the relative humidity below 85 per cent for "
        "thirty minutes. It must be closed at once in gusts of 60 km/h, in any rain, and when the lightning detector reports "
        "a strike nearer than 15 kilometres. There is no exception for a good night."
    )
    document.add_heading("2.2 If the slit does not close", 2)
    text(
        "Turn the dome until the slit points away from the wind. Park Heron at an altitude of 60 degrees and an azimuth of 180 "
        "degrees, put the canvas cover on, and call the duty engineer. The hand crank hangs behind the electrical cabinet; "
        "closing the slit by hand takes 340 turns, about a quarter of an hour for two people."
    )
    picture = io.BytesIO()
    telescope.resize((800, 608), Image.Resampling.LANCZOS).save(picture, "PNG", optimize=True)
    document.add_picture(io.BytesIO(picture.getvalue()), width=Cm(15))
    document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption = document.add_paragraph("Figure 1. The Heron telescope and its dome, seen from the east.", style="Caption")
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.add_heading("3 During the night", 1)
    text(
        "Write into the log every hour: temperature, humidity, wind and seeing. Use red light only; white torches stay in the "
        "drawer. A break of forty minutes is taken between one and three o'clock, never by both operators at the same time."
    )
    document.add_heading("4 Whom to call", 1)
    text("Inside the observatory, dial the extension. From outside, add it to 0559 7741.")
    table = document.add_table(rows=0, cols=4, style="Light Grid Accent 1")
    for row in _EXTENSIONS:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value
    document.add_paragraph("Table 1. Extensions, January 2026.", style="Caption")
    document.add_heading("5 In the morning", 1)
    items(
        "List Bullet",
        "Close the dome before the sun is 6 degrees below the horizon.",
        "Copy the night's data to the archive and wait for the green line; a night with Heron is about 210 gigabytes.",
        "Leave the kitchen as you would like to find it. The last one feeds the cat, whose name is Parallax.",
    )
    out = io.BytesIO()
    document.save(out)
    path.write_bytes(stable(out.getvalue()))
