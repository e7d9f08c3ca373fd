"""Prefix, pooling and score rules as data: what each family gets, and what the vectors are where weights are there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rag.bert_graph import Precision
from rag.encoders.bert_build import ensure_bert
from rag.encoders.text_onnx import OnnxTextEncoder
from rag.errors import BadSetting
from rag.weights import locate
from rag.weights.conventions import encoder_convention, reranker_convention


@pytest.mark.parametrize(
    ("model", "pooling", "query", "passage"),
    [
        ("intfloat/multilingual-e5-large", "mean", "query: ", "passage: "),
        ("multilingual-e5-large-instruct", "mean", "Instruct: Given", ""),
        ("BAAI/bge-m3", "cls", "", ""),
        ("/models/bge-base-en-v1.5", "cls", "Represent this sentence", ""),
        ("BAAI/bge-small-zh-v1.5", "cls", "为这个句子", ""),
        ("Qwen/Qwen3-Embedding-0.6B", "last", "Instruct: Given", ""),
        ("thenlper/gte-base", "mean", "", ""),
        ("thenlper/gte-large-zh", "cls", "", ""),
        ("Alibaba-NLP/gte-large-en-v1.5", "cls", "", ""),
        ("Alibaba-NLP/gte-modernbert-base", "cls", "", ""),
        ("Alibaba-NLP/gte-multilingual-base", "cls", "", ""),
        ("Alibaba-NLP/gte-Qwen2-1.5B-instruct", "last", "Instruct: Given", ""),
        ("Alibaba-NLP/gte-Qwen1.5-7B-instruct", "last", "Instruct: Given", ""),
        ("BAAI/bge-multilingual-gemma2", "last", "<instruct>Given", ""),
        ("mixedbread-ai/mxbai-embed-large-v1", "cls", "Represent this sentence", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "mean", "search_query: ", "search_document: "),
        ("google/embeddinggemma-300m", "mean", "task: search result", "title: none | text: "),
        ("moka-ai/m3e-base", "mean", "", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "mean", "", ""),
    ],
)
def test_encoders_by_family(model: str, pooling: str, query: str, passage: str) -> None:
    found = encoder_convention(model)
    assert found is not None
    assert found.pooling == pooling
    assert found.query_prefix.startswith(query)
    assert bool(found.query_prefix) == bool(query)
    assert found.passage_prefix == passage


def test_what_is_not_known_has_no_convention() -> None:
    assert encoder_convention("somebody/new-model") is None
    # Of the same house, and used in another way than the others.
    assert encoder_convention("BAAI/bge-en-icl") is None
    assert encoder_convention("") is None
    assert reranker_convention("") is None


def test_rerankers_by_family() -> None:
    bge, marco = (
        reranker_convention("BAAI/bge-reranker-v2-m3"),
        reranker_convention("cross-encoder/ms-marco-MiniLM-L6-v2"),
    )
    assert bge is not None
    assert bge.platt == (1.0, 0.0)
    assert marco is not None
    assert marco.platt is None
    gemma = reranker_convention("BAAI/bge-reranker-v2-gemma")
    assert gemma is not None
    assert gemma.unsupported
    for judge in ("bge-reranker-v2.5-gemma2-lightweight", "mxbai-rerank-large-v2", "jina-reranker-v3"):
        found = reranker_convention(judge)
        assert found is not None
        assert found.unsupported
    qwen = reranker_convention("Qwen/Qwen3-Reranker-0.6B")
    assert qwen is not None
    assert qwen.kind == "yes-no"
    assert "{query}" in qwen.asked
    assert "{instruction}" not in qwen.asked
    assert "{document}" in qwen.document_template


def minilm() -> Path:
    models = os.environ.get("TUWEN_MODELS__DIR")
    if not models:
        pytest.skip("TUWEN_MODELS__DIR names no directory with weights")
    return locate("all-minilm-l6-v2", Path(models)).parent


@pytest.mark.model
def test_minilm_has_the_similarities_of_its_documentation(tmp_path: Path) -> None:
    """The example of sentence-transformers' documentation: 0.6660, 0.1046, 0.1411 by the original weights."""
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    known = np.array([0.6660, 0.1046, 0.1411])
    vectors = {}
    precisions: tuple[Precision, ...] = ("fp32", "int8")
    for precision in precisions:
        built = ensure_bert(minilm(), tmp_path, precision=precision)
        encoder = OnnxTextEncoder(built, centre_languages=False)
        assert encoder.space.dimension == 384
        assert encoder.max_tokens == 254
        vectors[precision] = encoder.encode_passages(texts)
    exact = vectors["fp32"] @ vectors["fp32"].T
    assert exact[[0, 0, 1], [1, 2, 2]] == pytest.approx(known, abs=2e-3)
    small = vectors["int8"] @ vectors["int8"].T
    assert small[[0, 0, 1], [1, 2, 2]] == pytest.approx(known, abs=0.03)
    assert (vectors["fp32"] * vectors["int8"]).sum(axis=1).min() > 0.98


def test_pooling_that_the_graph_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="last"):
        ensure_bert(tmp_path, tmp_path, pooling="last")
