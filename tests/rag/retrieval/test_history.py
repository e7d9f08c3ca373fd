"""A conversation of any length as few turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Query
from rag.errors import GeneratorUnavailable
from rag.fake_generator import ScriptedGenerator
from rag.generators.extractive import ExtractiveGenerator
from rag.language import language_of
from rag.prompts import condense_messages, prompt_tokens
from rag.retrieval.history import RECENT, SUMMARY_CHARACTERS, Exchange, fold, summarise
from rag.retrieval.rewrite import standalone
from rag.words import content_words

TALK = [Exchange(f"What was the yield of field {n}?", f"It was {n}00 kilograms [1].") for n in range(1, 6)]


def count(text: str) -> int:
    return len(text)


def test_a_short_conversation_has_no_summary_and_goes_along_whole() -> None:
    assert summarise(TALK[:RECENT]) == ""
    turns = fold("And field 6?", TALK[:RECENT], "", count, 10_000)
    assert [turn.role for turn in turns] == ["user", "assistant"] * RECENT
    assert turns[1].content == "It was 100 kilograms [1]."


def test_what_came_before_is_told_by_its_questions() -> None:
    summary = summarise(TALK)
    assert "field 1" in summary
    assert "field 3" in summary
    assert "field 4" not in summary, "the last exchanges go along as they are"
    first, *rest = fold("And field 6?", TALK, summary, count, 10_000)
    assert first.content == summary
    assert [turn.content for turn in rest] == [text for e in TALK[-RECENT:] for text in (e.question, e.answer)]


def test_a_chinese_conversation_is_told_in_chinese() -> None:
    talk = [Exchange(f"第{n}块茶园的产量是多少？", "二十吨。") for n in range(1, 5)]
    assert summarise(talk).startswith("此前问过")


def test_a_generator_writes_on_from_what_it_wrote() -> None:
    generator = ScriptedGenerator("Fields 1 to 3 yielded 100, 200 and 300 kilograms.")
    assert summarise(TALK, "Fields 1 and 2.", generator) == "Fields 1 to 3 yielded 100, 200 and 300 kilograms."
    prompt = generator.requests[0].messages[1].content
    assert "Fields 1 and 2." in prompt
    assert "field 3" in prompt
    assert "field 2?" not in prompt, "each exchange is read once"


def test_a_generator_that_cannot_write_a_summary_is_done_without() -> None:
    by_rule = summarise(TALK)
    for generator in (
        ScriptedGenerator(""),
        ScriptedGenerator("这是另一种语言的回答。"),
        ScriptedGenerator(GeneratorUnavailable("gone")),
        ExtractiveGenerator(),
    ):
        assert summarise(TALK, "", generator) == by_rule


exchanges = st.lists(
    st.builds(Exchange, st.text(min_size=1, max_size=400).filter(str.strip), st.text(max_size=600)), max_size=8
)


@given(st.text(min_size=1, max_size=100).filter(str.strip), exchanges, st.integers(0, 3000))
def test_the_prompt_never_exceeds_its_budget(question: str, talk: list[Exchange], budget: int) -> None:
    turns = fold(question, talk, summarise(talk), count, budget)
    language = language_of(question)
    if turns:
        assert prompt_tokens(condense_messages(question, language, turns), count) <= budget
    # What is left is the end of the conversation.
    said = [text for e in talk for text in (e.question, e.answer) if text.strip()]
    kept = [turn.content for turn in turns if turn.content != summarise(talk)]
    assert not kept or said[-len(kept) :] == kept


@given(exchanges)
def test_a_summary_is_short(talk: list[Exchange]) -> None:
    assert len(summarise(talk)) <= SUMMARY_CHARACTERS


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    """Each question as it stood alone goes into the next: the first one is long out of sight."""
    talk = [Exchange("How many people had a disability in 2010?", "56.7 million [1].")]
    for year in range(2011, 2020):
        turns = fold(f"And in {year}?", talk, summarise(talk), count, 10_000)
        alone = standalone(Query(f"And in {year}?", turns=turns))
        assert {"people", "disability", str(year)} <= set(content_words(alone))
        talk.append(Exchange(alone, "Some [1]."))


def test_this_one_then_is_understood_in_chinese() -> None:
    talk = [Exchange("AlexNet 有几层？", "八层[1]。")]
    turns = fold("这个呢？", talk, "", count, 10_000)
    assert "alexnet" in content_words(standalone(Query("这个呢？", turns=turns)))
