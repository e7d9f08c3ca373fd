"""Where cells stand across the page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.layout.cell_spans import cell_spans
from ingest.layout.lines import drawn_rows
from ingest.layout.runs import Run
from ingest.layout.tables import to_markdown


def run(text: str, left: float, top: float, width: float | None = None) -> Run:
    return Run(text, left, top, left + (width or 5.0 * len(text)), top + 10, 10.0)


def test_runs_go_to_their_cells() -> None:
    text = "| State | 2019 | 2020 |\n| --- | --- | --- |\n| New York | $5 | 5 |\n| Utah | | 7 \\| 8 |"
    runs = [
        *(run("State", 10, 0), run("2019", 100, 0), run("2020", 200, 0)),
        *(run("New York", 10, 20), run("$", 100, 20), run("5", 120, 20), run("5", 205, 20)),
        *(run("Utah", 10, 40), run("7 | 8", 200, 40)),
    ]
    assert cell_spans(text, drawn_rows(text, runs)) == (
        ((10, 35), (100, 120), (200, 220)),
        ((10, 50), (100, 125), (205, 210)),
        ((10, 30), None, (200, 225)),
    )


def test_a_cell_of_several_lines_is_as_wide_as_all_of_them() -> None:
    text = "| Name | What it does |\n| --- | --- |\n| Pump | moves the water up |"
    runs = [
        *(run("Name", 10, 0), run("What it does", 100, 0)),
        *(run("Pump", 10, 20), run("moves the", 100, 20), run("water up", 110, 31)),
    ]
    assert cell_spans(text, drawn_rows(text, runs))[1] == ((10, 30), (100, 150))


def test_a_heading_over_columns_stands_over_each() -> None:
    text = "| | Sales 2019 | Sales 2020 |\n| --- | --- | --- |\n| Utah | 5 | 7 |"
    runs = [
        run("Sales", 140, 0),
        *(run("2019", 100, 12), run("2020", 200, 12)),
        *(run("Utah", 10, 30), run("5", 105, 30), run("7", 205, 30)),
    ]
    head = cell_spans(text, drawn_rows(text, runs))[0]
    assert head[0] is None
    assert head[2] == (200, 220)


BARE = "| a | b |\n| --- | --- |\n| c | d |"


def test_nothing_without_places() -> None:
    assert cell_spans(BARE, drawn_rows(BARE, [])) == ()


@given(
    st.lists(st.lists(st.text("abc123", min_size=1, max_size=6), min_size=3, max_size=3), min_size=2, max_size=6),
)
def test_each_text_is_where_it_was_drawn(grid: list[list[str]]) -> None:
    runs = [run(text, 100.0 * c, 20.0 * r) for r, row in enumerate(grid) for c, text in enumerate(row)]
    text = to_markdown(grid)
    found = cell_spans(text, drawn_rows(text, runs))
    if not found:
        return
    assert len(found) == len(grid)
    for row, spans in zip(grid, found, strict=True):
        assert spans[0] == (0.0, 5.0 * len(row[0]))
        assert all(span is not None for span in spans)
