"""Questions that are meant from today, and what the generator is told for them."""

from __future__ import annotations

from datetime import date

import pytest

from rag.answers import Query, Turn
from rag.engine import Engine
from rag.fake_generator import ScriptedGenerator
from rag.options import Options
from rag.prompts import build_messages, self_check_messages
from rag.retrieval.relative_time import relative_times
from rag.retrieval.rewrite import standalone
from tests.support.small_engine import small_engine

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What was the revenue last year?", ("last year",)),
        ("How long ago was the bridge built?", ("ago",)),
        ("What did the past three years bring, and what changed since Yesterday?", ("past three years", "yesterday")),
        ("How many days until the deadline?", ("how many days until",)),
        ("How old is the founder?", ("how old is",)),
        ("今年的营业收入比去年多多少？", ("今年", "去年")),
        ("合同还有多久到期？", ("还有多久",)),
        ("这座桥是多少年前建的？", ("多少年前",)),
        ("上个月的报告在哪里？", ("上个月",)),
        ("What was the revenue in 2019?", ()),
        ("How long is the bridge?", ()),
        ("Who painted The Last Supper?", ()),
        ("When may the next meeting be held?", ()),
        ("What may be drawn from a current account?", ()),
        ("以前年度损益调整怎么处理？", ()),
        ("本周期的长度是多少？", ()),
        ("大熊猫多久吃一次竹子？", ()),
        ("上海在哪里？", ()),
        ("每年的上限是多少？", ()),
    ],
)
def test_words_that_are_meant_from_today(text: str, found: tuple[str, ...]) -> None:
    assert relative_times(text) == found


def engine(generator: ScriptedGenerator, **options: object) -> Engine:
    texts = {"a.md": "Revenue was 4 million in 2025.", "b.md": "2025年的营业收入是400万元。"}
    chosen = Options(abstain=False, **options)  # type: ignore[arg-type]
    return small_engine(texts, generator, chosen, today=lambda: SUNDAY)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What was the revenue last year?", "\n\nToday is Sunday, 22 November 2026.\n\n"),
        ("去年的营业收入是多少？", "\n\n今天是2026年11月22日，星期日。\n\n"),
    ],
)
def test_the_date_stands_right_before_a_question_that_is_meant_from_it(question: str, line: str) -> None:
    generator = ScriptedGenerator("It was 4 million [1].")
    list(engine(generator).answer(Query(question)))
    content = generator.requests[0].messages[-1].content
    before, _, behind = content.partition(line)
    assert "2025" in before
    assert question in behind
    assert ">>>" not in behind, "the passages are read once, whatever day it is"


@pytest.mark.parametrize(
    ("question", "options"),
    [("What was the revenue in 2025?", {}), ("What was the revenue last year?", {"tell_date": False})],
)
def test_other_questions_are_asked_as_before(question: str, options: dict[str, object]) -> None:
    generator = ScriptedGenerator("It was 4 million [1].")
    made = engine(generator, **options)
    list(made.answer(Query(question)))
    assert "Today is" not in generator.requests[0].messages[-1].content
    assert made.date_for(Query(question)) is None


def test_an_answer_of_a_conversation_depends_on_the_date_that_it_began_with() -> None:
    turns = (Turn("user", "What was the revenue last year?"),)
    assert engine(ScriptedGenerator("")).date_for(Query("And the profit?", turns=turns)) == SUNDAY


def test_the_self_check_is_asked_with_the_date() -> None:
    question = "What was the revenue last year?"
    messages = build_messages(question, "en", (), today=SUNDAY)
    checked = self_check_messages(messages, question, "en")[-1].content
    assert "22 November 2026" in checked
    assert checked.endswith("yes or no:")


ACME = (Turn("user", "What was the revenue of Acme in 2023?"), Turn("assistant", "3 million [1]."))


@pytest.mark.parametrize("written", ["What was the revenue of Acme in 2022?", "What was the revenue of Acme?"])
def test_a_rewriting_that_puts_a_year_in_the_place_of_last_year_is_not_taken(written: str) -> None:
    found = standalone(Query("And last year?", turns=ACME), ScriptedGenerator(written))
    assert found.startswith("And last year?")
    assert "Acme" in found
    assert "2023" not in found


def test_a_rewriting_that_keeps_last_year_is_taken() -> None:
    written = "What was the revenue of Acme last year?"
    assert standalone(Query("And last year?", turns=ACME), ScriptedGenerator(written)) == written
