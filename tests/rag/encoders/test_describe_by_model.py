"""Descriptions by a vision model: what it is asked, what is kept of its reply, and what happens when it does not reply."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.documents import ImageEntry
from rag.encoders.describe_by_model import CHARACTERS, ModelDescriber, clean
from rag.errors import BadRequest, BadSetting, CorruptFile, GeneratorUnavailable, TuwenError
from rag.fake_generator import ScriptedGenerator
from rag.prompts import picture_messages
from rag.retrieval.illustrate import fitted
from tests.rag.encoders.image_contracts import check_image_describer, picture

RED = picture((220, 30, 30), (400, 300))


def test_it_is_a_describer() -> None:
    check_image_describer(ModelDescriber(ScriptedGenerator("A green square."), picture_messages))


def test_one_entry_for_each_language_with_the_model_named() -> None:
    model = ScriptedGenerator("A **red** square, `chunk_tokens` written on it.\n", "一个红色的方块。")
    found = ModelDescriber(model, picture_messages, languages=("en", "zh")).describe(RED)
    assert found == (
        ImageEntry("description", "A red square, chunk_tokens written on it.", "scripted"),
        ImageEntry("description", "一个红色的方块。", "scripted"),
    )
    asked = [request.messages[-1] for request in model.requests]
    assert [message.images[0].image for message in asked] == [RED, RED]
    assert [request.language for request in model.requests] == ["en", "zh"]
    assert "描述" in asked[1].content


def test_what_is_described_already_is_not_described_again() -> None:
    model = ScriptedGenerator("A square.")
    describer = ModelDescriber(model, picture_messages)
    assert describer.describe(RED, (ImageEntry("description", "A sign.", "somebody"),)) == ()
    assert not model.requests
    assert describer.describe(RED, (ImageEntry("label", "square", "labels"),))


def test_large_pictures_are_made_smaller_and_rules_are_left_out() -> None:
    model = ScriptedGenerator("A square.")
    describer = ModelDescriber(model, picture_messages, fit=partial(fitted, pixels=10_000))
    describer.describe(RED)
    sent = model.requests[0].messages[-1].images[0].image
    assert 9_000 <= sent.width * sent.height <= 10_000
    assert describer.describe(picture((0, 0, 0), (400, 3))) == ()


@pytest.mark.parametrize("reply", ["", "  \n", "…", "**"])
def test_a_reply_without_words_is_no_entry(reply: str) -> None:
    assert ModelDescriber(ScriptedGenerator(reply), picture_messages).describe(RED) == ()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (BadRequest("It sees no pictures."), CorruptFile),
        (GeneratorUnavailable("No answer."), GeneratorUnavailable),
        (BadSetting("The key is refused."), BadSetting),
    ],
)
def test_errors_name_the_settings_of_the_vision_model(error: TuwenError, raised: type[TuwenError]) -> None:
    with pytest.raises(raised, match=r"vision\.model") as found:
        ModelDescriber(ScriptedGenerator(error), picture_messages).describe(RED)
    assert error.message in found.value.message


@given(st.text(max_size=3000))
def test_a_kept_text_is_short_and_of_the_reply(reply: str) -> None:
    text = clean(reply)
    assert len(text) <= CHARACTERS
    assert "\n" not in text
    assert not text or any(character.isalnum() for character in text)


def test_long_replies_end_with_a_sentence() -> None:
    assert clean("It is red. " * 200).endswith("It is red.")
    assert clean("这是一个红色的方块。" * 200).endswith("方块。")
    assert clean("# Picture\nIt is red.") == "Picture It is red."
