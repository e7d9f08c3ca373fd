"""Runs where sentence-transformers and torch are installed; the weights are random and made here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rag.errors import ExtraMissing, ModelMissing
from rag.rerankers.cross_encoder import CrossEncoderReranker

INSTALLED = importlib.util.find_spec("sentence_transformers") is not None


@pytest.mark.skipif(INSTALLED, reason="sentence-transformers is installed")
def test_without_the_extra_the_error_names_it() -> None:
    with pytest.raises(ExtraMissing, match=r"tuwen\[rerank\]"):
        CrossEncoderReranker("some/model")


def _save(directory: Path, labels: int, *, safe: bool = True) -> Path:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("sentence_transformers")
    directory.mkdir(exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "cat", "dog"]
    (directory / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(directory / "vocab.txt")).save_pretrained(directory)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, num_labels=labels,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(directory)
    if not safe:
        (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    return directory


@pytest.mark.slow
def test_scores_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(str(_save(tmp_path / "tiny", 1)), device="cpu", max_tokens=32, batch_size=2)
    texts = ["cat", "dog dog dog", "", "a cat " * 100]
    together = reranker.score("cat", texts)
    assert together == pytest.approx([reranker.score("cat", [text])[0] for text in texts], abs=1e-5)
    assert reranker.score("cat", []) == []
    assert reranker.name == "cross-encoder tiny"


@pytest.mark.slow
def test_a_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no safetensors"):
        CrossEncoderReranker(str(_save(tmp_path / "tiny", 1, safe=False)))
