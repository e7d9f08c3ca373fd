"""Questions made by rules: each from a passage that is written out here."""

from __future__ import annotations

import pytest

from eval.generate.answer_type import fits
from eval.generate.rules import RULES
from eval.generate.rules.captions import captions
from eval.generate.rules.definitions import definitions
from eval.generate.rules.headings import headings
from eval.generate.rules.tables import tables
from tests.eval.generate_source import DOME, FAULTS, REGION, TABLE, ZH, ZH_REGION, passage, small


def pairs(made: object) -> dict[str, str]:
    return {one.question: one.answer for one in made}  # type: ignore[attr-defined]


def test_a_cell_is_asked_for_by_row_and_column_under_its_caption() -> None:
    found = pairs(tables(passage(TABLE, kind="table", headings=("Annual report 2025", "Spending"))))
    assert found["In “Spending in thousand yuan”, what is the figure for Staff in 2025?"] == "4,860"
    assert len(found) == 6


def test_a_chinese_cell_reads_as_a_chinese_question() -> None:
    where = {"kind": "table", "language": "zh", "called": "图文快速入门", "headings": ("图文快速入门", "三种方式")}
    found = pairs(tables(passage(ZH, **where)))
    assert found["在《图文快速入门》的“三种方式”中，“摘录”需要模型吗？"] == "不需要"
    assert found["在《图文快速入门》的“三种方式”中，“生成”的“说明”是什么？"] == "由模型撰写回答"


def test_a_form_is_asked_by_its_labels() -> None:
    form = "| Aircraft: | Cessna | Engines: | 1 |\n| --- | --- | --- | --- |\n| Seats: | | Damage: | Substantial |"
    found = pairs(tables(passage(form, called="NTSB 1", kind="table", headings=("Report",))))
    assert found == {
        "In “NTSB 1”, what is given as “Aircraft” under “Report”?": "Cessna",
        "In “NTSB 1”, what is given as “Engines” under “Report”?": "1",
        "In “NTSB 1”, what is given as “Damage” under “Report”?": "Substantial",
    }


@pytest.mark.parametrize(
    "text",
    [
        "| a | a |\n| --- | --- |\n| x | 1 |",  # nothing to tell the columns apart by
        "| a | b |\n| --- | --- |\n| x | 1 |\n| x | 2 |",  # nor the rows
        "| 19 18 | 17 16 |\n| --- | --- |\n| 9 | 8 |",  # a chart's axis, read as a table
        "no table at all",
    ],
)
def test_tables_that_cannot_be_asked_about_give_nothing(text: str) -> None:
    assert [
        one for one in tables(passage(text, headings=("Part",))) if one.variables[0] != "x" or "“a”" in one.question
    ] == []


def test_definitions_ask_for_the_term() -> None:
    assert pairs(definitions(passage(REGION))) == {
        "What is a Region?": "a contiguous range of keys that is stored together"
    }
    zh = pairs(
        definitions(passage(ZH_REGION, called="图文快速入门", headings=("图文快速入门", "Region"), language="zh"))
    )
    assert zh["什么是 Region？"] == "一段连续的键，存放在同一个存储节点上"
    assert zh["《图文快速入门》在“Region”中是怎样说明“Hash”的？"] == "按照键做哈希，选择对应的存储节点。"


@pytest.mark.parametrize(
    "sentence",
    [
        "This is a contiguous range of keys that is stored together.",
        "It is a long story that nobody wants to hear again.",
        "Also included within the office is the secretariat, which is responsible for letters.",
        "The reason is that many projects are funded that otherwise would not be.",
        "The dome is a place that was spoken of before in this text.",
    ],
)
def test_what_names_no_term_defines_nothing(sentence: str) -> None:
    assert list(definitions(passage(sentence))) == []


def test_headings_ask_what_stands_below_them() -> None:
    (one,) = headings(passage(DOME, "handbook.docx", headings=("2 The dome", "2.2 If the slit does not close")))
    assert one.question == "What should be done if the slit does not close?"
    assert one.quote.startswith("Turn the dome")
    text = "Where weights come from\n\nA manifest names every model file by its hash and lists several sources."
    (other,) = headings(passage(text, headings=("Where weights come from",)))
    assert other.question == "What does “Annual report 2025” say about “Where weights come from”?"


@pytest.mark.parametrize("heading", ["Summary", "1.2", "Table 3", "CONTENTS OF ALL", "Annual report 2025"])
def test_headings_that_say_nothing_are_not_asked_about(heading: str) -> None:
    text = f"{heading}\n\nA manifest names every model file by its hash and lists several sources."
    assert list(headings(passage(text, headings=(heading,)))) == []


def test_captions_ask_what_a_figure_shows() -> None:
    assert pairs(captions(passage(DOME, called="Operations handbook"))) == {
        "What does Figure 1 in “Operations handbook” show?": "The telescope and its dome, seen from the east."
    }


def test_every_quote_stands_where_its_span_says_and_holds_the_answer() -> None:
    from eval.generate.source import passages
    from eval.generate.wording import recall

    made = [one for given in passages(small()) for rule in RULES.values() for one in rule(given)]
    assert len(made) > 15
    for one in made:
        start, end = one.span
        assert one.passage.text[start:end] == one.quote
        assert recall(one.answer, one.quote) == 1.0, one
    assert FAULTS  # its table has no caption: the heading stands in
    assert any("Technical faults" in one.question for one in made)


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        ("How many hours were lost?", "71 hours", True),
        ("How many hours were lost?", "the dome drive", False),
        ("茶园共有多少户茶农？", "四十七户", True),
        ("茶园共有多少户茶农？", "云岭茶园", False),
        ("When was it opened?", "on 14 October", True),
        ("哪一年建成？", "沈光禄", False),
        ("Why was the dome closed?", "bearing", False),
        ("Why was the dome closed?", "because a bearing had seized", True),
        ("有哪些回答方式？", "openai", False),
        ("有哪些回答方式？", "摘录、生成", True),
        ("What is the nickname?", "Teacup", True),
    ],
)
def test_an_answer_has_to_be_of_the_kind_asked_for(question: str, answer: str, right: bool) -> None:
    assert fits(question, answer) is right
