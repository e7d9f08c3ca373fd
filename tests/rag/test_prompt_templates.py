from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.answers import Turn
from rag.errors import BadSetting
from rag.prompts import BUILT_IN, build_messages, condense_messages, firmer, load_prompts
from rag.prompts.templates import placeholders
from rag.retrieval.stream_guard import Illness


def written(folder: Path, text: str) -> Path:
    file = folder / "house.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_changed_word_needs_a_new_version() -> None:
    """The version is what people see, the hash what caches go by: raise the first with every change of the second."""
    assert BUILT_IN.version == f"built-in 4, {BUILT_IN.sha256[:8]}"
    assert BUILT_IN.sha256.startswith("3287d3b6")


def test_both_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    en, zh = BUILT_IN.texts["en"], BUILT_IN.texts["zh"]
    assert {name: placeholders(text) for name, text in en.items()} == {
        name: placeholders(text) for name, text in zh.items()
    }


def test_every_illness_has_its_words() -> None:
    for illness in Illness.__args__:  # type: ignore[attr-defined]
        for language in ("en", "zh"):
            messages = build_messages("Why?", language, ())
            assert firmer(messages, illness, language)[-1].content.startswith(messages[-1].content + "\n")


def test_a_file_replaces_some_texts_and_keeps_the_others(tmp_path: Path) -> None:
    house = load_prompts(written(tmp_path, 'version = "3"\n[en.answer]\nsystem = "Be {{terse}}."\n'))
    assert build_messages("Why?", "en", (), prompts=house)[0].content == "Be {terse}."
    assert build_messages("为什么？", "zh", (), prompts=house) == build_messages("为什么？", "zh", ())
    turns = (Turn("user", "Ducks?"),)
    assert condense_messages("Why?", "en", turns, house) == condense_messages("Why?", "en", turns)
    assert house.version == f"house.toml 3, {house.sha256[:8]}"
    assert house.sha256 != BUILT_IN.sha256


def test_the_hash_is_of_the_words_not_of_the_file(tmp_path: Path) -> None:
    same = BUILT_IN.texts["en"]["answer.user"]
    assert load_prompts(written(tmp_path, f'[en.answer]\nuser = "{same}"\n')).sha256 == BUILT_IN.sha256


def test_without_a_file_the_built_in_texts_are_used() -> None:
    assert load_prompts() is BUILT_IN


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ('[en.answer]\nquestion = "Answer."', r"en\.answer\.question lacks the placeholder \{question\}", r"\{question\}"),
        ('[zh.answer]\nsource = "[{number}] {source} {when}"', r"zh\.answer\.source has the unknown placeholder \{when\}", r"\{number\}, \{source\}"),
        ('[en.answer]\nsytem = "x"', r"en\.answer\.sytem is no prompt", r"Did you mean answer\.system"),
        ('[en.answer]\nsystem = " "', r"en\.answer\.system is empty", "Leave it out"),
        ('[en.answer]\nsystem = "A { brace"', r"en\.answer\.system cannot be read", "twice"),
        ('[en.answer]\npage = "{page.__class__}"', r"en\.answer\.page cannot be read.*more than the name", "twice"),
        ('[en.answer]\npage = "{page:>10}"', r"en\.answer\.page cannot be read", "twice"),
        ('[en.answer]\npage = "{}"', r"en\.answer\.page cannot be read", "twice"),
        ('[fr.answer]\nsystem = "x"', "fr is no language", "en and zh"),
        ("[en.answer]\nsystem = 3", r"en\.answer is not a table of texts", "system"),
        ('en = "x"', r"en\.en is not a table of texts", "system"),
        ("[en.answer", "cannot be read", "answer.prompts"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_by_name_and_key(tmp_path: Path, text: str, message: str, remedy: str) -> None:
    with pytest.raises(BadSetting, match=message) as caught:
        load_prompts(written(tmp_path, text))
    assert "house.toml" in caught.value.message
    assert re.search(remedy, caught.value.remedy)


def test_a_text_for_people_may_leave_a_placeholder_out(tmp_path: Path) -> None:
    house = load_prompts(written(tmp_path, '[en.shown]\nabstain = "Nothing was found."\n'))
    assert house.text("en", "shown.abstain", question="Why?") == "Nothing was found."


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"nowhere\.toml"):
        load_prompts(tmp_path / "nowhere.toml")


def test_values_are_never_read_as_templates() -> None:
    assert "{question}" in BUILT_IN.text("en", "answer.question", question="What is {question}?")


def test_a_language_without_texts_is_asked_in_english() -> None:
    assert BUILT_IN.text("ja", "answer.user") == "User"
