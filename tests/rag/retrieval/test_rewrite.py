from __future__ import annotations

import pytest

from rag.answers import Query, Turn
from rag.errors import GeneratorUnavailable
from rag.fake_generator import ScriptedGenerator
from rag.generators.extractive import ExtractiveGenerator
from rag.retrieval.rewrite import standalone
from rag.words import content_words


def query(text: str, *said: str) -> Query:
    return Query(text, turns=tuple(Turn("assistant" if place % 2 else "user", turn) for place, turn in enumerate(said)))


DISABILITY = ("How many people had a disability in 2010?", "56.7 million [1].")


def test_without_a_conversation_nothing_changes() -> None:
    generator = ScriptedGenerator("changed")
    assert standalone(query("And in 2005?"), generator) == "And in 2005?"
    assert generator.requests == []


@pytest.mark.parametrize(
    ("text", "said", "carried"),
    [
        ("And in 2005?", DISABILITY, {"people", "disability"}),
        ("And in 2006?", (*DISABILITY, "And in 2005?", "55 million [1]."), {"people", "disability"}),
        ("How does it replicate?", ("What is TiKV?", "A store [1]."), {"tikv"}),
        ("它有几层？", ("AlexNet 是什么？", "一个网络[1]。"), {"alexnet"}),
        ("默认多大？", ("TiKV 中的 Region 是什么？", "一段数据[1]。"), {"tikv", "region"}),
    ],
)
def test_a_follow_up_is_given_what_it_lacks(text: str, said: tuple[str, ...], carried: set[str]) -> None:
    rewritten = standalone(query(text, *said))
    assert rewritten.startswith(text)
    assert carried <= set(content_words(rewritten))


def test_a_number_of_the_follow_up_replaces_the_earlier_one() -> None:
    assert "2010" not in standalone(query("And in 2005?", *DISABILITY))


def test_a_question_that_stands_alone_stays() -> None:
    text = "Which animals eat ducks in Europe during winter months?"
    assert standalone(query(text, *DISABILITY)) == text


def test_the_generator_rewrites_with_the_conversation_before_it() -> None:
    generator = ScriptedGenerator("Question: How many people had a disability in 2005?")
    assert standalone(query("And in 2005?", *DISABILITY), generator) == "How many people had a disability in 2005?"
    (request,) = generator.requests
    assert "How many people had a disability in 2010?" in request.messages[1].content
    assert "[1]" not in request.messages[1].content


@pytest.mark.parametrize(
    ("text", "said", "written"),
    [
        ("And for the next one?", ("What is the prefix for Group Channels in Slack?",), "What is the prefix for Group Channels in Slack?"),
        ("And in 2005?", DISABILITY, "How many people had a disability in 2010?"),
        ("And in 2005?", DISABILITY, "How many people had a disability then?"),
        ("下一种呢？", ("Slack 中群组频道的前缀是什么？",), "Slack 中群组频道的前缀是什么？"),
    ],
)  # fmt: skip
def test_a_rewriting_that_lost_what_is_new_is_not_used(text: str, said: tuple[str, ...], written: str) -> None:
    asked = query(text, *said)
    assert standalone(asked, ScriptedGenerator(written)) == standalone(asked)
    assert standalone(asked).startswith(text)


@pytest.mark.parametrize("written", ["", "   ", "残疾人有多少？", "word " * 100, "The moon is cheese."])
def test_what_is_no_rewritten_question_is_not_used(written: str) -> None:
    rewritten = standalone(query("And in 2005?", *DISABILITY), ScriptedGenerator(written))
    assert rewritten.startswith("And in 2005?")


def test_a_generator_that_is_away_or_reads_no_prompt_is_done_without() -> None:
    asked = query("And in 2005?", *DISABILITY)
    assert standalone(asked, ScriptedGenerator(GeneratorUnavailable("away"))) == standalone(asked)
    assert standalone(asked, ExtractiveGenerator()) == standalone(asked)


def test_a_short_question_with_a_name_of_its_own_is_left_alone() -> None:
    turns = (Turn("user", "How much tea did the garden harvest in 2025?"), Turn("assistant", "Twenty tons [1]."))
    assert standalone(Query("What is the capital of France?", turns=turns)) == "What is the capital of France?"
    assert "tea" in standalone(Query("And the price?", turns=turns))
