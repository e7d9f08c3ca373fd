from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.layout.lines import drawn_rows, line_ends, row_lines
from ingest.layout.paragraphs import blocks_of, element_lines, merged
from ingest.layout.runs import Run, rows
from ingest.layout.text import join_lines


def pieces(lines: list[str], text: str) -> list[str]:
    ends = [0, *line_ends(lines, text)]
    return [text[a:b].strip() for a, b in pairwise(ends)]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["Ducks swim", "in ponds."], ["Ducks swim", "in ponds."]),
        (["An inter-", "national bird"], ["An inter", "national bird"]),
        (["鸭子会游泳，", "也会飞。"], ["鸭子会游泳，", "也会飞。"]),
        (["one", "", "two"], ["one", "", "two"]),
    ],
)
def test_each_line_has_its_part_of_the_text(lines: list[str], wanted: list[str]) -> None:
    assert pieces(lines, join_lines(lines)) == wanted


def test_a_list_mark_that_was_written_anew() -> None:
    assert pieces(["• Ducks", "swim"], "- Ducks swim") == ["- Ducks", "swim"]


def test_lines_of_another_text_have_no_ends() -> None:
    assert line_ends(["Ducks swim in ponds all day long"], "Geese fly over the hills and far away") == []
    assert line_ends([], "text") == []


@given(st.lists(st.text("abc defg-,.鸭子会", min_size=1, max_size=30), min_size=1, max_size=8))
def test_ends_rise_and_reach_the_end(lines: list[str]) -> None:
    text = join_lines(lines)
    ends = line_ends(lines, text)
    if ends:
        assert ends == sorted(ends)
        assert ends[-1] == len(text)


def drawn(text: str, top: float, left: float = 50.0) -> Run:
    return Run(text, left, top, left + 6 * len(text), top + 10, 10.0)


def test_a_paragraph_knows_where_its_lines_are() -> None:
    lines = ["Ducks swim in the pond behind the house and", "eat the weed that grows there in sum-", "mer and autumn."]
    (block,) = blocks_of(rows([drawn(text, 100 + 12 * n) for n, text in enumerate(lines)]), body_size=10.0)
    found = element_lines(block, 3, 600, 800)
    assert [line.box.top for line in found] == [100, 112, 124]
    assert found[-1].end == len(block.text)
    assert block.text[found[1].end :].strip() == "mer and autumn."


def test_a_paragraph_over_two_columns_keeps_its_lines() -> None:
    first = blocks_of(rows([drawn("Ducks swim in the pond behind the house and eat", 700)]), body_size=10.0)[0]
    second = blocks_of(rows([drawn("weed that grows there in summer and in autumn.", 50, 300)]), body_size=10.0)[0]
    both = merged(first, second)
    found = element_lines(both, 1, 900, 900)
    assert [line.box.left for line in found] == [50, 300]
    assert both.text[: found[0].end].strip() == first.text
    assert found[1].end == len(both.text)


def cell(text: str, left: float, top: float) -> Run:
    return Run(text, left, top, left + 6 * len(text), top + 10, 10.0)


TABLE = "| Item | 2019 Sales | 2019 Costs |\n| --- | --- | --- |\n| Tea from the north | 12 | 15 |\n| Rice | 15 | 7 |"


def test_each_row_of_a_table_has_its_place() -> None:
    runs = [
        cell("2019", 250, 100),
        cell("Item", 50, 112),
        cell("Sales", 200, 112),
        cell("Costs", 300, 112),
        cell("Tea from", 50, 130),
        cell("12", 200, 136),
        cell("15", 300, 136),
        cell("the north", 50, 142),
        cell("Rice", 50, 160),
        cell("15", 200, 160),
        cell("7", 300, 160),
    ]
    found = row_lines(TABLE, drawn_rows(TABLE, runs))
    assert [(box.top, box.bottom) for _, box in found] == [(100, 122), (130, 152), (160, 170)]
    texts = [TABLE[a:b].strip() for a, b in pairwise([0, *(end for end, _ in found)])]
    assert [text.split("\n")[0].split(" |")[0] for text in texts] == ["| Item", "| Tea from the north", "| Rice"]
    assert found[-1][0] == len(TABLE)


def test_a_table_whose_rows_cannot_be_told_has_no_places() -> None:
    assert row_lines(TABLE, drawn_rows(TABLE, [cell("Item", 50, 112)])) == ()
    assert row_lines(TABLE, drawn_rows(TABLE, [])) == ()
