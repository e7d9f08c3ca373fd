"""Token vectors of the ONNX text encoder: one for each piece that says something, and their mean is the encoder's own vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.encoders.text_onnx import OnnxTextEncoder
from rag.encoders.text_tokens import OnnxTokenEncoder
from rag.errors import ModelCorrupt
from rag.protocols import TokenEncoder

TEXTS = ["cat", "数据库 table", "the cat , . sat", ""]


def test_one_unit_vector_a_piece_and_the_pooled_one_is_the_encoders(tiny_model_dir: Path) -> None:
    encoder: TokenEncoder = OnnxTokenEncoder(tiny_model_dir, threads=1)
    plain = OnnxTextEncoder(tiny_model_dir, threads=1, centre_languages=False)
    for given, pooled in (
        (encoder.question_tokens, plain.encode_queries),
        (encoder.passage_tokens, plain.encode_passages),
    ):
        # One at a time: with int8 weights a neighbour in the batch moves a vector a little.
        for text in TEXTS:
            (found,) = given([text])
            assert np.linalg.norm(found.tokens, axis=1) == pytest.approx(1, abs=1e-5)
            assert float(found.pooled @ pooled([text])[0]) == pytest.approx(1, abs=1e-4)
    assert len(encoder.passage_tokens(["cat"])[0].tokens) <= plain.count_tokens(["cat"])[0]
    with_marks, without = encoder.passage_tokens(["the cat , . sat", "the cat sat"])
    assert len(with_marks.tokens) == len(without.tokens)
    assert encoder.passage_tokens([]) == []


def test_tokens_know_their_sentence(tiny_model_dir: Path) -> None:
    (found,) = OnnxTokenEncoder(tiny_model_dir, threads=1).passage_tokens(["cat table. The cat sat! 数据库。"])
    assert found.sentences is not None
    assert len(found.sentences) == len(found.tokens)
    assert list(found.sentences) == sorted(found.sentences)
    assert set(found.sentences) == {0, 1, 2}


def test_without_the_mean_tokens_of_a_language_are_less_alike(tiny_model_dir: Path) -> None:
    texts = ["the cat sat on the table", "数据库 的 表"]
    plain, centred = (OnnxTokenEncoder(tiny_model_dir, threads=1, centre_languages=flag) for flag in (False, True))
    for one, other in zip(plain.passage_tokens(texts), centred.passage_tokens(texts), strict=True):
        assert np.linalg.norm(other.tokens, axis=1) == pytest.approx(1, abs=1e-5)
        assert not np.allclose(one.tokens, other.tokens)
        assert (other.tokens @ other.tokens.T).mean() < (one.tokens @ one.tokens.T).mean()
    kept = list(tiny_model_dir.glob("token-means-*.npy"))
    assert len(kept) == 1
    again = OnnxTokenEncoder(tiny_model_dir, threads=1, centre_languages=True).passage_tokens(texts)
    assert np.allclose(again[0].tokens, centred.passage_tokens(texts)[0].tokens, atol=1e-5)


def test_a_long_text_is_cut(tiny_model_dir: Path) -> None:
    (found,) = OnnxTokenEncoder(tiny_model_dir, threads=1).passage_tokens(["cat " * 500])
    assert 1 < len(found.tokens) < 48


def test_a_broken_directory_is_named(tiny_model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "encoder.json").write_bytes((tiny_model_dir / "encoder.json").read_bytes())
    (tmp_path / "tokenizer.json").write_bytes((tiny_model_dir / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"broken")
    with pytest.raises(ModelCorrupt, match=str(tmp_path)):
        OnnxTokenEncoder(tmp_path).question_tokens(["x"])
