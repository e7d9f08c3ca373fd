from __future__ import annotations

import pytest

from rag.retrieval.quantities import missing, quantities


def values(text: str) -> set[tuple[str, float]]:
    return {(quantity.kind, quantity.value) for quantity in quantities(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("56.7 million", {("number", 56_700_000)}),
        ("5670万", {("number", 56_700_000)}),
        ("1,234 and 1234", {("number", 1234)}),
        ("18.7 percent", {("percent", 18.7)}),
        ("18.7%", {("percent", 18.7)}),
        ("百分之十八", {("percent", 18)}),
        ("March 4, 2019", {("month", 3), ("number", 4), ("number", 2019)}),
        ("2019-03-04", {("month", 3), ("number", 4), ("number", 2019)}),
        ("2019年3月4日", {("month", 3), ("number", 4), ("number", 2019)}),
        ("两块显卡", {("number", 2)}),
        ("三百二十人", {("number", 320)}),
        ("二〇一九年", {("number", 2019)}),
        ("两万五千名", {("number", 25_000)}),
        ("twenty-five", {("number", 25)}),
        ("at 12:30", {("clock", 750)}),
        ("GTX580", set()),
        ("he may go", set()),
        ("一种统一的方法", set()),
    ],
)
def test_values_of_a_text(text: str, expected: set[tuple[str, float]]) -> None:
    assert values(text) == expected


def test_rounding_has_to_be_declared() -> None:
    evidence = quantities("56.7 million people")
    assert missing("about 57 million people", evidence) == []
    assert [quantity.value for quantity in missing("57 million people", evidence)] == [57_000_000]
    assert missing("about 58 million people", evidence)


def test_a_percentage_may_have_its_sign_in_the_header() -> None:
    assert missing("18.7%", quantities("| 2010 | 18.7 |")) == []
    assert missing("18.7 people", quantities("18.7%"))


@pytest.mark.parametrize(
    ("claim", "evidence", "carried"),
    [
        ("5 km", "5 kilometres", True),
        ("5公里", "a road of 5 km", True),
        ("5 miles", "5 km", False),
        ("5 km", "5", True),
        ("$5 million", "5 million dollars", True),
        ("€5 million", "$5 million", False),
        ("500美元", "500元", False),
        ("40 square miles", "40 miles", False),
        ("100 grams", "100 kilograms", False),
        ("3 hours", "3小时", True),
        ("10% to 20%", "10–20%", True),
        ("10–20%", "between 10 percent and 20 percent", True),
        ("3至5万人", "30,000 to 50,000 people", True),
        ("2 in the morning", "2 feet", True),
    ],
)
def test_units_are_compared_and_ranges_say_their_sign_once(claim: str, evidence: str, carried: bool) -> None:
    assert (missing(claim, quantities(evidence)) == []) == carried
