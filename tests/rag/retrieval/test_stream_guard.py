"""Illnesses of small models in a stream, each by a scripted generator; and what the guard must not touch."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Passage
from rag.documents import Chunk, DocumentRef, ImageData
from rag.errors import BadRequest, TuwenError
from rag.fake_generator import ScriptedGenerator
from rag.prompts import build_messages
from rag.protocols import GenerationRequest, LabelledImage, Sampling
from rag.retrieval.guarded import GuardedStream
from rag.retrieval.stream_guard import COPY_NOTE, LANGUAGE_NOTE, LOOP_NOTE, StreamGuard
from rag.retrieval.stream_guard_loops import loop_start
from rag.retrieval.stream_guard_markup import inert

PANDA = "A giant panda eats 38 kilograms of bamboo a day. A newborn cub weighs 100 grams."
TEA = "这座茶园建于1952年。茶园每年生产二十吨绿茶。"


def request(language: str = "en") -> GenerationRequest:
    texts = (PANDA, TEA)
    passages = tuple(
        Passage(n, Hit(Chunk(f"c{n}", "d", n, "text", text), DocumentRef("d", "a.md", "text/markdown", "x"), 1.0), text)
        for n, text in enumerate(texts, start=1)
    )
    question = "How much does a newborn cub weigh?" if language == "en" else "茶园每年生产多少绿茶？"
    messages = build_messages(question, language, passages)
    return GenerationRequest(question, language, passages, (), messages, Sampling())


def answered(*script: str, language: str = "en", piece: int = 4) -> tuple[GuardedStream, str, ScriptedGenerator]:
    generator = ScriptedGenerator(*script, piece_characters=piece)
    stream = GuardedStream(generator, request(language))
    return stream, "".join(stream), generator


TOO_LONG = BadRequest(
    "The server refused the request: input length exceeds the context.", "Set generator.context_tokens."
)
SIGHT = tuple(LabelledImage(f"Picture of passage [{n}]:", ImageData(b"", "image/png", 9, 9)) for n in range(5))


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ((PANDA,), [5]),
        ((TOO_LONG, PANDA), [5, 2]),
        ((TOO_LONG, TOO_LONG, TOO_LONG, PANDA), [5, 2, 1, 0]),
        ((TOO_LONG, "", PANDA), [5, 2, 2]),
    ],
)
def test_what_is_refused_for_its_pictures_is_asked_with_fewer(
    script: tuple[str | TuwenError, ...], shown: list[int]
) -> None:
    asked = request()
    *before, last = asked.messages
    generator = ScriptedGenerator(*script)
    stream = GuardedStream(generator, replace(asked, messages=(*before, replace(last, images=SIGHT))))
    assert "".join(stream).strip() == PANDA
    assert [len(made.messages[-1].images) for made in generator.requests] == shown
    assert stream.shown_pictures is (shown[-1] > 0)
    told = [note for note in stream.notes if "pictures" in note]
    assert len(told) == (shown[0] != shown[-1])
    assert all("pictures (5)" in note and "input length" in note for note in told)


def test_a_request_that_is_refused_without_pictures_stays_refused() -> None:
    with pytest.raises(BadRequest, match="input length"):
        "".join(GuardedStream(ScriptedGenerator(TOO_LONG), request()))


@pytest.mark.parametrize(
    "said",
    [
        "A cub weighs 100 grams [1].",
        "茶园每年生产二十吨绿茶[2]。",
        "It has:\n- 12 rows\n- 12 columns\n\n| a | b |\n|---|---|\n|---|---|---|---|---|---|---|---|---|---|\n",
        "ha ha ha ha",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "In 2019 it was 5 tonnes. In 2020 it was 6 tonnes. In 2021 it was 7 tonnes. In 2022 it was 8 tonnes.",
        "Sources of income are rent and tax [1].",
        "a < b and c > d, x[1] = y!",
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 50])
def test_a_healthy_answer_passes_unchanged(said: str, piece: int) -> None:
    language = "zh" if "茶" in said else "en"
    stream, shown, generator = answered(said, language=language, piece=piece)
    assert shown.strip() == said.strip() == stream.text
    assert stream.notes == ()
    assert len(generator.requests) == 1
    assert stream.usage.completion_tokens > 0


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "It weighs 100 grams. " + "The cub is small and pink. " * 40,
            "It weighs 100 grams. The cub is small and pink.",
        ),
        ("A cub " + "is very very small and " * 40, "A cub is very very small and"),
        ("Small. " + "The cub is small [1]. It is pink. " * 40, None),
        ("The cub weighs 100 grams [1]. Yes it does. The cub weighs 100 grams [2]. So it is. " * 20, None),
    ],
)
def test_a_loop_is_cut_early(said: str, kept: str | None) -> None:
    stream, shown, generator = answered(said)
    assert LOOP_NOTE in stream.notes
    assert generator.closed_early == 1
    assert 0 < stream.usage.completion_tokens < len(said) // 4, "what was said until then is counted all the same"
    assert stream.usage.prompt_tokens > 0
    assert len(shown) < 250
    assert stream.text.count("very very small") <= 1
    if kept:
        assert stream.text == kept
    assert len(stream.text) <= len(shown.strip())


def test_a_chinese_loop_is_cut_early() -> None:
    stream, shown, generator = answered("茶园每年生产二十吨绿茶，" + "品质优良，口感醇厚，" * 40, language="zh")
    assert stream.text == "茶园每年生产二十吨绿茶，品质优良，口感醇厚"
    assert (LOOP_NOTE in stream.notes, generator.closed_early) == (True, 1)
    assert len(shown) <= 60
    assert answered("茶园很大。" + "它生产绿茶。" * 30, language="zh")[0].text == "茶园很大。它生产绿茶。"


@pytest.mark.parametrize("said", ["[1]", " [1] [2].", "", "\n\n", "【1】。"])
def test_an_empty_answer_is_asked_for_again_and_then_replaced_by_a_sentence(said: str) -> None:
    stream, shown, generator = answered(said, "A newborn cub weighs 100 grams [1].")
    assert shown == stream.text == "A newborn cub weighs 100 grams [1]."
    assert len(generator.requests) == 2
    asked = generator.requests[1].messages[-1].content
    assert asked.startswith(generator.requests[0].messages[-1].content)
    assert asked.endswith(("full sentence.", "is not an answer."))
    stubborn, shown, _ = answered(said)
    assert shown == stubborn.text == "A newborn cub weighs 100 grams. [1]"
    assert "no usable answer" in stubborn.notes[-1]


def test_a_marker_alone_names_the_passage_that_is_quoted() -> None:
    stream, _, _ = answered("[2]")
    assert stream.text.endswith("[2]")
    assert stream.text.startswith("这座茶园")


def test_an_answer_in_the_wrong_language_is_asked_for_again_before_anything_is_shown() -> None:
    english = "The tea garden produces twenty tonnes of green tea every single year, says the second passage [2]."
    stream, shown, generator = answered(english, "茶园每年生产二十吨绿茶[2]。", language="zh")
    assert shown == stream.text == "茶园每年生产二十吨绿茶[2]。"
    assert (len(generator.requests), generator.closed_early) == (2, 1)
    stubborn, shown, _ = answered(english, language="zh")
    assert shown == stubborn.text == english
    assert LANGUAGE_NOTE in stubborn.notes
    other, shown, _ = answered("新生幼崽的体重为一百克左右[1]。", "It weighs 100 grams [1].")
    assert shown == other.text == "It weighs 100 grams [1]."


@pytest.mark.parametrize("said", ["TiKV 和 TiDB Server 每年生产二十吨[2]。", "GTX 580", "NVIDIA GeForce RTX 4090 [2]"])
def test_names_in_the_other_language_are_no_wrong_language(said: str) -> None:
    stream, shown, generator = answered(said, language="zh")
    assert (shown, stream.notes, len(generator.requests)) == (said, (), 1)


@pytest.mark.parametrize(
    "tail",
    [
        "\n\nSources:\n[1] a.md, page 2\n[2] b.md",
        "\nPassage [1] from a.md:\n<<<\nA giant panda\n>>>",
        "\n>>>\n\nQuestion: How much?",
        "\n[1] a.md\n[2] b.md",
        "\nReferences: [1][2]",
        "\nUse only what the passages say. Take numbers, names and dates over exactly.",
    ],
)
@pytest.mark.parametrize("piece", [1, 5, 200])
def test_what_is_copied_from_the_prompt_behind_the_answer_is_cut(tail: str, piece: int) -> None:
    stream, shown, _ = answered(f"A cub weighs 100 grams [1].{tail}", piece=piece)
    assert stream.text == "A cub weighs 100 grams [1]."
    assert shown.strip() == stream.text
    assert COPY_NOTE in stream.notes


def test_an_answer_that_begins_with_the_prompt_is_asked_for_again() -> None:
    stream, shown, generator = answered("Passage [1] from a.md:\n<<<\nA giant\n>>>", "It weighs 100 grams [1].")
    assert shown == stream.text == "It weighs 100 grams [1]."
    assert len(generator.requests) == 2


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("See ![x](https://evil.example/?q=1).", "See [x] (https://evil.example/?q=1)."),
        ("See " + "!" * 99 + "[x](https://evil.example/?q=1).", "See [x] (https://evil.example/?q=1)."),
        ("See [here](javascript:alert(1)).", "See [here] (javascript:alert(1))."),
        ("See [here](//evil.example).", "See [here] (//evil.example)."),
        ("See ![x][a].\n\n[a]: https://evil.example/p.png", "See [x][a].\n\n[a] : https://evil.example/p.png"),
        ('Hi <img src="https://evil.example"> you', 'Hi ‹img src="https://evil.example"> you'),
        ("Hi <SCRIPT>alert(1)</script> you", "Hi ‹SCRIPT>alert(1)‹/script> you"),
        ("x <b>bold</b> a<b, f(x)[1] and [2](a note)", "x <b>bold</b> a<b, f(x)[1] and [2](a note)"),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 7, 100])
def test_markup_in_an_answer_is_inert_however_it_is_cut(said: str, shown: str, piece: int) -> None:
    stream, got, _ = answered(said, piece=piece)
    assert got == shown == stream.text


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab .![](:/<imgscript>ht\n", max_size=80), st.integers(1, 9))
def test_pieces_make_the_same_inert_text_as_the_whole(text: str, size: int) -> None:
    guard = StreamGuard("ja")
    got = "".join(guard.feed(text[i : i + size]) for i in range(0, len(text), size)) + guard.finish()
    assert "![" not in got
    assert "<img" not in got
    assert "<script" not in got
    if guard.illness is None and not guard.notes:
        assert got.strip() == guard.text == inert(text.strip())


@settings(deadline=None)
@given(st.text(alphabet="abc ", min_size=1, max_size=40))
def test_a_loop_starts_inside_its_text(unit: str) -> None:
    start = loop_start(unit * 12)
    assert start is None or 0 < start <= 12 * len(unit)


def test_the_guard_takes_less_than_a_millisecond_a_piece() -> None:
    guard = StreamGuard("en", ["You answer questions from numbered passages of documents."])
    said = " ".join(f"Number {n} is written as {n * 37 % 101} in row {n * n}." for n in range(120))
    times = []
    for start in range(0, len(said), 4):
        begin = time.perf_counter()
        guard.feed(said[start : start + 4])
        times.append(time.perf_counter() - begin)
    assert guard.notes == ()
    assert statistics.median(times) < 0.001
