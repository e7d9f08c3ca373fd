"""Tables in text: any delimiter and encoding, quotes, long files in parts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delimited import delimiter_of, is_table
from ingest.parsers.csv_table import CsvParser
from ingest.protocols import Limits, ParsedPage
from rag.errors import CorruptFile, EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse, source, texts


def read(tmp_path: Path, data: bytes) -> list[ParsedPage]:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    return parse(CsvParser(), source(path, "text/csv"))


def test_contract() -> None:
    check_parser(CsvParser())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    lines = [["name", "price", "place"], ["crane", "12.5", "Xiamen"], ["rope", "3", "Kiel"]]
    data = "\r\n".join(delimiter.join(line) for line in lines).encode()
    assert texts(read(tmp_path, data)) == [
        "| name | price | place |\n| --- | --- | --- |\n| crane | 12.5 | Xiamen |\n| rope | 3 | Kiel |"
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "big5"])
def test_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "城市,人口,的時候\n廈門,528,我們的國家\n福州,842,這是一個人\n"
    assert texts(read(tmp_path, text.encode(encoding)))[0].startswith("| 城市 | 人口 | 的時候 |")


def test_the_encoding_shows_where_the_first_foreign_bytes_are(tmp_path: Path) -> None:
    data = b"n,name\n" + b"1,plain\n" * 20_000 + "2,这是我们的城市\n".encode("gb18030")
    assert "这是我们的城市" in texts(read(tmp_path, data))[-1]


def test_quotes_line_breaks_and_decimal_commas(tmp_path: Path) -> None:
    pages = read(tmp_path, b'name;price;note\n"a;b";1,5;"two\nlines"\n"say ""x""";2,0;\n')
    assert texts(pages)[0].split("\n")[2:] == ["| a;b | 1,5 | two lines |", '| say "x" | 2,0 |  |']


def test_a_title_above_and_notes_below(tmp_path: Path) -> None:
    pages = read(
        tmp_path, b"Harbour statistics\n\nyear,boxes,ships\n2023,4,5\n2024,6,7\nSource: the office of the port\n"
    )
    assert [(e.kind, e.text.split("\n")[0]) for page in pages for e in page.elements] == [
        ("paragraph", "Harbour statistics"),
        ("table", "| year | boxes | ships |"),
        ("paragraph", "Source: the office of the port"),
    ]


def test_titles_with_commas_above_a_table(tmp_path: Path) -> None:
    pages = read(tmp_path, b"Report, 2023\nby the office\nfor you, and you\nand all\nof us\n\na;b;c\n1;2;3\n")
    assert texts(pages, "table") == ["| a | b | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |"]


def test_one_column_is_a_text(tmp_path: Path) -> None:
    assert texts(read(tmp_path, b"one\ntwo\n")) == ["one\ntwo"]


def test_long_files_come_in_parts(tmp_path: Path) -> None:
    tables = texts(read(tmp_path, b"n,text\n" + b"".join(b"%d,row\n" % n for n in range(1000))))
    assert len(tables) == 6
    assert all(table.startswith("| n | text |\n") for table in tables)


def test_limits_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" * 30)
    assert "rows" in check_refused(CsvParser(), source(path, "text/csv", limits=Limits(rows=10)), LimitExceeded).remedy
    path.write_bytes(b",,\n,,\n")
    check_refused(CsvParser(), source(path, "text/csv"), EmptyFile)
    path.write_bytes(bytes(range(256)) * 9)
    check_refused(CsvParser(), source(path, "text/csv"), CorruptFile)


_FIELD = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=9)


@given(st.lists(st.lists(_FIELD, min_size=3, max_size=3), min_size=3, max_size=8), st.sampled_from(",;\t|"))
def test_what_a_writer_wrote_is_read_under_its_delimiter(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    assert delimiter_of(out.getvalue()) == delimiter


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ann,\n\nthank you, very much,\n\nBo",
        "One, two, three,\nfour, five, six,\nseven, eight, nine.",
        "key: value\nother: thing\n",
        "1. first\n2. second\n3. third\n",
    ],
)
def test_prose_is_no_table(text: str) -> None:
    assert not is_table(text)
