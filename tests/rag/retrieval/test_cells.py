"""Values in the wrong row or column of a table are refused, those in the right one are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Hit, Passage
from rag.documents import Chunk, DocumentRef
from rag.retrieval.cells import misplaced, named_rows
from rag.retrieval.cite import resolve
from rag.retrieval.table_text import table_around

SALES = """Sales by contract type, in millions.

| | Years ended September 30, 2019 | Years ended September 30, 2018 | Years ended September 30, 2017 |
|---|---|---|---|
| Fixed price | $1,452.4 | $1,146.2 | $1,036.9 |
| Other | 44.1 | 56.7 | 70.8 |
| Total sales | $1,496.5 | $1,202.9 | $1,107.7 |

Prices are in dollars."""

PLANTS = """| 工厂 | 2022年产量 | 2023年产量 | 员工人数 |
|---|---|---|---|
| 苏州工厂 | 320 | 415 | 1200 |
| 成都工厂 | 415 | 298 | 860 |"""

PEOPLE = """| Office | Manager | Staff |
|---|---|---|
| Oslo | Ingrid Berg | 12 |
| Turin | Paolo Neri | 7 |"""


def wrong(claim: str, text: str = SALES, names: tuple[str, ...] = ()) -> list[str]:
    table = table_around(text, text.index("|---"))
    assert table is not None
    return misplaced(claim, table, names)


@pytest.mark.parametrize(
    "claim",
    [
        "Other sales were 44.1 in 2019.",
        "In 2018, other contracts brought 56.7 million.",
        "Total sales rose from $1,107.7 in 2017 to $1,496.5 in 2019.",
        "In 2019 and 2018, total sales were $1,496.5 and $1,202.9.",
        "In 2017, fixed price was 1,036.9 and other 70.8.",
        "It was 44.1.",
        "Fixed price reached 1,452.4, the total 1,496.5.",
    ],
)
def test_values_in_their_place(claim: str) -> None:
    assert wrong(claim) == []


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("Other sales were 56.7 in 2019.", "56.7"),
        ("Total sales were $1,452.4 in 2019.", "$1,452.4"),
        ("Fixed price was 44.1 in 2019.", "44.1"),
        ("Total sales rose from $1,496.5 in 2017 to $1,107.7 in 2019.", "$1,496.5"),
        ("In 2019 and 2018, total sales were $1,202.9 and $1,496.5.", "$1,202.9"),
        ("In 2017, fixed price was 70.8 and other 1,036.9.", "70.8"),
        ("In 2019 fixed price and total sales were $1,496.5 and $1,452.4.", "$1,496.5"),
    ],
)
def test_values_out_of_their_place(claim: str, value: str) -> None:
    assert value in wrong(claim)


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("苏州工厂2022年产量为320。", True),
        ("苏州工厂2022年产量为415。", False),
        ("成都工厂2022年的产量是415。", True),
        ("成都工厂2023年的产量是415。", False),
        ("成都工厂的员工人数为860人。", True),
        ("苏州工厂的员工人数为860人。", False),
        ("2023年产量方面，苏州工厂为415，成都工厂为298。", True),
        ("2023年产量方面，苏州工厂为298，成都工厂为415。", False),
    ],
)
def test_chinese_tables(claim: str, right: bool) -> None:
    assert (wrong(claim, PLANTS) == []) is right


FEES = """| | 2018 | 2019 | $ Difference | % Difference |
|---|---|---|---|---|
| Outstanding at June 30, 2016 | 1,104 | 49 | 11 | 7% |
| Outstanding at June 30, 2017 | 838 | 12,491 | 15 | 18% |
| Income from operations | 5,461 | 650 | 19 | 9% |
| Income from operations before tax (1) | 204 | 778 | 21 | 3% |
| Interest income | 3,083 | 41 | 23 | 2% |
| Interest expense | 1,205 | 42 | 25 | 1% |
| Other income and expense, net | 378 | 43 | 27 | 6% |"""


@pytest.mark.parametrize(
    ("right", "exchanged"),
    [
        # A date's own words stand before it, not the next row's.
        ("In 2018, outstanding at June 30, 2016 was 1,104 and outstanding at June 30, 2017 was 838", ("1,104", "838")),
        # The longer label's words are its own.
        ("In 2018, income from operations before tax was 204 and income from operations was 5,461", ("204", "5,461")),
        # No words are left for `Interest expense`.
        ("In 2018, interest income was 3,083 and other income and expense, net was 378", ("3,083", "378")),
    ],
)
def test_two_rows_of_like_names(right: str, exchanged: tuple[str, str]) -> None:
    assert wrong(right, FEES) == []
    one, other = exchanged
    swapped = right.replace(one, "X").replace(other, one).replace("X", other)
    assert set(wrong(swapped, FEES)) == {one, other}


def test_columns_of_the_same_words_are_both_meant() -> None:
    assert wrong("The difference of income from operations was 19.", FEES) == []
    assert wrong("The difference of income from operations was 9%.", FEES) == []
    assert wrong("The difference of income from operations was 650.", FEES) == ["650"]


def test_a_stop_in_a_row_does_not_cut_it() -> None:
    text = "| | 2019 |\n|---|---|\n| Modules . | 502,001 |\n| Net sales . | 2,244,044 |"
    assert verified("Net sales in 2019 were 2,244,044.", text)
    assert not verified("Net sales in 2019 were 502,001.", text)


def test_names_in_cells() -> None:
    assert wrong("Ingrid Berg manages Oslo.", PEOPLE, ("berg",)) == []
    assert wrong("Paolo Neri manages Oslo.", PEOPLE, ("neri",)) == ["neri"]
    assert wrong("Paolo Neri is a manager.", PEOPLE, ("neri",)) == []


def test_a_value_that_the_table_does_not_have_is_not_for_it_to_judge() -> None:
    assert wrong("Other sales were 99.9 in 2019.") == []


def test_rows_are_named_in_the_order_of_the_claim() -> None:
    table = table_around(SALES, SALES.index("| Other"))
    assert table is not None
    assert [table.label(row) for row in named_rows("Total sales and fixed price", table)] == [
        "Total sales",
        "Fixed price",
    ]


@pytest.mark.parametrize(
    ("above", "scale"),
    [
        ("(Numbers in thousands)", 1e3),
        ("In millions, except per share", 1e6),
        ("Sales, $ million", 1e6),
        ("£m", 1e6),
        ("($000s)", 1e3),
        ("单位：万元", 1e4),
        ("单位: 百万元", 1e6),
        ("A million people live in the city.", 1.0),
        ("In millions of cases, or in thousands", 1.0),
    ],
)
def test_what_a_table_counts_in(above: str, scale: float) -> None:
    text = f"{above}\n| a | b |\n|---|---|\n| x | 1 |"
    table = table_around(text, text.index("| x"))
    assert table is not None
    assert table.scale == scale


def test_outside_of_a_table_there_is_none() -> None:
    assert table_around(SALES, 3) is None
    assert table_around(SALES, len(SALES) - 3) is None
    assert table_around("| a | b |\n| 1 | 2 |\n| 3 | 4 |", 4) is None
    assert table_around("| a |\n|---|\n| 1 |", 4) is None


@given(st.text("|-\\ a1\n:.", max_size=80), st.integers(0, 80))
def test_no_text_breaks_it(text: str, place: int) -> None:
    table = table_around(text, min(place, len(text)))
    if table is not None:
        assert all(len(row) == len(table.header) for row in table.rows)
        misplaced("a was 1 in 11", table, ("a",))


def test_the_quote_is_the_row_that_has_the_value() -> None:
    ref = DocumentRef("d", "report.pdf", "application/pdf", "default")
    passage = Passage(1, Hit(Chunk("c", "d", 0, "table", SALES), ref, 1.0), SALES)
    (citation,) = resolve("In the year ended September 30, 2018, other sales were 56.7 [1].", (passage,)).citations
    assert citation.quote == "| Other | 44.1 | 56.7 | 70.8 |"


def verified(claim: str, text: str) -> bool:
    ref = DocumentRef("d", "report.pdf", "application/pdf", "default")
    passage = Passage(1, Hit(Chunk("c", "d", 0, "table", text), ref, 1.0), text)
    (citation,) = resolve(f"{claim} [1]", (passage,)).citations
    return citation.verified


@pytest.mark.parametrize(
    ("claim", "text", "right"),
    [
        ("Other sales were 44.1 in the year ended September 30, 2019", SALES, True),
        ("Other sales were 56.7 in the year ended September 30, 2019", SALES, False),
        ("Fixed price sales were 44.1 in the year ended September 30, 2019", SALES, False),
        ("苏州工厂2022年产量为320", PLANTS, True),
        ("苏州工厂2022年产量为415", PLANTS, False),
        ("成都工厂2022年产量为320", PLANTS, False),
        ("2023年产量方面，苏州工厂为415，成都工厂为298", PLANTS, True),
        ("The Oslo office has a staff of 12", PEOPLE, True),
        ("The Oslo office has a staff of 7", PEOPLE, False),
        ("Other sales were 44.1 million in the year ended September 30, 2019", SALES, True),
        ("Other sales were 56.7 million in the year ended September 30, 2019", SALES, False),
        ("Other sales were 44.1 billion in the year ended September 30, 2019", SALES, False),
        ("Other sales were $44,100,000 in the year ended September 30, 2019", SALES, True),
    ],
)
def test_a_citation_of_a_table(claim: str, text: str, right: bool) -> None:
    assert verified(claim, text) is right


GOALS = """TABLE 1.1

| Measure | FY 2018 Results | FY 2019 Results | FY 2019 Target | FY 2019 Target Met/ Not Met | FY 2015- FY 2019 Trend |
|---|---|---|---|---|---|
| Number of participants in the programme | 0 | 5 | ≥18 | Not Met | |"""


def test_the_value_beside_a_named_column_stands_in_the_column_that_is_named_by_the_year_alone() -> None:
    assert wrong("The programme had 5 participants in FY 2019, with a target of ≥18 participants.", GOALS) == []
    assert wrong("In FY 2019 the target was 18 and 5 participants came.", GOALS) == []
    # Exchanged, and from the year before.
    assert wrong("The programme had 18 participants in FY 2019, with a target of 5 participants.", GOALS)
    assert wrong("The programme had 0 participants in FY 2019, with a target of ≥18 participants.", GOALS)


def test_a_cell_that_denies_denies_nothing_beyond_itself() -> None:
    ref = DocumentRef("d", "c", "plan.pdf", "application/pdf")
    passage = Passage(1, Hit(Chunk("c", "d", 0, "table", GOALS), ref, 1.0), GOALS)
    claim = "The programme had 5 participants in FY 2019, with a target of ≥18 participants [1]."
    (citation,) = resolve(claim, [passage]).citations
    assert citation.verified
    assert "≥18" in citation.quote
