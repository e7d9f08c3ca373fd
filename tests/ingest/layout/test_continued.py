"""Tables over two pages: the second part gets the headings of the first, and nothing else does."""

from __future__ import annotations

import pytest

from ingest.layout.continued import continued, headings_at_end, recalled, remembered
from rag.documents import Box, Element, Line

BOX = Box(1, 50, 100, 500, 700)
FIRST = "| State | People | Share |\n| --- | --- | --- |\n| Ohio | 1,204 | 4.1% |\n| Utah | 300 | 1.0% |"
SECOND = "| Iowa | 77 | 0.3% |\n| --- | --- | --- |\n| Texas | 9,000 | 30% |"
WHOLE = "| State | People | Share |\n| --- | --- | --- |\n| Iowa | 77 | 0.3% |\n| Texas | 9,000 | 30% |"


def table(text: str, box: Box = BOX) -> Element:
    return Element("table", text, box.page, (box,))


def test_the_second_part_gets_the_headings() -> None:
    note, after = Element("footnote", "1 Estimated.", 1), Element("paragraph", "As shown.", 2)
    found = continued([table(SECOND), after], headings_at_end([table(FIRST), note]))
    assert [element.text for element in found] == [WHOLE, "As shown."]
    # And leaves them to the third page.
    third = continued([table(SECOND)], headings_at_end(found[:1]))
    assert third[0].text == WHOLE


def test_lines_end_where_their_rows_do() -> None:
    lines = (Line(SECOND.index("\n| Texas"), BOX), Line(len(SECOND), BOX))
    made = continued([Element("table", SECOND, 2, (BOX,), lines=lines)], headings_at_end([table(FIRST)]))[0]
    assert [made.text[: line.end].rsplit("\n", 1)[-1] for line in made.lines] == [
        "| Iowa | 77 | 0.3% |",
        "| Texas | 9,000 | 30% |",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "| State | Votes | Share |\n| --- | --- | --- |\n| Iowa | 77 | 0.3% |",  # headings of its own
        FIRST,  # the same ones again
        "| Iowa | 77 |\n| --- | --- |\n| Texas | 9,000 |",  # other columns
        "| Ages | 2019 | 2020 |\n| --- | --- | --- |\n| All | 77 | 78 |",  # years head columns
        "| | Votes | Share |\n| --- | --- | --- |\n| Texas | 9,000 | 30% |",  # an empty corner
    ],
)
def test_what_has_headings_of_its_own_is_left_alone(text: str) -> None:
    assert continued([table(text)], headings_at_end([table(FIRST)]))[0].text == text


RULES = "| Rule | Wrong | Right |\n| --- | --- | --- |\n| Be short | At this point in time | Now |\n| Use lists | One, two | Items |"


@pytest.mark.parametrize("first", ["| | | and say so |", "| One level only | | |", "| | ● one ● two | ● items |"])
def test_a_row_that_the_page_cut_is_no_heading(first: str) -> None:
    below = f"{first}\n| --- | --- | --- |\n| Be clear | It may be that | It is |"
    found = continued([table(below)], headings_at_end([table(RULES)]))[0].text.split("\n")
    assert found[0] == "| Rule | Wrong | Right |"
    assert found[2] == first


def test_only_at_the_end_and_the_top_and_in_the_same_place() -> None:
    paragraph = Element("paragraph", "Between them.", 1)
    assert headings_at_end([table(FIRST), paragraph]) is None
    assert headings_at_end([]) is None
    assert continued([paragraph, table(SECOND)], headings_at_end([table(FIRST)]))[1].text == SECOND
    beside = table(SECOND, Box(2, 300, 100, 560, 700))
    assert continued([beside], headings_at_end([table(FIRST)])) == [beside]
    assert continued([table(SECOND)], None) == [table(SECOND)]


def test_it_is_remembered_and_forgotten() -> None:
    found = headings_at_end([table(FIRST)])
    assert recalled(["picture", remembered(found)]) == found
    assert recalled([remembered(found), "picture", remembered(None)]) is None
    assert recalled([]) is None
