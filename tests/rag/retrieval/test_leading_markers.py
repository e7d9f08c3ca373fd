from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Passage, Usage
from rag.documents import Chunk, DocumentRef
from rag.fake_generator import ScriptedGenerator
from rag.prompts import build_messages
from rag.protocols import GenerationRequest, Sampling
from rag.retrieval.cite import resolve
from rag.retrieval.guarded import GuardedStream
from rag.retrieval.leading_markers import LeadingMarkers, trailing


def passage(number: int, text: str) -> Passage:
    chunk = Chunk(f"c{number}", "d", number, "text", text)
    return Passage(number, Hit(chunk, DocumentRef("d", "pond.txt", "text/plain", "default"), 1.0), text)


PASSAGES = (
    passage(1, "There are three ducks on the pond."),
    passage(2, "Geese fly south in October."),
    passage(3, "池塘里有三只鸭子。"),
)


@pytest.mark.parametrize(
    ("written", "behind"),
    [
        ("[1]There are three ducks.", "There are three ducks [1]."),
        ("[1] There are three ducks. [2] Geese fly.", "There are three ducks [1]. Geese fly [2]."),
        ("[1]There are 3.5 ducks, Mr. Smith said. They swim.", "There are 3.5 ducks, Mr. Smith said [1]. They swim."),
        ("【3】池塘里有三只鸭子。【2】大雁南飞。", "池塘里有三只鸭子[3]。大雁南飞[2]。"),
        ("- [1] Ducks swim.\n- [2] Geese fly.", "- Ducks swim [1].\n- Geese fly [2]."),
        ("1. [1] Ducks swim", "1. Ducks swim [1]"),
        ("[1-3] Birds swim.", "Birds swim [1][2][3]."),
        ("[1][2] Birds swim [1].", "Birds swim [1][2]."),
        ("[1] Ducks swim in ponds. [1]", "Ducks swim in ponds [1]. "),
    ],
)
def test_a_marker_before_its_sentence_goes_behind_it(written: str, behind: str) -> None:
    assert trailing(written).strip() == behind.strip()


@pytest.mark.parametrize(
    "written",
    [
        "Ducks swim [1]. Geese fly [2].",
        "Ducks swim. [1] Geese fly. [2]",
        "[1] says that ducks swim.",
        "[3] 指出池塘里有鸭子。",
        "[1] and [2] agree.",
        "[0, 1] is an interval.",
        "[1]",
        "2019 was warm [1].",
        "In all: [1]\nDucks.",
    ],
)
def test_other_texts_stay_as_they_are(written: str) -> None:
    assert trailing(written) == written


@settings(deadline=None)
@given(st.text(alphabet="[]12, .。\nDa鸭-", max_size=60), st.integers(1, 7))
def test_pieces_make_the_same_text_as_the_whole_and_no_word_is_lost(text: str, size: int) -> None:
    markers = LeadingMarkers()
    told = "".join(markers.feed(text[at : at + size]) for at in range(0, len(text), size)) + markers.finish()
    assert told == trailing(text)
    assert [sign for sign in told if sign.isalpha()] == [sign for sign in text if sign.isalpha()]


def test_a_healthy_answer_is_not_held_back() -> None:
    markers = LeadingMarkers()
    assert [markers.feed(piece) for piece in ("Ducks", " swim", ".", " Geese", " fly", " [2]", ".")] == [
        "Ducks", " swim", ".", " Geese", " fly", " [2]", ".",
    ]  # fmt: skip


def test_in_a_stream_and_in_the_checked_answer() -> None:
    question = "What is on the pond?"
    said = "[1]There are three ducks on the pond. [2]Geese fly south in October."
    request = GenerationRequest(question, "en", PASSAGES, (), build_messages(question, "en", PASSAGES), Sampling())
    stream = GuardedStream(ScriptedGenerator(said), request)
    shown = "".join(stream)
    assert shown == stream.text == "There are three ducks on the pond [1]. Geese fly south in October [2]."
    assert stream.usage != Usage()
    resolved = resolve(said, PASSAGES)
    assert resolved.text == shown
    assert [(citation.marker, citation.verified) for citation in resolved.citations] == [(1, True), (2, True)]


def test_a_marker_alone_is_still_an_illness() -> None:
    question = "What is on the pond?"
    request = GenerationRequest(question, "en", PASSAGES, (), build_messages(question, "en", PASSAGES), Sampling())
    stream = GuardedStream(ScriptedGenerator("[1]", "There are three ducks [1]."), request)
    assert "".join(stream) == "There are three ducks [1]."
    assert any("markers only" in note for note in stream.notes)


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("The number of ducks is [1].", "The number of ducks is three [1].", "The number of ducks is three [1]."),
        ("池塘里的鸭子数量是[3]。", "池塘里有三只鸭子[3]。", "池塘里有三只鸭子[3]。"),
        # What does not get better gives way to a sentence of the passage that it names.
        (
            "The number of ducks is [1].",
            "The number of ducks is [1] and [2].",
            "There are three ducks on the pond. [1]",
        ),
        (
            "The number of ducks is [1].",
            "Write the answer itself in words. Ducks.",
            "There are three ducks on the pond. [1]",
        ),
        ("In 1 of 3 cases the number of geese is 【2】", "", "Geese fly south in October. [2]"),
    ],
)
def test_a_marker_in_the_place_of_the_answer_is_asked_about(first: str, second: str, text: str) -> None:
    question = "How many ducks are on the pond?"
    messages = build_messages(question, "en", PASSAGES)
    generator = ScriptedGenerator(first, second)
    language = "en" if first.isascii() else "zh"
    stream = GuardedStream(generator, GenerationRequest(question, language, PASSAGES, (), messages, Sampling()))
    shown = "".join(stream)
    assert stream.text == text
    assert shown == f"{first}\n\n{text}"
    assert len(generator.requests) == 2
    assert generator.requests[1].messages[-1].content.startswith(messages[-1].content)
    assert any("marker for words" in note for note in stream.notes)


@pytest.mark.parametrize("said", ["It is three [1].", "Three. That is [1].", "See what it is: three [1]", "三只[3]。"])
def test_an_answer_in_words_is_not_asked_about(said: str) -> None:
    generator = ScriptedGenerator(said)
    request = GenerationRequest("Why?", "en", PASSAGES, (), build_messages("Why?", "en", PASSAGES), Sampling())
    list(GuardedStream(generator, replace(request, language="en" if said.isascii() else "zh")))
    assert len(generator.requests) == 1


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Geese fly south in October. [2], [1], [3]", "Geese fly south in October [2]."),
        ("Geese fly south in October, [2].", "Geese fly south in October [2]."),
        (
            "Geese fly south in October. This is specified in Passage [2] from pond.txt, 4.1 Birds › Geese.",
            "Geese fly south in October [2].",
        ),
        (
            "Geese fly south in October. The information is based on the table in passage [2].",
            "Geese fly south in October [2].",
        ),
        ("Geese fly south in October, according to the table in Passage [2].", "Geese fly south in October [2]."),
        ("Geese fly south in October as stated in passage [2].", "Geese fly south in October [2]."),
        ("池塘里有三只鸭子。该信息来自片段[3]。", "池塘里有三只鸭子[3]。"),
        ("Geese fly south [2] and [1].", "Geese fly south [2]."),
        ("Geese fly south in October ([2]).", "Geese fly south in October [2]."),
        ("Geese fly south in October. (see passage [2])", "Geese fly south in October [2]."),
        ("Geese fly south in October [Passage 2].", "Geese fly south in October [2]."),
        ("池塘里有三只鸭子（见片段[3]）。", "池塘里有三只鸭子[3]。"),
        (
            "According to Passage [2], geese fly south in October.",
            "According to Passage [2], geese fly south in October.",
        ),
        ("Passage [1] says there are three ducks.", "Passage [1] says there are three ducks."),
        ("根据片段[3]，池塘里有三只鸭子。", "根据片段[3]，池塘里有三只鸭子。"),
    ],
)
def test_other_ways_of_naming_passages(written: str, told: str) -> None:
    resolved = resolve(written, PASSAGES)
    assert resolved.text == told
    assert [citation.verified for citation in resolved.citations] == [True]
