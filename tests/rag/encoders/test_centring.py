from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.encoders.centring import Centring, neutral_sentences
from rag.language import language_of
from rag.protocols import Vectors

MEANING = {"en": {"cat": 0, "dog": 1}, "zh": {"猫": 0, "狗": 1}}


def _biased(texts: Sequence[str]) -> Vectors:
    """Meaning in two dimensions, language in two larger ones: what a multilingual encoder does, drawn large."""
    rows = np.full((len(texts), 4), 0.02, np.float32)
    for row, text in zip(rows, texts, strict=True):
        language = "zh" if language_of(text) == "zh" else "en"
        row[2 if language == "en" else 3] += 3.0
        for word, dimension in MEANING[language].items():
            row[dimension] += word in text
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_a_chinese_question_finds_the_english_passage_of_its_meaning() -> None:
    centring = Centring.fit(_biased, _biased)
    passages, question = ["a cat", "a dog", "一只狗"], ["猫在哪里"]
    assert (_biased(question) @ _biased(passages).T).argmax() == 2, "the bias is there without centring"
    centred = centring.queries(_biased(question), question) @ centring.passages(_biased(passages), passages).T
    assert centred.argmax() == 0


def test_vectors_stay_of_unit_length() -> None:
    texts = ["a cat", "一只狗", "ねこ です", "", "🐈"]
    centred = Centring.fit(_biased, _biased).passages(_biased(texts), texts)
    assert np.linalg.norm(centred, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_language_without_sentences_gets_the_mean_of_the_others() -> None:
    means = Centring.fit(_biased, _biased)._means
    assert means.shape == (2, 3, 4)
    assert means[:, 2] == pytest.approx(means[:, :2].mean(axis=1))


def test_means_are_kept_and_read_again(tmp_path: Path) -> None:
    first = Centring.load_or_fit(tmp_path, _biased, _biased)

    def never(texts: Sequence[str]) -> Vectors:
        raise AssertionError("fitted again")

    second = Centring.load_or_fit(tmp_path, never, never)
    assert np.array_equal(first._means, second._means)


def test_every_sentence_is_in_both_languages_and_recognised() -> None:
    for pairs in neutral_sentences().values():
        assert len(pairs) >= 40
        for english, chinese in pairs:
            assert language_of(english) == "en"
            assert language_of(chinese) == "zh"
