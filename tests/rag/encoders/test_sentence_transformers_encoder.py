"""Runs where sentence-transformers and torch are installed; the weights are random and made here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rag.encoders.sentence_transformers import SentenceTransformersEncoder
from rag.errors import ExtraMissing, ModelMissing

INSTALLED = importlib.util.find_spec("sentence_transformers") is not None


@pytest.mark.skipif(INSTALLED, reason="sentence-transformers is installed")
def test_without_the_extra_the_error_names_it() -> None:
    with pytest.raises(ExtraMissing, match=r"tuwen\[rerank\]"):
        SentenceTransformersEncoder("some/model")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("sentence_transformers")
    path = tmp_path_factory.mktemp("st") / "tiny"
    path.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz:", "cat", "dog", "query"]
    (path / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(path / "vocab.txt")).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(path)
    return path


@pytest.mark.slow
def test_order_length_and_prefix(directory: Path) -> None:
    encoder = SentenceTransformersEncoder(str(directory), query_prefix="query: ", device="cpu", batch_size=2)
    texts = ["cat", "dog cat dog", "", "a dog " * 200]
    vectors = encoder.encode_passages(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, encoder.space.dimension) == (4, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    assert np.allclose(vectors, alone, atol=1e-4)
    assert not np.allclose(encoder.encode_queries(["cat"]), encoder.encode_passages(["cat"]), atol=1e-3)
    assert encoder.encode_queries([]).shape == (0, 32)
    assert encoder.count_tokens(["cat", "cat dog"]) == [1, 2]
    assert 0 < encoder.max_tokens < 64


@pytest.mark.slow
def test_a_pickle_is_refused(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes((directory / "model.safetensors").read_bytes())
    with pytest.raises(ModelMissing, match="no safetensors"):
        SentenceTransformersEncoder(str(tmp_path))
