from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag import bert_graph
from rag.bert_graph import Bert
from rag.encoders import e5_file
from rag.encoders.e5_build import _bert, build_e5, ensure_e5, tokenizer
from rag.encoders.text_onnx import OnnxTextEncoder
from rag.errors import ModelCorrupt


def test_a_block_is_a_scale_and_two_weights_a_byte() -> None:
    block = np.zeros(1, np.dtype([("scale", "<f2"), ("halves", "u1", (16,))]))
    block["scale"] = 0.5
    block["halves"][0, 0] = 0x1F  # weight 0 is 15 − 8, weight 16 is 1 − 8
    block["halves"][0, 15] = 0x80
    dense = e5_file._unpack(block, 32).dense()[0]
    assert dense[0] == 0.5 * 7
    assert dense[16] == 0.5 * -7
    assert dense[15] == 0.5 * -8
    assert dense[31] == 0.0


def test_sizes_and_vocabulary_are_read(packed_e5: Path) -> None:
    file = e5_file.read(packed_e5)
    assert (file.hidden, file.layers, file.heads, file.positions) == (64, 2, 4, 48)
    assert file.pieces[0] == ("<s>", 0.0)
    assert file.pieces[file.pad_id][0] == "<pad>"
    assert file.matrix("l1.fo.w").shape == (64, 128)
    assert file.matrix("l1.fi.w").shape == (128, 64)


@pytest.mark.parametrize("damage", [lambda data: b"GGUF" + data[4:], lambda data: data[:200], lambda data: data[:-500]])
def test_a_damaged_file_is_refused(packed_e5: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "damaged.bin"
    path.write_bytes(damage(packed_e5.read_bytes()))
    with pytest.raises(ModelCorrupt, match=r"damaged\.bin"):
        build_e5(path, "b" * 64, tmp_path)


def _reference(bert: Bert, ids: list[int]) -> np.ndarray:
    """The formulas of the paper, one text, float64."""
    blocks = np.repeat(bert.words.scales.astype(np.float64), 32, axis=1)
    x = (bert.words.values * blocks)[ids] + bert.positions[: len(ids)]

    def norm(x: np.ndarray, part: bert_graph.Norm) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        return centred / np.sqrt(x.var(axis=1, keepdims=True) + bert.epsilon) * part.scale + part.bias

    def linear(x: np.ndarray, part: bert_graph.Linear) -> np.ndarray:
        return x @ part.weight + part.bias

    x = norm(x, bert.norm)
    width = x.shape[1] // bert.heads
    for layer in bert.layers:
        q, k, v = (linear(x, part) for part in (layer.query, layer.key, layer.value))
        mixed = np.zeros_like(x)
        for head in range(bert.heads):
            part = slice(head * width, (head + 1) * width)
            scores = q[:, part] @ k[:, part].T / math.sqrt(width)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed[:, part] = weights / weights.sum(axis=1, keepdims=True) @ v[:, part]
        x = norm(x + linear(mixed, layer.attention_out), layer.attention_norm)
        inner = linear(x, layer.inner)
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = norm(x + linear(inner, layer.outer), layer.outer_norm)
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_the_graph_computes_the_formulas(packed_e5: Path, tmp_path: Path) -> None:
    file = e5_file.read(packed_e5)
    texts = ["a cat", "the raining of cats", "什么是向量数据库"]
    expected = [_reference(_bert(file), tokenizer(file).encode(f"passage: {text}").ids) for text in texts]
    for precision, tolerance in (("fp32", 1e-5), ("int8", 0.03)):
        directory = ensure_e5(packed_e5, "c" * 64, tmp_path, precision)  # type: ignore[arg-type]
        vectors = OnnxTextEncoder(directory, threads=1, centre_languages=False).encode_passages(texts)
        # One batch with three lengths: the mask keeps padding out.
        assert 1 - (vectors * np.array(expected)).sum(axis=1).min() < tolerance


def test_int8_keeps_to_seven_bits() -> None:
    weight = np.random.default_rng(1).normal(size=(96, 32)).astype(np.float32)
    values, scales = bert_graph.quantise(weight)
    assert np.abs(values.astype(int)).max() == 64
    assert np.abs(values * scales - weight).max() <= scales.max() / 2 + 1e-6


def test_tokens_follow_the_vocabulary(packed_e5: Path) -> None:
    file = e5_file.read(packed_e5)
    encoded = tokenizer(file).encode("  the\n raining \u3000ＡＢ")
    # White space collapses, full-width letters lose their width; capitals are not in this vocabulary.
    assert encoded.tokens == ["<s>", "▁the", "▁", "r", "a", "i", "n", "ing", "▁", "AB", "</s>"]
    assert encoded.ids[-2] == file.unknown_id


def test_built_once_and_whole(packed_e5: Path, tmp_path: Path) -> None:
    first = ensure_e5(packed_e5, "d" * 64, tmp_path)
    stamp = (first / "model.onnx").stat().st_mtime_ns
    assert ensure_e5(packed_e5, "d" * 64, tmp_path) == first
    assert (first / "model.onnx").stat().st_mtime_ns == stamp
    assert [entry.name for entry in tmp_path.iterdir()] == [first.name], "no temporary directory is left"
    assert ensure_e5(packed_e5, "e" * 64, tmp_path) != first, "other weights have another directory"


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "wrong.bin"
    source.write_bytes(b"not a model")
    with pytest.raises(ModelCorrupt):
        ensure_e5(source, "f" * 64, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
