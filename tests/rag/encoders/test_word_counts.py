from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from rag.encoders import word_counts
from rag.encoders.text_onnx import OnnxTextEncoder
from rag.encoders.word_counts import WordCounts, counts_by_words

# What normalisation turns into spaces, drops, takes apart or puts together, beside letters of two languages.
ODD = "\u00a8\u0308\u00a0\u3000\u200b\u2581\u037a\ufb03\ufdfa\u1100\u1161\u0085\u000b\u001c\ufeff\ufffd数据e"


def _tokenizer(normalizer: Any, cutter: Any) -> Any:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = cutter
    return tokenizer


@given(st.lists(st.text(st.sampled_from("abx \n\t" + ODD), max_size=40), max_size=6))
def test_words_have_together_as_many_tokens_as_the_text(tiny_encoder: OnnxTextEncoder, texts: list[str]) -> None:
    assert tiny_encoder.count_tokens(texts) == tiny_encoder._count_whole(texts)
    assert isinstance(tiny_encoder._count, WordCounts)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4))
def test_of_any_characters(tiny_encoder: OnnxTextEncoder, texts: list[str]) -> None:
    assert tiny_encoder.count_tokens(texts) == tiny_encoder._count_whole(texts)


def test_a_word_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def letters(texts: Sequence[str]) -> list[int]:
        asked.extend(texts)
        return [len(text) for text in texts]

    counts = WordCounts(letters)
    long = "x" * (word_counts.LONGEST + 1)
    assert counts(["one two\none", long, ""]) == [9, len(long), 0]
    assert counts([f"two {long}"]) == [3 + len(long)]
    assert asked == ["one", "two", long, long]
    monkeypatch.setattr(word_counts, "MOST", 2)
    assert counts(["four"]) == [4]
    assert counts(["one four"]) == [7]
    assert asked[-2:] == ["one", "four"]


@pytest.mark.parametrize(
    ("normalizer", "cutter", "expected"),
    [
        (normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), True),
        (None, pre_tokenizers.Metaspace(), False),
        (normalizers.NFKC(), pre_tokenizers.Metaspace(), False),
        (normalizers.NFKC(), pre_tokenizers.ByteLevel(), False),
    ],
)
def test_which_tokenizers_are_counted_so(normalizer: Any, cutter: Any, expected: bool) -> None:
    assert counts_by_words(_tokenizer(normalizer, cutter)) is expected
