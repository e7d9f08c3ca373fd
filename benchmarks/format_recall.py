"""What of one document comes back from each format: the share of its words, and of its table's cells as cells.

    python -m benchmarks.format_recall [--shared ../shared]

A document with headings, paragraphs, a list and a table, in English and Chinese, is written in every format by that format's usual
library, and read through the real parse worker. Under `--shared`, the published multi-format test document (PDF, DOCX, PPTX, TIFF)
is measured against what each file holds: the text runs of the Office files, PDFium's text of the PDF, and, for the TIFF, the words
that stand on its page. Words are lower-cased runs of letters and figures, each Chinese character a word; each counts as often as it
stands in the truth.
"""

from __future__ import annotations

import argparse
import csv
import html
import io
import json
import re
import tempfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from api import wiring
from api.settings import Settings
from ingest.protocols import Source
from ingest.worker import ParseWorker
from rag.documents import Element

TITLE = "Harbour report 港口报告"
HEAD = "Traffic of the year"
TEXTS = (
    "The harbour handled 12.6 million containers in 2023, five per cent more than in the year before.",
    "厦门港全年完成集装箱吞吐量一千二百多万标箱，比上年增长百分之五。",
    "Most of the growth came from the new terminal, which opened in March with eight cranes.",
)
ITEMS = ("Dredging of the western channel", "Shore power for all berths", "A second customs gate")
TABLE = (
    ("Terminal", "Containers", "Cranes", "Opened"),
    ("Dongdu 东渡", "2315", "11", "1984"),
    ("Haicang 海沧", "6120", "23", "2005"),
    ("Songyu 嵩屿", "3071", "14", "2008"),
    ("Xiang'an 翔安", "1094", "8", "2023"),
)
WORD = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]")


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def recall(truth: str, found: str) -> float:
    wanted = words(truth)
    return (wanted & words(found)).total() / max(1, wanted.total())


def cells_of(elements: list[Element]) -> Counter[str]:
    tables = [element.text for element in elements if element.kind == "table"]
    lines = [line for table in tables for line in table.split("\n") if not set(line) <= set("|-: ")]
    return Counter(" ".join(cell.split()).lower() for line in lines for cell in line.strip("|").split("|"))


def cell_recall(table: tuple[tuple[str, ...], ...], elements: list[Element]) -> float:
    wanted = Counter(cell.lower() for row in table for cell in row)
    return (wanted & cells_of(elements)).total() / wanted.total()


# --- one document in many formats -------------------------------------------------------------------------------------


def as_markdown() -> bytes:
    rows = "\n".join("| " + " | ".join(row) + " |" for row in TABLE).split("\n", 1)
    rule = "|" + " --- |" * len(TABLE[0])
    parts = [
        f"# {TITLE}",
        f"## {HEAD}",
        *TEXTS,
        "\n".join(f"- {item}" for item in ITEMS),
        f"{rows[0]}\n{rule}\n{rows[1]}",
    ]
    return "\n\n".join(parts).encode()


def as_html() -> bytes:
    rows = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for row, tag in zip(TABLE, ("th", "td", "td", "td", "td"), strict=True)
    ]
    body = (
        "".join(f"<p>{text}</p>" for text in TEXTS) + "<ul>" + "".join(f"<li>{item}</li>" for item in ITEMS) + "</ul>"
    )
    head = f"<html><head><meta charset=utf-8><title>{TITLE}</title></head><body><h1>{TITLE}</h1><h2>{HEAD}</h2>"
    return f"{head}{body}<table>{''.join(rows)}</table></body></html>".encode()


def as_docx() -> bytes:
    import docx

    made = docx.Document()
    made.add_heading(TITLE, 1)
    made.add_heading(HEAD, 2)
    for text in TEXTS:
        made.add_paragraph(text)
    for item in ITEMS:
        made.add_paragraph(item, style="List Bullet")
    table = made.add_table(len(TABLE), len(TABLE[0]))
    for row, cells in zip(table.rows, TABLE, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def as_pptx() -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = TITLE
    slide.placeholders[1].text = "\n".join([HEAD, *TEXTS, *ITEMS])
    second = made.slides.add_slide(made.slide_layouts[6])
    table = second.shapes.add_table(len(TABLE), len(TABLE[0]), Inches(1), Inches(1), Inches(8), Inches(3)).table
    for at, row in enumerate(TABLE):
        for column, text in enumerate(row):
            table.cell(at, column).text = text
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def as_pdf() -> bytes:
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    registerFont(UnicodeCIDFont("STSong-Light"))
    styles = getSampleStyleSheet()
    for name in ("Heading1", "Heading2", "Normal"):
        styles[name].fontName = "STSong-Light"
    flow = [Paragraph(TITLE, styles["Heading1"]), Paragraph(HEAD, styles["Heading2"])]
    flow += [Paragraph(text, styles["Normal"]) for text in TEXTS]
    flow += [Paragraph(item, styles["Normal"], bulletText="•") for item in ITEMS]
    style = [("FONT", (0, 0), (-1, -1), "STSong-Light"), ("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
    flow += [Spacer(1, 20), Table(TABLE, style=style)]
    out = io.BytesIO()
    SimpleDocTemplate(out).build(flow)
    return out.getvalue()


def as_xlsx() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = made.add_worksheet("Report")
    at = 0
    for block in ((TITLE, HEAD), TEXTS, ITEMS):
        for text in block:
            sheet.write(at, 0, text)
            at += 1
        at += 1
    for row in TABLE:
        sheet.write_row(at, 0, row)
        at += 1
    made.close()
    return out.getvalue()


def as_epub() -> bytes:
    container = '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
    package = (
        '<package><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("p.opf", package)
        archive.writestr("c.xhtml", as_html())
    return out.getvalue()


def as_mail() -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = "a@b.example", "c@d.example", TITLE, "<1@b>"
    made.set_content("See the HTML part.")
    made.add_alternative(as_html().decode(), subtype="html")
    return made.as_bytes()


def as_csv() -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerows([[TITLE], [HEAD], *([text] for text in (*TEXTS, *ITEMS)), [], *TABLE])
    return out.getvalue().encode("gb18030")


def as_json() -> bytes:
    rows = [dict(zip(TABLE[0], row, strict=True)) for row in TABLE[1:]]
    return json.dumps({"title": TITLE, HEAD: {"texts": TEXTS, "items": ITEMS, "terminals": rows}}).encode()


def as_rtf() -> bytes:
    def said(text: str) -> str:
        return "".join(c if c < "\x7f" else f"\\u{ord(c)}?" for c in text)

    rows = "".join(
        "\\trowd" + "".join(f"\\cellx{2000 * (n + 1)}" for n in range(len(row))) + " "
        + "".join(f"{said(cell)}\\cell " for cell in row) + "\\row\n"
        for row in TABLE
    )  # fmt: skip
    lines = "".join(f"{{\\pard {said(text)}\\par}}\n" for text in (TITLE, HEAD, *TEXTS, *ITEMS))
    return f"{{\\rtf1\\ansi\\uc1\n{lines}{rows}}}".encode()


def as_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("report.docx", as_docx())
    return out.getvalue()


def as_text() -> bytes:
    return "\n\n".join([TITLE, HEAD, *TEXTS, *ITEMS, "\n".join("  ".join(row) for row in TABLE)]).encode("utf-16")


FORMATS: dict[str, Callable[[], bytes]] = {
    "report.md": as_markdown,
    "report.txt": as_text,
    "report.html": as_html,
    "report.docx": as_docx,
    "report.pptx": as_pptx,
    "report.pdf": as_pdf,
    "report.xlsx": as_xlsx,
    "report.csv": as_csv,
    "report.json": as_json,
    "report.epub": as_epub,
    "report.eml": as_mail,
    "report.rtf": as_rtf,
    "report.zip": as_zip,
}


# --- the published document ------------------------------------------------------------------------------------------

ANIMALS = (
    ("Animal", "Activity", "Place"),
    ("Giraffe", "Driving a car", "At the beach"),
    ("Lion", "Putting on sunscreen", "At the park"),
    ("Cat", "Jumping onto a laptop", "In a home office"),
    ("Dog", "Chasing a squirrel", "In the front yard"),
)
COLLECTIONS = (("#", "Collection", "Year"), ("1", "A Boy's Will", "1913"), ("2", "North of Boston", "1914"))


def office_runs(path: Path) -> str:
    """The text of the main parts as it stands in the XML, runs joined."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(r"word/document\.xml|ppt/slides/slide\d+\.xml", name):
                for run, end in re.findall(
                    r"<[wa]:t(?: [^>]*)?>([^<]*)|(</[wa]:(?:p|tc)>)", archive.read(name).decode()
                ):
                    found.append("\n" if end else html.unescape(run))
    return "".join(found)


def pdf_text(path: Path) -> str:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def published(folder: Path) -> list[tuple[Path, str, tuple[tuple[str, ...], ...]]]:
    names = {path.name: path for path in folder.glob("*.*")}
    docx = names["multimodal_test.docx"]
    page = (
        office_runs(docx).partition("Section One")[0]
        + " This chart shows some gadgets, and some very fictitious costs."
    )
    return [
        (docx, office_runs(docx), ANIMALS),
        (names["multimodal_test.pptx"], office_runs(names["multimodal_test.pptx"]), ANIMALS),
        # Its font has no letter for the ligature on its page, for which PDFium gives a sign.
        (names["multimodal_test.pdf"], pdf_text(names["multimodal_test.pdf"]).replace("@", "ff"), ANIMALS),
        (names["multimodal_test.tiff"], page, ANIMALS),
        (names["woods_frost.docx"], office_runs(names["woods_frost.docx"]), COLLECTIONS),
        (names["woods_frost.pdf"], pdf_text(names["woods_frost.pdf"]), COLLECTIONS),
    ]


def read(worker: ParseWorker, path: Path, members: Path) -> tuple[str, list[Element]]:
    """All text that a search can find, with what is inside an archive, and the elements."""
    pages = list(worker.parse(Source(path, path.name, "", members=members / path.name)).pages)
    elements = [element for page in pages for element in page.elements]
    for page in pages:
        for member in page.members:
            elements += read(worker, member.path, members / "inside")[1]
    said = [text for e in elements for text in (e.text, e.caption, *(entry.text for entry in e.entries))]
    return "\n".join(said), elements


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    folder = parser.parse_args().shared / "data" / "nv-ingest-formats"
    truth = "\n".join([TITLE, HEAD, *TEXTS, *ITEMS, *(" ".join(row) for row in TABLE)])
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        worker = ParseWorker(partial(wiring.toolbox, Settings(data=here / "data", pictures={"labels": False})))  # type: ignore[arg-type]
        print("| file | words | cells of the table |\n| --- | --- | --- |")
        cases = [(here / name, truth, TABLE) for name in FORMATS]
        for name, make in FORMATS.items():
            (here / name).write_bytes(make())
        if folder.is_dir():
            cases += published(folder)
        for path, wanted, table in cases:
            text, elements = read(worker, path, here / "members")
            cells = "none in this format" if path.suffix == ".txt" else f"{cell_recall(table, elements):.2f}"
            print(f"| {path.name} | {recall(wanted, text):.3f} | {cells} |", flush=True)
        worker.close()


if __name__ == "__main__":
    main()
