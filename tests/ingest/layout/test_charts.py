from __future__ import annotations

from ingest.layout.charts import chart_regions, without_charts
from ingest.layout.runs import Rect, Run
from ingest.layout.tables import Rule


def run(text: str, left: float, top: float) -> Run:
    return Run(text, left, top, left + 5 * len(text), top + 8, 8)


BARS = [Rect(100 + 40 * i, 300 - height, 125 + 40 * i, 300) for i, height in enumerate([30, 80, 55, 120])]
AXES = [Rule(90, 170, 90, 300), Rule(90, 300, 280, 300), *(Rule(88, y, 280, y) for y in (180, 220, 260))]


def test_bars_on_one_line_with_their_axes_are_a_chart() -> None:
    labels = [run("12", 74, 256), run("30", 74, 216), run("2019", 102, 304), run("2020", 142, 304), run("64", 145, 208)]
    text = [run("Sales rose in every year but one, as this figure shows.", 60, 330), run("7", 400, 220)]
    (region,) = chart_regions(BARS, AXES, [*labels, *text])
    assert (region.left, region.top, region.right, region.bottom) == (88, 170, 280, 300)
    assert without_charts([*labels, *text], [region]) == text


def test_lying_bars_and_curves_too() -> None:
    lying = [Rect(100, 100 + 20 * i, 150 + 37 * i, 112 + 20 * i) for i in range(4)]
    curve = [Rule(100 + 30 * i, 400 + 25 * (i % 3), 130 + 30 * i, 425 + 25 * (i % 3)) for i in range(5)]
    assert len(chart_regions(lying, [], [])) == 1
    assert len(chart_regions([], curve, [])) == 1


def test_coloured_cells_are_no_bars() -> None:
    """Cells of a heading over two rows begin on different lines and end on one: but something is written in them."""
    cells = [Rect(100 + 60 * i, 100 - 12 * (i % 3), 160 + 60 * i, 120) for i in range(5)]
    assert chart_regions(cells, [], [run("Total", 104 + 60 * i, 106) for i in range(5)]) == []


def test_empty_coloured_cells_in_rows_are_no_bars() -> None:
    """A report shades every second row, cell by cell, and headings over two columns make cells of other widths."""
    cells = [
        Rect(left, 100 + 24 * row, right, 112 + 24 * row)
        for row, ends in enumerate([(200, 300), (240, 300), (270, 300), (220, 300)])
        for left, right in ((50, 150), (150, ends[0]), (ends[0], ends[1]))
    ]
    assert chart_regions(cells, [], []) == []


def test_a_curve_that_is_one_path_stands_between_its_axes() -> None:
    axes = [Rule(100, 100, 100, 200), Rule(100, 200, 300, 200)]
    assert len(chart_regions([Rect(104, 120, 290, 180)], axes, [])) == 1
    assert chart_regions([Rect(104, 120, 290, 180)], [], []) == []
