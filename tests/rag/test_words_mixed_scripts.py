from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PD集群", ["pd", "集群"]),
        ("使用TiDB集群", ["使用", "tidb", "集群"]),
        ("Ｇ７国家", ["g7", "国家"]),
        ("don't use the model's x_y", ["don't", "use", "the", "model", "x", "y"]),
        ("naïve Ünïcode 3.14", ["naïve", "ünïcode", "3", "14"]),
    ],
)
def test_han_characters_end_a_latin_word(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(st.sampled_from("aB7é集群国 _'’。,"), max_size=24))
def test_no_word_mixes_han_and_latin(text: str) -> None:
    for word in words(text):
        han = ["\u4e00" <= character <= "\u9fff" for character in word]
        assert all(han) or not any(han)
