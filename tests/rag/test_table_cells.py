"""Tables as cells and as HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from rag.documents import Box, Element, Line
from rag.table_cells import Cell, cells_of, html_of
from rag.tables import row_cells, row_texts

TEXT = "| State | 2019 |\n| --- | --- |\n| Utah \\| <b> | 5 |\n| Iowa | |"


def test_cells_know_what_they_name_and_where_they_stand() -> None:
    lines = (
        Line(30, Box(3, 10, 0, 200, 10), ((10.0, 40.0), (100.0, 130.0))),
        Line(50, Box(3, 10, 20, 200, 30), ((10.0, 60.0), (110.0, 120.0))),
        Line(len(TEXT), Box(3, 10, 40, 200, 50), ((10.0, 30.0), None)),
    )
    rows = cells_of(Element("table", TEXT, 3, lines=lines))
    assert rows[0] == [Cell("State", "col", Box(3, 10, 0, 40, 10)), Cell("2019", "col", Box(3, 100, 0, 130, 10))]
    assert rows[1] == [Cell("Utah | <b>", "row", Box(3, 10, 20, 60, 30)), Cell("5", "", Box(3, 110, 20, 120, 30))]
    assert rows[2][1] == Cell("")


def test_without_places_or_row_names() -> None:
    assert cells_of(Element("table", "| a | b |\n| --- | --- |\n| 1 | 2 |")) == [
        [Cell("a", "col"), Cell("b", "col")],
        [Cell("1"), Cell("2")],
    ]
    assert html_of(cells_of(Element("table", "no table"))) == ""


def test_html_has_headings_and_nothing_of_the_documents_markup() -> None:
    assert html_of(cells_of(Element("table", TEXT))) == (
        '<table><thead><tr><th scope="col">State</th><th scope="col">2019</th></tr></thead><tbody>'
        '<tr><th scope="row">Utah | &lt;b&gt;</th><td>5</td></tr>'
        '<tr><th scope="row">Iowa</th><td></td></tr></tbody></table>'
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_text_becomes_a_tag(grid: list[list[str]]) -> None:
    parser = _Tags()
    parser.feed(html_of([[Cell(text) for text in row] for row in grid]))
    assert parser.tags <= {"table", "thead", "tbody", "tr", "td", "th"}


def test_a_row_that_was_cut_keeps_its_last_cell() -> None:
    assert row_cells(r"| a \| b | c |") == [r"a \| b", "c"]
    assert row_texts(r"| a \| b | cut he") == ["a | b", "cut he"]
    assert row_cells("| a ||") == ["a", ""]
    assert row_cells("|") == []
