"""The visitor programme: a slide show with a table, a native chart, a picture and speaker notes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm, Pt

from examples.builder.stable_zip import stable

_TOURS = (
    ("Tour", "Day", "Group", "Minutes", "Price (yuan)"),
    ("Star Walk", "Friday", "18", "90", "80"),
    ("Family Afternoon", "Sunday", "30", "120", "40"),
    ("Photographers' Night", "second and last Saturday", "8", "300", "220"),
    ("School Visit", "Tuesday", "28", "150", "free"),
)
GUESTS = {"Families": 1820, "Schools": 1306, "Tourists": 1064, "Clubs": 447}
_BLUE = RGBColor(0x1F, 0x4E, 0x79)


def build(path: Path, night: Image.Image) -> None:
    show = Presentation()
    show.slide_width, show.slide_height = Cm(33.87), Cm(19.05)
    show.core_properties.title = "Visitor programme 2026"
    show.core_properties.author = "Lantern Hill Observatory"

    def slide(title: str, notes: str) -> Any:
        page = show.slides.add_slide(show.slide_layouts[5])
        heading = page.shapes.title
        heading.left, heading.top, heading.width, heading.height = Cm(1.8), Cm(0.8), Cm(30), Cm(2.4)
        heading.text = title
        run = heading.text_frame.paragraphs[0].runs[0]
        run.font.size, run.font.bold, run.font.color.rgb = Pt(34), True, _BLUE
        page.notes_slide.notes_text_frame.text = notes
        return page

    def words(page: Any, lines: tuple[str, ...], left: float, top: float, width: float) -> None:
        frame = page.shapes.add_textbox(Cm(left), Cm(top), Cm(width), Cm(10)).text_frame
        frame.word_wrap = True
        for index, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
            paragraph.text, paragraph.font.size, paragraph.space_after = line, Pt(20), Pt(12)

    first = slide(
        "Visitor programme 2026", "Welcome everybody in both languages. Slides go out to the guides on 9 January."
    )
    picture = io.BytesIO()
    night.resize((800, 512), Image.Resampling.LANCZOS).save(picture, "PNG", optimize=True)
    shape = first.shapes.add_picture(io.BytesIO(picture.getvalue()), Cm(4.5), Cm(3.4), width=Cm(22.5))
    shape._element.nvPicPr.cNvPr.set("descr", "A white observatory dome on a hill above tea terraces under a full moon")
    words(first, ("Lantern Hill Observatory · He Xiaoman, visitor desk",), 4.5, 17.9, 24)

    tours = slide("Four ways to visit", "Ask for the group size before taking a booking. The Star Walk is cancelled in cloud, "
                  "the Family Afternoon never: there is the planetarium tent.")  # fmt: skip
    table = tours.shapes.add_table(len(_TOURS), 5, Cm(1.8), Cm(4), Cm(30), Cm(8)).table
    for column, width in enumerate((8, 9, 4, 4, 5)):
        table.columns[column].width = Cm(width)
    for row, values in enumerate(_TOURS):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
            table.cell(row, column).text_frame.paragraphs[0].font.size = Pt(18)
    words(
        tours, ("Children under seven come in free. Bookings open on the first day of the month before.",), 1.8, 15, 30
    )

    guests = slide("Who came in 2025", "Clubs were the smallest group. We want 600 of them in 2026: write to the amateur "
                   "astronomers of the province before the Lantern Festival.")  # fmt: skip
    data = CategoryChartData()
    data.categories = list(GUESTS)
    data.add_series("Visitors 2025", list(GUESTS.values()))
    frame = guests.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Cm(1.8), Cm(3.6), Cm(30), Cm(13), data)
    chart = frame.chart
    chart.has_legend = False
    plot = chart.plots[0]
    plot.gap_width, plot.has_data_labels = 60, True
    plot.data_labels.font.size = Pt(16)
    plot.series[0].format.fill.solid()
    plot.series[0].format.fill.fore_color.rgb = _BLUE

    rules = slide(
        "Darkness is our exhibit", "Order 60 spare red torches by 15 February. The white ones stay with the gate."
    )
    words(
        rules,
        (
            "Red torches only, and no telephones on the terrace.",
            "Cars wait at the lower gate; a shuttle runs every 20 minutes until 23:30.",
            "Warm clothes even in July: at 1,862 metres the night is about 9 degrees colder than the town.",
            "Tea from the Yunling garden is served in the waiting room, and it is on the house.",
        ),
        1.8, 4.2, 29,
    )  # fmt: skip
    out = io.BytesIO()
    show.save(out)
    path.write_bytes(stable(out.getvalue()))
