"""The grammar: what is read, what is refused and where, and that text and JSON say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import EVERYTHING, Access, Filter, Query
from rag.errors import BadRequest, BadSetting
from rag.filters import And, Comparison, Expression, Not, Or, from_json, parse, to_json, write
from rag.filters.values import day_of, days_of, number_of
from tests.rag.filters.filter_shelf import expressions


def test_a_value_with_spaces_is_told_to_stand_in_quotes() -> None:
    for text in ("name = annual report", "(name = annual report)", "page = 1 and name = annual report"):
        with pytest.raises(BadRequest) as raised:
            parse(text)
        assert '"annual report …"' in raised.value.remedy
    with pytest.raises(BadRequest) as raised:
        parse("page = 1)")
    assert "For example" in raised.value.remedy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("language = zh", Comparison("language", "=", ("zh",))),
        ('language == "zh" and page >= 3', And((Comparison("language", "=", ("zh",)), Comparison("page", ">=", (3,))))),
        (
            "page = 1 or page = 2 and kind = table",
            Or(
                (
                    Comparison("page", "=", (1,)),
                    And((Comparison("page", "=", (2,)), Comparison("kind", "=", ("table",)))),
                )
            ),
        ),
        ("NOT (kind <> image)", Not(Comparison("kind", "!=", ("image",)))),
        ("name not in ('a\\'b', c.md)", Not(Comparison("name", "in", ("a'b", "c.md")))),
        ("name in []", Comparison("name", "in", ())),
        ("media_type = text/html", Comparison("media_type", "=", ("text/html",))),
        ("date < 2024-05", Comparison("date", "<", ("2024-05",))),
        ("heading contains 安装", Comparison("heading", "contains", ("安装",))),
        ('metadata."odd key" starts_with "1"', Comparison("metadata.odd key", "starts_with", ("1",))),
        ("metadata.year >= 2019.5", Comparison("metadata.year", ">=", (2019.5,))),
        ('metadata.year = "2019"', Comparison("metadata.year", "=", ("2019",))),
        ("metadata.code contains 20", Comparison("metadata.code", "contains", ("20",))),
    ],
)
def test_reads(text: str, expected: Expression) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", 1, "expected a field, found the end"),
        ("page >= ", 8, "expected a value for page"),
        ("page >= three", 6, "page is a number"),
        ("colour = red", 1, "cannot ask for 'colour'"),
        ("language < zh", 10, "expected one of =, !=, in, contains, starts_with"),
        ("(page = 1", 10, "expected `)`, `and` or `or`"),
        ("page = 1)", 9, "expected `and`, `or` or the end"),
        ('name = "x', 8, "a quotation that does not end"),
        ("name in x", 9, "expected `(` after in"),
        ("date = tomorrow", 6, "is no date"),
        ("kind = tables", 6, "kind is never 'tables'"),
        ("kind not in (text, figure)", 10, "kind is never 'figure'"),
        ("page = 1; DROP TABLE documents", 6, "page is a number"),
        ("metadata. = 1", 1, "cannot ask for"),
    ],
)
def test_says_where_it_is_wrong(text: str, place: int, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(text)
    assert f"at character {place}:" in caught.value.message
    assert said in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "tree",
    [
        [], "x", None, {}, {"and": []}, {"and": {}}, {"or": [1]}, {"not": []}, {"field": "page"},
        {"field": "page", "op": "=", "value": None}, {"field": "page", "op": "=", "value": True},
        {"field": "page", "op": "=", "value": [1]}, {"field": "page", "op": "in", "value": 1},
        {"field": "page", "op": "=", "value": float("nan")}, {"field": "page", "op": "=", "value": 10**30},
        {"field": "name", "op": "=", "value": "\ud800"}, {"field": "name", "op": "=", "value": "a\0b"},
        {"field": "name", "op": "LIKE", "value": "%"}, {"field": 3, "op": "=", "value": 1},
        {"field": "c.text", "op": "=", "value": "x"}, {"and": [{"field": "page", "op": "=", "value": 1}], "or": []},
    ],
)  # fmt: skip
def test_refuses_what_is_no_tree(tree: object) -> None:
    with pytest.raises(BadRequest):
        from_json(tree)


def test_limits() -> None:
    with pytest.raises(BadRequest, match="nested too deeply"):
        parse("not " * 20 + "page = 1")
    with pytest.raises(BadRequest, match="nested too deeply"):
        parse("(" * 5_000 + "page = 1" + ")" * 5_000)
    deep: object = {"field": "page", "op": "=", "value": 1}
    for _ in range(900):
        deep = {"not": deep}
    with pytest.raises(BadRequest, match="nested too deeply"):
        from_json(deep)
    with pytest.raises(BadRequest, match="too many comparisons"):
        parse(" or ".join(["page = 1"] * 201))
    with pytest.raises(BadRequest, match="Give up to 5000"):
        Comparison("page", "in", tuple(range(5_001)))


@given(expressions())
@settings(max_examples=200, deadline=None)
def test_text_and_json_say_the_same(expression: Expression) -> None:
    assert parse(write(expression)) == expression
    assert from_json(json.loads(json.dumps(to_json(expression)))) == expression


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_expression_or_a_bad_request(text: str) -> None:
    try:
        found = parse(text)
    except BadRequest:
        return
    assert parse(write(found)) == found


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024", ("2024-01-01", "2024-12-31")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2023-02-07", ("2023-02-07", "2023-02-07")),
        ("2024-05-01T23:30:00-11:00", ("2024-05-01", "2024-05-01")),
        ("D:20240501120000+08'00'", ("2024-05-01", "2024-05-01")),
        ("2024年5月1日", ("2024-05-01", "2024-05-01")),
        ("2024/5/1", ("2024-05-01", "2024-05-01")),
        ("Tue, 02 Jan 2024 23:00:00 -0900", ("2024-01-02", "2024-01-02")),
        ("2024-13-01", None), ("2023-02-30", None), ("", None), ("soon", None), ("20240", None),
    ],
)  # fmt: skip
def test_days(text: str, days: tuple[str, str] | None) -> None:
    assert days_of(text) == days


def test_a_document_is_dated_by_the_first_date_it_has() -> None:
    assert day_of({"created": "2001-01-01", "modified": "2002-02-02"}) == "2002-02-02"
    assert day_of({"date": "some day", "created": "2001"}) == "2001-01-01"
    assert day_of({}) is None


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7.0), (" -2.5e1 ", -25.0), ("1_000", None), ("0x10", None), ("inf", None), ("", None)]
)
def test_numbers(text: str, number: float | None) -> None:
    assert number_of(text) == number


def test_an_access_rule_is_about_documents() -> None:
    Access(Filter(where=parse("metadata.tenant = a and not name starts_with secret/")))
    with pytest.raises(BadSetting, match="cannot depend on language, page"):
        Access(Filter(languages=frozenset({"en"}), where=parse("page < 9")))


def test_what_a_query_may_see_is_what_both_allow() -> None:
    one, other = Filter(names=frozenset({"a"})), Filter(where=parse("metadata.tenant = x or metadata.tenant = y"))
    assert Query("q", filter=one, access=Access(other)).allowed.expression == And((
        Comparison("name", "in", ("a",)), Or((
            Comparison("metadata.tenant", "=", ("x",)), Comparison("metadata.tenant", "=", ("y",)),
        )),
    ))  # fmt: skip
    assert Query("q", filter=one, access=EVERYTHING).allowed == one
    assert not Query("q").allowed
    # Lists that have nothing in common leave nothing, and not everything.
    assert (Filter(names=frozenset({"a"})) & Filter(names=frozenset({"b"}))).expression is not None
