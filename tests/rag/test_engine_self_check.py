"""The generator asked about its passages before it answers, and examples in its prompt: with a scripted generator."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path

import pytest

from rag.answers import Answer, Query
from rag.documents import Chunk
from rag.engine import Engine, Event
from rag.errors import BadSetting
from rag.fake_generator import ScriptedGenerator
from rag.fakes import HashingTextEncoder
from rag.language import language_of
from rag.options import Options
from rag.prompts import build_messages, load_examples, self_check_messages
from rag.prompts.examples import example_messages
from rag.protocols import Generator, Message
from rag.retrieval import self_check
from rag.retrieval.choose_examples import choose_examples
from tests.support.small_engine import small_engine

ENCODER = HashingTextEncoder()
TEXTS = {"panda.md": "A giant panda eats 38 kilograms of bamboo a day.", "tea.md": "这座茶园建于1952年。"}


class Judging(ScriptedGenerator):
    """Says yes with the given probability; `asked` are the prompts of the question."""

    def __init__(self, yes: float | None, *script: str) -> None:
        super().__init__(*script)
        self.yes = yes
        self.asked: list[Sequence[Message]] = []

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        self.asked.append(messages)
        if self.yes is None:
            raise TimeoutError
        return {" Yes": log(self.yes), " No": log(1 - self.yes), "The": log(0.001)}


def engine(generator: Generator, **options: object) -> Engine:
    return small_engine(TEXTS, generator, Options(**options))  # type: ignore[arg-type]


def told(made: Engine, question: str = "How much bamboo does a giant panda eat?", **more: object) -> list[Event]:
    return list(made.answer(Query(question, **more)))  # type: ignore[arg-type]


def final(events: Sequence[Event]) -> Answer:
    assert isinstance(events[-1], Answer)
    return events[-1]


def test_combined_by_hand() -> None:
    # logit .8 is log 4, logit .2 is -log 4: 1·log 4 − 0.5·log 4 = log 2, of which the probability is 2/3.
    assert self_check.combined(0.8, 0.2, self_check.Weights(1.0, 0.5, 0.0)) == pytest.approx(2 / 3)
    assert self_check.combined(0.3, 0.9, self_check.Weights(1.0, 0.0, 0.0)) == pytest.approx(0.3)
    assert self_check.combined(0.0, 0.0, self_check.WEIGHTS["en"]) > 0
    assert self_check.combined(1.0, 1.0, self_check.WEIGHTS["en"]) < 1


def test_a_yes_is_asked_for_behind_the_same_passages_and_the_answer_follows() -> None:
    generator = Judging(0.9, "It eats 38 kilograms of bamboo a day [1].")
    answer = final(told(engine(generator, self_check=True), explain=True))
    assert not answer.abstained
    assert answer.self_check == pytest.approx(0.9)
    assert "check" in answer.timings
    (asked,) = generator.asked
    (request,) = generator.requests
    shared = asked[-1].content.partition("Question: ")[0]
    assert asked[:-1] == request.messages[:-1]
    assert request.messages[-1].content.startswith(shared + "Question: How much bamboo does a giant panda eat?")
    assert TEXTS["panda.md"] in shared
    assert "yes or no" in asked[-1].content


def test_a_no_declines_as_kindly_as_low_evidence_does_and_nothing_is_written() -> None:
    generator = Judging(0.001)
    weights = {"en": self_check.Weights(0.5, 2.0, 0.0)}
    events = told(engine(generator, self_check=True, self_check_weights=weights))
    answer = final(events)
    assert answer.abstained
    assert generator.requests == []
    assert answer.text.startswith("Not in these documents")
    assert "panda.md" in answer.text
    assert events[-2] == answer.text
    assert answer.evidence is not None
    assert answer.evidence < 0.125


def test_what_no_yes_could_save_is_not_asked_about() -> None:
    generator = Judging(0.99)
    made = engine(generator, self_check=True, abstain_below=0.999999)
    assert final(told(made)).abstained
    assert generator.asked == []


def test_without_abstention_the_check_is_told_and_decides_nothing() -> None:
    generator = Judging(0.001, "It eats 38 kilograms of bamboo a day [1].")
    answer = final(told(engine(generator, self_check=True, abstain=False)))
    assert not answer.abstained
    assert answer.self_check == pytest.approx(0.001)


def test_a_check_that_takes_too_long_leaves_the_search_to_decide() -> None:
    answer = final(told(engine(Judging(None, "It eats 38 kilograms a day [1]."), self_check=True)))
    assert not answer.abstained
    assert answer.self_check is None
    assert any("self-check" in note for note in answer.notes)


def test_a_generator_without_probabilities_is_named() -> None:
    with pytest.raises(BadSetting, match=r"scripted.*answer\.self_check"):
        told(engine(ScriptedGenerator(), self_check=True))


def test_a_language_without_weights_is_not_asked_about() -> None:
    generator = Judging(0.001, "这座茶园建于1952年[1]。")
    answer = final(told(engine(generator, self_check=True), "这座茶园建于哪一年？"))
    assert not answer.abstained
    assert answer.self_check is None
    assert generator.asked == []


def test_off_it_asks_nothing() -> None:
    generator = Judging(0.5, "It eats 38 kilograms of bamboo a day [1].")
    assert final(told(engine(generator))).self_check is None
    assert generator.asked == []


@pytest.mark.parametrize(("question", "language"), [("Why {it}?", "en"), ("为什么？", "zh")])
def test_the_check_takes_the_place_of_the_question(question: str, language: str) -> None:
    messages = build_messages(question, language, ())
    (system, asked) = self_check_messages(messages, question, language)
    assert system == messages[0]
    assert asked.content.count(question) == 1
    assert asked.content != messages[1].content


OWN = load_examples("built-in")


def test_the_built_in_examples_have_markers_that_name_a_passage_which_says_so() -> None:
    from rag.answers import Hit, Passage
    from rag.documents import DocumentRef
    from rag.retrieval.cite import resolve

    assert {example.language for example in OWN.all} == {"en", "zh"}
    for example in OWN.all:
        ref = DocumentRef("d", "d", "text/plain", "default")
        passages = [
            Passage(number, Hit(Chunk(str(number), "d", number, "text", text), ref, 1.0), text)
            for number, (_, text) in enumerate(example.passages, 1)
        ]
        resolved = resolve(example.answer, passages)
        assert resolved.dropped == 0
        assert resolved.text == example.answer
        assert resolved.citations


def chosen(question: str, language: str = "en", **options: object) -> list[str]:
    given = {"most": 2, "choice": "nearest", "count_tokens": lambda text: len(text.split()), "budget": 1000} | options
    return [one.question for one in choose_examples(question, language, OWN.all, ENCODER, **given)]  # type: ignore[arg-type]


def test_the_nearest_stand_last_and_in_the_language_of_the_question() -> None:
    questions = [example.question for example in OWN.all if example.language == "en"]
    assert chosen(questions[2])[-1] == questions[2]
    assert chosen("Why was the old footbridge closed?")[-1] == questions[2]
    assert all(language_of(one) == "zh" for one in chosen("为什么？", "zh"))
    assert chosen("Warum?", "de") == []


def test_fixed_ones_are_always_the_same() -> None:
    questions = [example.question for example in OWN.all if example.language == "en"]
    assert chosen(questions[2], choice="fixed") == chosen("Anything", choice="fixed") == questions[:2]


def test_they_keep_to_their_budget() -> None:
    one = sum(len(message.content.split()) for message in example_messages(OWN.all[:1])) + 24
    assert len(chosen("Why?", choice="fixed", budget=one)) == 1
    assert chosen("Why?", budget=10) == []


def test_examples_stand_between_instructions_and_passages_and_are_explained() -> None:
    generator = ScriptedGenerator("It eats 38 kilograms of bamboo a day [1].")
    answer = final(told(engine(generator, examples=OWN, example_choice="fixed"), explain=True))
    assert [role for role, _ in answer.prompt] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert answer.prompt[2][1] == OWN.all[0].answer
    assert OWN.sha256[:8] in answer.prompts
    plain = final(told(engine(ScriptedGenerator("It eats 38 kilograms [1].")), explain=True))
    assert plain.prompt[0] == answer.prompt[0]
    assert plain.prompt[-1] == answer.prompt[-1]


def test_an_example_that_is_copied_as_the_answer_is_not_shown() -> None:
    generator = ScriptedGenerator(OWN.all[0].answer, "It eats 38 kilograms of bamboo a day [1].")
    answer = final(told(engine(generator, examples=OWN, example_choice="fixed")))
    assert answer.text == "It eats 38 kilograms of bamboo a day [1]."


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    lines = tmp_path / "own.jsonl"
    lines.write_text('{"question": "Why?", "passages": ["Because."], "answer": "Because [1]."}\n\n', "utf-8")
    made = load_examples(lines)
    assert made.all[0].passages == (("example 1", "Because."),)
    table = tmp_path / "own.toml"
    table.write_text(
        '[[example]]\nquestion = "Why?"\nanswer = "Because [1]."\npassages = ["Because."]\n', encoding="utf-8"
    )
    assert load_examples(table).sha256 == made.sha256 != OWN.sha256
    assert load_examples("").all == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.toml", "", "no example"),
        ("x.toml", "[[example", "cannot be read"),
        ("x.jsonl", "{bad", "cannot be read"),
        ("x.jsonl", '{"question": "Why?"}', "example 1 has no answer"),
        ("x.jsonl", '{"question": "Why?", "answer": "So."}', "example 1 has no passages"),
        ("x.jsonl", '{"question": "Why?", "answer": "So.", "passages": [7]}', "passage 1 without a text"),
        ("x.jsonl", "[1]", "example 1 has no question"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_example(tmp_path: Path, name: str, text: str, message: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting, match=message) as caught:
        load_examples(file)
    assert name in caught.value.message
    with pytest.raises(BadSetting, match="cannot be read"):
        load_examples(tmp_path / "absent.toml")
