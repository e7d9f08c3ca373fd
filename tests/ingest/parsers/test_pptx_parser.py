"""Presentations made by python-pptx."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from lxml import etree
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Pt

from ingest.containers import PPTX
from ingest.parsers.pptx import PptxParser
from ingest.protocols import Limits, ParsedPage, Source
from rag.documents import Box
from rag.errors import CorruptFile, EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse


def source(path: Path, limits: Limits | None = None) -> Source:
    return Source(path, path.name, PPTX, limits or Limits())


def saved(tmp_path: Path, presentation: Any) -> list[ParsedPage]:
    path = tmp_path / "a.pptx"
    presentation.save(str(path))
    return parse(PptxParser(), source(path))


def blank(presentation: Any) -> Any:
    return presentation.slides.add_slide(presentation.slide_layouts[6])


def box(shapes: Any, text: str, left: float, top: float, width: float = 100, height: float = 30) -> Any:
    shape = shapes.add_textbox(Pt(left), Pt(top), Pt(width), Pt(height))
    shape.text_frame.text = text
    return shape


def texts(page: ParsedPage) -> list[str]:
    return [element.text for element in page.elements]


def test_contract() -> None:
    check_parser(PptxParser())


def test_titles_bullets_notes_and_pages(tmp_path: Path) -> None:
    presentation = Presentation()
    presentation.core_properties.title = "PowerPoint Presentation"
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Results"
    frame = slide.placeholders[1].text_frame
    frame.text = "First"
    frame.add_paragraph().text = "Second"
    frame.paragraphs[1].level = 1
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    blank(presentation)
    pages = saved(tmp_path, presentation)
    assert [page.page.number for page in pages if page.page] == [1, 2]
    assert pages[0].page is not None
    assert (pages[0].page.width, pages[0].page.height) == (720, 540)
    assert pages[0].title == "Results", "a default title is no title"
    assert pages[0].page_count == 2
    assert [(e.kind, e.text, e.level) for e in pages[0].elements] == [
        ("heading", "Results", 1),
        ("list", "- First\n  - Second", None),
        ("paragraph", "Say it slowly.", None),
    ]
    assert pages[1].elements == ()


def test_shapes_are_read_as_they_lie(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = blank(presentation)
    box(slide.shapes, "right top", 400, 100)
    box(slide.shapes, "right below", 400, 140)
    box(slide.shapes, "left below", 50, 140)
    box(slide.shapes, "left top", 50, 100)
    box(slide.shapes, "foot", 50, 480, 600)
    pages = saved(tmp_path, presentation)
    assert texts(pages[0]) == ["left top", "left below", "right top", "right below", "foot"]
    assert pages[0].elements[0].boxes == (Box(1, 50, 100, 150, 130),)


def test_groups_lie_where_they_are_drawn(tmp_path: Path) -> None:
    presentation = Presentation()
    group = blank(presentation).shapes.add_group_shape()
    box(group.shapes, "inside", 0, 0, 100, 50)
    group.left, group.top, group.width, group.height = Pt(200), Pt(300), Pt(200), Pt(100)
    assert saved(tmp_path, presentation)[0].elements[0].boxes == (Box(1, 200, 300, 400, 400),)


def test_shapes_beyond_the_slide_are_clipped(tmp_path: Path) -> None:
    presentation = Presentation()
    box(blank(presentation).shapes, "half out", 680, 500, 300, 300)
    assert saved(tmp_path, presentation)[0].elements[0].boxes == (Box(1, 680, 500, 720, 540),)


def test_tables_charts_and_pictures(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = blank(presentation)
    table = slide.shapes.add_table(2, 3, Pt(10), Pt(10), Pt(300), Pt(60)).table
    table.cell(0, 0).text = "Item"
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 1).text = "Both"
    table.cell(1, 1).text = "1"
    table.cell(1, 2).text = "2"
    data = CategoryChartData()
    data.categories = ["Q1", "Q2"]
    data.add_series("North", (1.1, 0.1 + 0.2))
    data.add_series("South", (3, None))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Pt(10), Pt(100), Pt(300), Pt(150), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Revenue"
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "BMP")
    out.seek(0)
    shape = slide.shapes.add_picture(out, Pt(10), Pt(300), Pt(60), Pt(40))
    shape._element.nvPicPr.cNvPr.set("descr", "A red card")
    box(slide.shapes, "Figure 1: the card", 10, 345, 200)
    elements = saved(tmp_path, presentation)[0].elements
    assert [(element.kind, element.text) for element in elements] == [
        ("table", "| Item | Both | Both |\n| --- | --- | --- |\n|  | 1 | 2 |"),
        ("caption", "Revenue"),
        ("table", "|  | North | South |\n| --- | --- | --- |\n| Q1 | 1.1 | 3 |\n| Q2 | 0.3 |  |"),
        ("figure", "A red card"),
    ]
    figure = elements[3]
    assert figure.caption == "Figure 1: the card"
    assert figure.image is not None
    assert figure.image.media_type == "image/png", "a browser has to show it"
    assert figure.boxes[0] == Box(1, 10, 300, 70, 340)


def test_formulas_of_newer_programs_keep_their_structure(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = blank(presentation)
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    half = "<m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    slide.shapes._spTree.append(
        etree.fromstring(
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
            ' xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
            ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
            f' xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" xmlns:m="{math}"><mc:Choice Requires="a14">'
            "<p:sp><p:txBody><a:p><a:r><a:t>The share is</a:t></a:r>"
            f"<a14:m><m:oMathPara><m:oMath>{half}</m:oMath></m:oMathPara></a14:m></a:p></p:txBody></p:sp>"
            "</mc:Choice></mc:AlternateContent>"
        )
    )
    assert any("The share is $\\frac{1}{2}$" in text for text in texts(saved(tmp_path, presentation)[0]))


def test_errors(tmp_path: Path) -> None:
    parser = PptxParser()
    presentation = Presentation()
    blank(presentation)
    blank(presentation)
    path = tmp_path / "a.pptx"
    presentation.save(str(path))
    check_refused(parser, source(path), EmptyFile)
    check_refused(parser, source(path, Limits(pages=1)), LimitExceeded)
    check_refused(parser, source(path, Limits(bytes=100)), LimitExceeded)
    check_refused(parser, source(path, Limits(unpacked_bytes=100)), LimitExceeded)
    path.write_bytes(path.read_bytes()[:5_000])
    check_refused(parser, source(path), CorruptFile)


def test_damage_inside_is_said(tmp_path: Path) -> None:
    import zipfile

    presentation = Presentation()
    box(blank(presentation).shapes, "x", 1, 1)
    whole = tmp_path / "a.pptx"
    presentation.save(str(whole))
    broken = tmp_path / "b.pptx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[:60] if name == "ppt/slides/slide1.xml" else old.read(name))
    check_refused(PptxParser(), source(broken), CorruptFile)
