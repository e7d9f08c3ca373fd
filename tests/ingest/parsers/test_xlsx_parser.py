"""Excel: sheets under their names, cells as people see them, merged ranges, formulas, long sheets in parts."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.containers import XLSX
from ingest.parsers.sheets import PART_ROWS, SheetRow, column_letters, sheet_elements
from ingest.parsers.xlsx import XlsxParser
from ingest.parsers.xlsx_cells import Format, Merge, merges, position
from ingest.protocols import Limits, ParsedPage
from rag.errors import EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse, source, texts
from tests.support.bombs import sheet, workbook


def book(tmp_path: Path) -> xlsxwriter.Workbook:
    return xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))


def read(made: xlsxwriter.Workbook) -> list[ParsedPage]:
    made.close()
    return parse(XlsxParser(), source(Path(made.filename), XLSX))


def rows(markdown: str) -> list[list[str]]:
    lines = markdown.split("\n")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def test_contract() -> None:
    check_parser(XlsxParser())


def test_a_sheet_reads_as_people_see_it(tmp_path: Path) -> None:
    made = book(tmp_path)
    made.set_properties({"title": "Prices", "author": "Ann"})
    day, moment = made.add_format({"num_format": "dd.mm.yyyy"}), made.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    share, hours = made.add_format({"num_format": "0.0%"}), made.add_format({"num_format": "[h]:mm"})
    first = made.add_worksheet("Prices 价格")
    first.write("A1", "All prices without tax")
    first.write_row("A3", ["Item", "Price", "Since", "Seen", "Share", "Worked", "Sold"])
    first.write_row("A4", ["Crane | big", 0.1 + 0.2])
    first.write_datetime("C4", datetime(2024, 3, 5), day)
    first.write_datetime("D4", datetime(2024, 3, 5, 14, 30), moment)
    first.write_number("E4", 0.256, share)
    first.write_number("F4", 1.5, hours)
    first.write_boolean("G4", True)
    first.write("A5", "Total")
    first.write_formula("B5", "=SUM(B4:B4)", None, 0.3)
    first.write_formula("C5", "=NOW()", None, "")
    pages = read(made)
    assert pages[0].title == "Prices"
    assert pages[0].metadata["author"] == "Ann"
    assert texts(pages, "heading") == ["Prices 价格"]
    assert texts(pages, "paragraph") == ["All prices without tax"]
    assert texts(pages, "table") == [
        "| Item | Price | Since | Seen | Share | Worked | Sold |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| Crane \\| big | 0.3 | 2024-03-05 | 2024-03-05 14:30 | 25.6% | 36:00 | TRUE |\n"
        "| Total | 0.3 | =NOW() |  |  |  |  |"
    ]


def test_merged_cells_stand_wherever_they_reach(tmp_path: Path) -> None:
    made = book(tmp_path)
    first = made.add_worksheet()
    first.merge_range("A1:A2", "Port")
    first.merge_range("B1:C1", "2023")
    first.write_row("B2", ["in", "out"])
    first.merge_range("A3:A4", "Xiamen")
    first.write_row("B3", [1, 2])
    first.write_row("B4", [3, 4])
    assert rows(texts(read(made), "table")[0]) == [
        ["Port", "2023 / in", "2023 / out"],
        ["Xiamen", "1", "2"],
        ["Xiamen", "3", "4"],
    ]


def test_blocks_apart_are_tables_of_their_own_unless_they_go_on(tmp_path: Path) -> None:
    made = book(tmp_path)
    first = made.add_worksheet()
    first.write_row("A1", ["Item", "Price", "Tax"])
    first.write_row("A2", ["a", 1, 2])
    first.write_row("A4", ["b", 3, 4])
    first.write_row("A6", ["Name", "Office", "Phone"])
    first.write_row("A7", ["Ann", "north", "none"])
    first.write("A8", "Source: the harbour's own office.")
    pages = read(made)
    assert [rows(table)[0] for table in texts(pages, "table")] == [
        ["Item", "Price", "Tax"],
        ["Item", "Price", "Tax"],
        ["Name", "Office", "Phone"],
    ]
    assert texts(pages, "paragraph") == ["Source: the harbour's own office."]


def test_hidden_sheets_say_so_and_empty_ones_are_silent(tmp_path: Path) -> None:
    made = book(tmp_path)
    made.add_worksheet("Shown").write("A1", "x")
    hidden = made.add_worksheet("Costs")
    hidden.write("A1", "y")
    hidden.hide()
    made.add_worksheet("Empty")
    assert texts(read(made), "heading") == ["Shown", "Costs (hidden sheet)"]


def test_notes_and_pictures_come_after_the_rows(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    made = book(tmp_path)
    first = made.add_worksheet()
    first.write_row("A1", ["a", "b"])
    first.write_comment("B1", "agreed in March")
    first.insert_image("D1", "red.png", {"image_data": out, "description": "A red field"})
    pages = read(made)
    assert texts(pages, "list") == ["- B1: agreed in March"]
    figure = next(element for page in pages for element in page.elements if element.kind == "figure")
    assert figure.text == "A red field"
    assert figure.image is not None


def test_a_long_sheet_comes_in_parts_under_its_header(tmp_path: Path) -> None:
    made = book(tmp_path)
    first = made.add_worksheet()
    first.write_row(0, 0, ["n", "square"])
    for number in range(1, 1001):
        first.write_row(number, 0, [number, number * number])
    tables = texts(read(made), "table")
    assert len(tables) == 6
    assert {tuple(rows(table)[0]) for table in tables} == {("n", "square")}
    assert [row for table in tables for row in rows(table)[1:]] == [[f"{n}", f"{n * n}"] for n in range(1, 1001)]


def test_data_without_a_header_gets_the_letters_of_its_columns(tmp_path: Path) -> None:
    made = book(tmp_path)
    made.add_worksheet().write_row("A1", [1, 2.5, 3])
    assert rows(texts(read(made), "table")[0]) == [["A", "B", "C"], ["1", "2.5", "3"]]


def test_years_are_a_header(tmp_path: Path) -> None:
    made = book(tmp_path)
    first = made.add_worksheet()
    first.write_row("A1", ["", 2022, 2023])
    first.write_row("A2", ["Boxes", 4, 5])
    assert rows(texts(read(made), "table")[0])[0] == ["", "2022", "2023"]


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    made = book(tmp_path)
    first = made.add_worksheet()
    for number in range(20):
        first.write_row(number, 0, ["a", number])
    made.close()
    error = check_refused(XlsxParser(), source(tmp_path / "book.xlsx", XLSX, limits=Limits(rows=10)), LimitExceeded)
    assert "ingest.limits.rows" in error.remedy


def test_a_workbook_without_content_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    path.write_bytes(workbook(sheet('<row r="1"><c r="A1"/></row>')))
    check_refused(XlsxParser(), source(path, XLSX), EmptyFile)


def test_cells_without_places_and_of_odd_types(tmp_path: Path) -> None:
    cells = (
        '<row><c t="inlineStr"><is><r><t>two </t></r><r><t>_x000D_runs_x0041_</t></r><rPh><t>no</t></rPh></is></c>'
        '<c t="e"><v>#DIV/0!</v></c><c t="s"><v>99</v></c><c t="str"><f>x</f><v>text</v></c></row>'
        "<row><c><v>1e3</v></c><c><v>not a number</v></c></row>"
    )
    path = tmp_path / "odd.xlsx"
    path.write_bytes(workbook(sheet(cells)))
    assert rows(texts(parse(XlsxParser(), source(path, XLSX)), "table")[0]) == [
        ["two runsA", "#DIV/0!", "text"],
        ["1000", "not a number", ""],
    ]


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("General", 1234567.0, "1234567"),
        ("0.00", 2.5, "2.5"),
        ("0%", 0.256, "26%"),
        ("yyyy-mm-dd", 45356.0, "2024-03-05"),
        ('yyyy"年"m"月"d"日"', 45356.0, "2024-03-05"),
        ("[$-409]mmm\\-yy", 45356.0, "2024-03-05"),
        ("hh:mm", 0.5, "12:00"),
        ("[h]:mm", 1.5, "36:00"),
        ('0.0 "days"', 3.0, "3"),
        ("#,##0.00 [$€-407]", 3.25, "3.25"),
        ("yyyy-mm-dd", 59.0, "1900-02-28"),
        ("yyyy-mm-dd", 61.0, "1900-03-01"),
    ],
)
def test_number_formats(code: str, number: float, shown: str) -> None:
    assert Format.of(code).show(number, base_1904=False) == shown


def test_places_and_letters() -> None:
    assert position("A1") == (0, 0)
    assert position("AA10") == (9, 26)
    assert position("nonsense") is None
    assert [column_letters(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@given(st.integers(1, 60))
def test_merges_are_found_however_the_bytes_are_cut(size: int) -> None:
    data = b'<x/><mergeCells count="2"><mergeCell ref="B2:C9"/><mergeCell foo="1" ref="A1:A2"/></mergeCells>'
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    assert merges(blocks) == [Merge(1, 1, 8, 2), Merge(0, 0, 1, 0)]


@given(
    st.lists(st.lists(st.sampled_from(["", "a", "b c", "1", "2024"]), min_size=1, max_size=5), max_size=40), st.data()
)
def test_every_cell_is_in_some_element(cells: list[list[str]], data: st.DataObject) -> None:
    marked = [[f"{text}#{r}.{c}" if text else "" for c, text in enumerate(row)] for r, row in enumerate(cells)]
    kept = [row for row in marked if any(row)]
    given_rows = [SheetRow(row, after_gap=data.draw(st.booleans())) for row in kept]
    said = "\n".join(element.text for element in sheet_elements(given_rows))
    assert all(text in said for row in kept for text in row)


def test_parts_are_bounded() -> None:
    endless = (SheetRow([f"{n}", "x" * 100]) for n in range(5 * PART_ROWS))
    assert max(element.text.count("\n") for element in sheet_elements(endless)) <= PART_ROWS + 2


def test_formulas_whose_value_nobody_stored_are_told(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    for title, formulas in (("Sums", 3), ("One", 1), ("None", 0)):
        sheet = made.add_worksheet(title)
        sheet.write_row("A1", ["a", "b", "sum"])
        for row in range(2, 5):
            sheet.write_row(f"A{row}", [row, row])
            value = "" if row < 2 + formulas else 2 * row
            sheet.write_formula(f"C{row}", f"=A{row}+B{row}", None, value)
    made.close()
    pages = parse(XlsxParser(), source(tmp_path / "book.xlsx", XLSX))
    assert "| 2 | 2 | =A2+B2 |" in texts(pages, "table")[0]
    advice = "and read as written: open the file in a spreadsheet program and save it."
    assert [warning for page in pages for warning in page.warnings] == [
        f"3 formulas are without a stored value in the sheet Sums {advice}",
        f"1 formula is without a stored value in the sheet One {advice}",
    ]
