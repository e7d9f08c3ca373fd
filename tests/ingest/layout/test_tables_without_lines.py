"""Tables that no box is drawn around: rows, columns and headings from where the text stands."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.layout.aligned import aligned_tables, is_number
from ingest.layout.banded import banded_tables
from ingest.layout.cells import columns_of, row_groups
from ingest.layout.heads import covered_columns
from ingest.layout.panes import panes
from ingest.layout.runs import Rect, Run, rows
from ingest.layout.spaced import spaced_tables
from ingest.layout.tables import Rule

SIZE = 10.0


def run(text: str, left: float, top: float, *, width: float | None = None) -> Run:
    return Run(text, left, top, left + (0.5 * SIZE * len(text) if width is None else width), top + SIZE, SIZE)


def lines(texts: list[list[str]], lefts: list[float], top: float, pitch: float) -> list[Run]:
    return [
        run(text, left, top + pitch * row)
        for row, cells in enumerate(texts)
        for text, left in zip(cells, lefts, strict=True)
        if text
    ]


def test_columns_are_what_no_line_covers() -> None:
    found = columns_of(rows([*lines([["North", "12", "a"], ["South-West", "7", "bcd"]], [50, 150, 250], 100, 14)]))
    assert found == [(50, 100), (150, 160), (250, 265)]


def test_a_label_of_three_lines_with_its_number_in_the_middle_is_one_row() -> None:
    label = [run("Cash and short", 50, 100), run("term deposits", 50, 112), run("of the group", 50, 124)]
    other = [run("Debt", 50, 150), run("7", 200, 150)]
    groups = row_groups([*label, run("12", 200, 112), *other], [(50, 120), (200, 210)], is_number)
    assert [sorted(item.text for item in group) for group in groups] == [
        ["12", "Cash and short", "of the group", "term deposits"],
        ["7", "Debt"],
    ]


def test_rows_in_blocks_are_not_one_row() -> None:
    """Lines that stand close, with a number each, and a gap after every two of them."""
    runs = lines([["Oats", "1"], ["Rye", "2"]], [50, 200], 100, 12) + lines(
        [["Hay", "3"], ["Fat", "4"]], [50, 200], 140, 12
    )
    assert len(row_groups(runs, [(50, 70), (200, 205)], is_number)) == 4


def test_the_name_of_a_section_is_a_row_of_its_own() -> None:
    runs = [
        run("Assets:", 50, 100),
        *lines([["Cash in several banks", "1"]], [50, 200], 112, 12),
        run("Debt", 50, 140),
        run("2", 200, 140),
    ]
    assert [len(group) for group in row_groups(runs, [(50, 155), (200, 205)], is_number)] == [1, 2, 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.floats(0, 300), st.text("ab 1", min_size=1, max_size=9)),
        min_size=1,
        max_size=25,
    )
)
def test_no_run_is_lost_or_doubled(items: list[tuple[float, float, str]]) -> None:
    runs = [run(text, left, top) for left, top, text in items]
    spans = columns_of(rows(runs)) or [(0.0, 400.0)]
    grouped = [item for group in row_groups(runs, spans, is_number) for item in group]
    assert sorted(map(id, grouped)) == sorted(map(id, runs))
    parts = [item for part in panes(runs, 500.0) for item in part]
    assert sorted(map(id, parts)) == sorted(map(id, runs))


def test_a_heading_over_three_columns_is_for_each_and_one_aligned_with_a_column_for_that() -> None:
    columns = [(100.0, 120.0), (160.0, 180.0), (220.0, 240.0), (280.0, 300.0), (340.0, 360.0), (400.0, 420.0)]
    assert covered_columns([(140.0, 200.0), (320.0, 380.0)], columns) == [[0, 1, 2], [3, 4, 5]]
    assert covered_columns([(90.0, 120.0)], columns[:2]) == [[0]]


def test_cells_of_several_lines_between_lines_above_and_below() -> None:
    level = [Rule(50, y, 400, y) for y in (90.0, 112.0, 190.0)]
    runs = [
        *lines([["Plant", "Use", "Place"]], [52, 150, 280], 96, 12),
        *lines([["Reed", "Roofs of houses", "Wet ground by"], ["", "and barns", "the river"]], [52, 150, 280], 118, 12),
        *lines([["Oak", "Ships", "Hills"]], [52, 150, 280], 150, 12),
    ]
    (table,) = banded_tables(level, [], runs)
    assert table.grid == [
        ["Plant", "Use", "Place"],
        ["Reed", "Roofs of houses and barns", "Wet ground by the river"],
        ["Oak", "Ships", "Hills"],
    ]
    assert len(table.runs) == len(runs)


def test_two_columns_of_prose_between_two_lines_are_no_table() -> None:
    level = [Rule(50, 90, 500, 90), Rule(50, 200, 500, 200)]
    left = [
        "The dam was old and",
        "nobody had looked at",
        "the gates for years.",
        "then the rain came",
        "and it did not stop",
    ]
    right = [
        "What was learned is",
        "told in the second",
        "part of this report,",
        "with a list of all",
        "gauges on the river",
    ]
    runs = lines([list(pair) for pair in zip(left, right, strict=True)], [52, 280], 96, 14)
    assert banded_tables(level, [], runs) == []


def test_the_last_row_may_be_a_white_one() -> None:
    stripes = [Rect(50, 100 + 32 * i, 400, 116 + 32 * i) for i in range(2)]
    words = [["Name", "Town", "Trade"], ["Ann", "Leith", "Cooper"], ["Bob", "Perth", "Smith"], ["Eve", "Wick", "Baker"]]
    (table,) = banded_tables([], stripes, lines(words, [52, 160, 280], 103, 16))
    assert table.grid == words


def test_words_under_each_other_in_three_columns() -> None:
    words = [["甲", "苹果", "红色"], ["乙", "香蕉", "黄色"], ["丙", "葡萄", "紫色"], ["丁", "", "绿色"]]
    (table,) = spaced_tables(lines(words, [50, 150, 250], 100, 16))
    assert table.grid == words


def test_bullets_and_their_texts_are_no_table() -> None:
    words = [["•", "first point", "x"], ["•", "second point", "y"], ["•", "third point", "z"]]
    assert spaced_tables(lines(words, [50, 70, 250], 100, 14)) == []


def test_numbers_are_read_beside_prose() -> None:
    """Two columns of text, a table in the right one: its rows must not take lines of the left column for labels."""
    prose = [run("a line of text that fills its column to the end", 50, 100 + 12 * i, width=230) for i in range(14)]
    cells = [["Wheat", "12", "14"], ["Barley", "7", "9"], ["Oats", "3", "5"]]
    beside = lines(cells, [300, 400, 460], 106, 15)
    below = [run("text of the second column, below the table, whole", 300, 170 + 12 * i, width=230) for i in range(8)]
    found = [table.grid for part in panes([*prose, *beside, *below], 560.0) for table in aligned_tables(part)]
    assert found == [cells]


def test_numbers_with_chinese_units() -> None:
    assert all(map(is_number, ["47.09亿", "12万元", "3.5倍", "1,200人", "$1.2bn", "2.1个百分点"]))
    assert not any(map(is_number, ["亿", "第3章", "2023 was a year"]))
