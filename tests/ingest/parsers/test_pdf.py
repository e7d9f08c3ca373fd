from __future__ import annotations

import importlib.util
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from ingest.parsers.pdf import PdfParser
from ingest.protocols import Limits, ParsedPage, Resume, Source
from ingest.render import render_page
from rag.documents import Box, Element, ImageData
from rag.errors import CorruptFile, EmptyFile, EncryptedFile, LimitExceeded
from rag.protocols import OcrLine


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contract = _beside("contract")
samples = _beside("pdf_samples")
PDF = "application/pdf"


class LineOcr:
    """Reads one given line, at a given place in pixels, in whatever it is shown."""

    name = "line"

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.seen: list[ImageData] = []

    def read(self, image: ImageData) -> list[OcrLine]:
        self.seen.append(image)
        return [OcrLine(text, Box(1, 100, 200 + 40 * i, 900, 226 + 40 * i), 0.97) for i, text in enumerate(self.texts)]


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[..., list[ParsedPage]]:
    def parse(draw: Callable[..., None], *, parser: PdfParser | None = None, **options: object) -> list[ParsedPage]:
        path = samples.make(tmp_path / f"{draw.__name__}.pdf", draw, **options)
        pages: list[ParsedPage] = contract.parse(parser or PdfParser(ocr=None), contract.source(path, PDF))
        return pages

    return parse


def _elements(pages: list[ParsedPage], kind: str) -> list[Element]:
    return [element for page in pages for element in page.elements if element.kind == kind]


def test_keeps_the_contract_of_parsers() -> None:
    contract.check_parser(PdfParser(ocr=None))
    assert PdfParser(ocr=None).version != PdfParser(ocr=LineOcr()).version


def test_reads_two_columns_one_after_the_other(parsed: Callable[..., list[ParsedPage]]) -> None:
    pages = parsed(samples.two_columns)
    (title,) = _elements(pages, "heading")
    assert title.text == "A Report on the Flood"
    assert title.level == 1
    text = " ".join(element.text for element in _elements(pages, "paragraph"))
    assert "the new suburbs would intercept. Rain fell on the hills" in text
    assert text.index("nine days") < text.index("The second column tells")
    assert "of that year." in text
    left, right = _elements(pages, "paragraph")[0], _elements(pages, "paragraph")[-1]
    assert left.boxes[0].right < right.boxes[0].left


def test_writes_a_ruled_table_as_markdown(parsed: Callable[..., list[ParsedPage]]) -> None:
    pages = parsed(samples.with_table)
    (table,) = _elements(pages, "table")
    assert table.text.splitlines() == [
        "| Field | 2023 | 2024 |",
        "| --- | --- | --- |",
        "| North\\|East | 120.5 | 130.1 |",
        "| South | 98.0 | 101.7 |",
    ]
    assert [element.kind for element in pages[0].elements] == ["heading", "caption", "table", "paragraph"]


def test_a_table_over_pages_keeps_its_headings_also_behind_a_kill(
    tmp_path: Path, parsed: Callable[..., list[ParsedPage]]
) -> None:
    pages = parsed(samples.table_over_pages)
    tables = [page.elements[0] for page in pages]
    assert [table.text.split("\n")[0] for table in tables] == ["| Place | People | Share |"] * 3
    assert [len(table.text.split("\n")) for table in tables] == [22, 22, 22]
    assert "| Place 20 | 1,001 | 1.5% |" in tables[1].text
    for last in (1, 2):
        kept = tuple(text for page in pages[:last] for text in page.remember or ())
        path = tmp_path / "table_over_pages.pdf"
        source = replace(contract.source(path, PDF), resume=Resume(last, kept))
        assert list(PdfParser(ocr=None).parse(source)) == pages[last:]


def test_pairs_a_figure_with_its_caption(parsed: Callable[..., list[ParsedPage]]) -> None:
    pages = parsed(samples.with_figure)
    (figure,) = _elements(pages, "figure")  # the 8-pixel dot is a decoration
    assert figure.caption == "Figure 3: The sun behind noise."
    assert figure.image is not None
    assert (figure.image.width, figure.image.height) == pytest.approx((480, 300), abs=4)
    (box,) = figure.boxes
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((100, 120, 420, 320), abs=1)
    assert Image.open(io.BytesIO(figure.image.data)).size == (figure.image.width, figure.image.height)


def test_cuts_out_a_chart_drawn_with_shapes(parsed: Callable[..., list[ParsedPage]]) -> None:
    (figure,) = _elements(parsed(samples.with_chart), "figure")
    assert figure.caption.startswith("Figure 1. Sales by quarter")
    assert figure.image is not None
    (box,) = figure.boxes
    assert box.left < 125
    assert box.right > 355
    assert {"Q1", "120"} <= set(figure.entries[0].text.split())


def test_boxes_fit_the_drawn_page_when_it_is_rotated(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "rotated.pdf", samples.rotated)
    (page,) = contract.parse(PdfParser(ocr=None), contract.source(path, PDF))
    assert page.page is not None
    assert (page.page.width, page.page.height) == pytest.approx((595, 842), abs=1)
    assert page.elements[0].text == "This page is stored on its side and shown upright."
    drawn = np.asarray(Image.open(io.BytesIO(render_page(path, 1, 2.0))).convert("L"))
    assert drawn.shape == (1684, 1190)
    _check_ink(drawn, page.elements[0].boxes[0], 2.0)


def test_boxes_hold_the_ink_of_their_text(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "columns.pdf", samples.two_columns)
    (page,) = contract.parse(PdfParser(ocr=None), contract.source(path, PDF))
    drawn = np.asarray(Image.open(io.BytesIO(render_page(path, 1, 2.0))).convert("L"))
    for element in page.elements:
        _check_ink(drawn, element.boxes[0], 2.0)
    outside = drawn.copy()
    for box in (box for element in page.elements for box in element.boxes):
        outside[int(box.top * 2) - 4 : int(box.bottom * 2) + 5, int(box.left * 2) - 4 : int(box.right * 2) + 5] = 255
    assert outside.min() > 200, "there is ink outside of every box"


def _check_ink(drawn: np.ndarray, box: Box, scale: float) -> None:
    part = drawn[int(box.top * scale) : int(box.bottom * scale) + 1, int(box.left * scale) : int(box.right * scale) + 1]
    assert part.size
    assert (part < 128).mean() > 0.03, f"no ink in {box}"


def test_drops_running_headers_and_page_numbers(parsed: Callable[..., list[ParsedPage]]) -> None:
    pages = parsed(samples.running_headers)
    text = "\n".join(contract.texts(pages))
    assert "Yearbook" not in text
    assert "Page" not in text
    assert "Chapter about figs" in text
    assert text.count("This chapter says when") == 5


def test_reads_chinese_without_spaces_between_lines(parsed: Callable[..., list[ParsedPage]]) -> None:
    pages = parsed(samples.chinese)
    assert contract.texts(pages, "heading") == ["第一章 概述"]
    assert contract.texts(pages, "paragraph") == [
        "分布式数据库把数据分成多个区域，每个区域默认保存一段连续的数据，并由多个副本保证安全。"
    ]


def test_reads_a_scan_by_ocr_with_boxes_in_points(parsed: Callable[..., list[ParsedPage]]) -> None:
    ocr = LineOcr("The meeting begins at nine and the minutes", "are kept by the clerk of the town.")
    (page,) = parsed(samples.scan, parser=PdfParser(ocr=ocr))
    assert page.page is not None
    assert page.page.source == "ocr"
    (paragraph,) = page.elements
    assert paragraph.text == "The meeting begins at nine and the minutes are kept by the clerk of the town."
    factor = page.page.width / ocr.seen[0].width
    (box,) = paragraph.boxes
    assert (box.left, box.top) == pytest.approx((100 * factor, 200 * factor), abs=1.5)


def test_says_that_a_scan_was_not_read_without_ocr(parsed: Callable[..., list[ParsedPage]]) -> None:
    (page,) = parsed(samples.scan)
    assert [element.kind for element in page.elements] == ["figure"]
    assert "OCR" in page.warnings[0]


def test_a_digital_page_is_not_sent_to_ocr(parsed: Callable[..., list[ParsedPage]]) -> None:
    ocr = LineOcr("never")
    parsed(samples.with_figure, parser=PdfParser(ocr=ocr))
    assert ocr.seen == []


def test_a_title_comes_from_the_metadata_or_the_first_heading(tmp_path: Path) -> None:
    def titled(canvas: object) -> None:
        canvas.setTitle("The flood of 1987")  # type: ignore[attr-defined]
        samples.two_columns(canvas)

    (page,) = contract.parse(PdfParser(ocr=None), contract.source(samples.make(tmp_path / "t.pdf", titled), PDF))
    assert page.title == "The flood of 1987"
    (page,) = contract.parse(
        PdfParser(ocr=None), contract.source(samples.make(tmp_path / "u.pdf", samples.two_columns), PDF)
    )
    assert page.title == "A Report on the Flood"


def test_refuses_what_needs_a_password(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "locked.pdf", samples.two_columns, encrypt=samples.locked())
    contract.check_refused(PdfParser(ocr=None), contract.source(path, PDF), EncryptedFile)


def test_reads_what_only_forbids_printing(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "owner.pdf", samples.two_columns, encrypt=samples.owner_locked())
    pages = contract.parse(PdfParser(ocr=None), contract.source(path, PDF))
    assert any("second column" in text for text in contract.texts(pages))


def test_refuses_a_file_with_nothing_in_it(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "blank.pdf", samples.blank)
    contract.check_refused(PdfParser(ocr=None), contract.source(path, PDF), EmptyFile)


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7\n", b"not a pdf at all", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"]
)
def test_refuses_bytes_that_are_no_pdf(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(data)
    error = contract.check_refused(PdfParser(ocr=None), contract.source(path, PDF), CorruptFile)
    assert error.__cause__ is not None


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.98])
def test_a_truncated_file_gives_text_or_a_clear_error(tmp_path: Path, share: float) -> None:
    data = samples.make(tmp_path / "whole.pdf", samples.running_headers).read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(data[: int(share * len(data))])
    try:
        pages = contract.parse(PdfParser(ocr=None), contract.source(path, PDF))
    except (CorruptFile, EmptyFile) as error:
        assert "cut.pdf" in error.message  # noqa: PT017 - either outcome is right
    else:
        assert contract.texts(pages)


def test_refuses_more_pages_than_the_limit(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "long.pdf", samples.running_headers)
    item = contract.source(path, PDF, limits=replace(Limits(), pages=4))
    error = contract.check_refused(PdfParser(ocr=None), item, LimitExceeded)
    assert "5 pages" in error.message


def test_leaves_out_pictures_beyond_the_limit_of_pixels(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "large.pdf", samples.with_figure)
    (page,) = contract.parse(PdfParser(ocr=None), contract.source(path, PDF, limits=replace(Limits(), pixels=10_000)))
    assert not [element for element in page.elements if element.kind == "figure"]
    assert "too large" in page.warnings[0]


def test_pages_can_be_drawn_while_a_file_is_parsed(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "long.pdf", samples.running_headers)
    pages = PdfParser(ocr=None).parse(contract.source(path, PDF))
    next(pages)
    drawn: list[bytes] = []
    thread = threading.Thread(target=lambda: drawn.append(render_page(path, 1, 0.5)))
    thread.start()
    thread.join(timeout=10)
    assert drawn, "the parser holds PDFium between two pages"
    pages.close()  # type: ignore[attr-defined]


def test_latin_letters_in_a_chinese_font_that_is_not_embedded(tmp_path: Path) -> None:
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfgen.canvas import Canvas

    registerFont(UnicodeCIDFont("STSong-Light"))
    path = tmp_path / "font.pdf"
    canvas = Canvas(str(path))
    canvas.setFont("STSong-Light", 12)
    canvas.drawString(72, 700, "The harbour handled 12.6 million containers, 比上年增长百分之五。")
    canvas.save()
    page = next(iter(PdfParser(ocr=None).parse(Source(path, "font.pdf", "application/pdf"))))
    assert [element.text for element in page.elements] == [
        "The harbour handled 12.6 million containers, 比上年增长百分之五。"
    ]


def test_attached_files_become_members(tmp_path: Path) -> None:
    import pypdfium2
    from reportlab.pdfgen.canvas import Canvas

    plain, path = tmp_path / "plain.pdf", tmp_path / "with.pdf"
    canvas = Canvas(str(plain))
    canvas.drawString(72, 700, "See the attached prices.")
    canvas.save()
    pdf = pypdfium2.PdfDocument(plain)
    pdf.new_attachment("notes/价格.csv").set_data(b"a,b\n1,2\n")
    pdf.save(path)
    pages = list(PdfParser(ocr=None).parse(Source(path, "with.pdf", "application/pdf", members=tmp_path / "m")))
    assert [(member.name, member.path.read_bytes()) for member in pages[0].members] == [
        ("notes_价格.csv", b"a,b\n1,2\n")
    ]
    listed = list(PdfParser(ocr=None).parse(Source(path, "with.pdf", "application/pdf")))
    assert not listed[0].members
    assert "archive_depth" in listed[0].warnings[0]
