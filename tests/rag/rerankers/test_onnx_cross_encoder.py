"""The ONNX cross-encoder on tiny random weights: against the formula, and against transformers where that is installed."""

from __future__ import annotations

import json
import struct
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import bert_graph
from rag.bert_weights import read_bert
from rag.errors import ModelCorrupt, ModelMissing
from rag.rerankers.onnx_cross_encoder import OnnxCrossEncoder, ensure_built
from rag.safetensors_file import read_safetensors

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 64, 2, 4, 96, 40
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", "cat", "dog", "sleeps", "猫"]


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    raw = b""
    for name, value in tensors.items():
        kind = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64"}[value.dtype.name]
        data = value.tobytes()
        header[name] = {"dtype": kind, "shape": value.shape, "data_offsets": [len(raw), len(raw) + len(data)]}
        raw += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw)


def weights(kind: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    prefix, offset = ("bert.", 0) if kind == "bert" else ("roberta.", 2)
    made: dict[str, np.ndarray] = {}

    def linear(name: str, inputs: int, outputs: int) -> None:
        made[f"{name}.weight"] = rng.normal(0, 1.5 / sqrt(inputs), (outputs, inputs)).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.1, outputs).astype(np.float32)

    def norm(name: str) -> None:
        made[f"{name}.weight"] = rng.uniform(0.5, 1.5, HIDDEN).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.1, HIDDEN).astype(np.float32)

    made[f"{prefix}embeddings.word_embeddings.weight"] = rng.normal(0, 1, (len(WORDS), HIDDEN)).astype(np.float32)
    made[f"{prefix}embeddings.position_embeddings.weight"] = rng.normal(0, 0.3, (POSITIONS + offset, HIDDEN)).astype(
        "f4"
    )
    made[f"{prefix}embeddings.token_type_embeddings.weight"] = rng.normal(0, 0.3, (2 if kind == "bert" else 1, HIDDEN)).astype("f4")  # fmt: skip
    norm(f"{prefix}embeddings.LayerNorm")
    for layer in (f"{prefix}encoder.layer.{index}" for index in range(LAYERS)):
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
        linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        linear(f"{layer}.intermediate.dense", HIDDEN, INNER)
        linear(f"{layer}.output.dense", INNER, HIDDEN)
        norm(f"{layer}.attention.output.LayerNorm")
        norm(f"{layer}.output.LayerNorm")
    linear("bert.pooler.dense" if kind == "bert" else "classifier.dense", HIDDEN, HIDDEN)
    linear("classifier" if kind == "bert" else "classifier.out_proj", HIDDEN, 1)
    return made


def make_model(folder: Path, kind: str = "bert", seed: int = 0) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", weights(kind, np.random.default_rng(seed)))
    config = {
        "model_type": kind, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "intermediate_size": INNER, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "vocab_size": len(WORDS),
        "max_position_embeddings": POSITIONS + (0 if kind == "bert" else 2), "type_vocab_size": 2 if kind == "bert" else 1,
        "pad_token_id": 0 if kind == "bert" else 1, "num_labels": 1,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    second = 1 if kind == "bert" else 0
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=f"[CLS] $A [SEP] $B:{second} [SEP]:{second}", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )  # fmt: skip
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def by_formula(made: dict[str, np.ndarray], kind: str, ids: list[int], types: list[int]) -> float:
    """One pair through BERT as the paper writes it, float64."""
    w = {name.removeprefix("bert.").removeprefix("roberta."): value.astype(np.float64) for name, value in made.items()}

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return np.asarray(x @ w[f"{name}.weight"].T + w[f"{name}.bias"])

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])

    offset = 0 if kind == "bert" else 2
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][types]
    x = norm("embeddings.LayerNorm", x + w["embeddings.position_embeddings.weight"][offset : offset + len(ids)])
    for layer in (f"encoder.layer.{index}" for index in range(LAYERS)):
        q, k, v = (
            linear(f"{layer}.attention.self.{part}", x).reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        logits = q @ k.swapaxes(1, 2) / sqrt(HIDDEN / HEADS)
        shares = np.exp(logits - logits.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(ids), HIDDEN)
        x = norm(f"{layer}.attention.output.LayerNorm", x + linear(f"{layer}.attention.output.dense", mixed))
        inner = linear(f"{layer}.intermediate.dense", x)
        inner = inner * (1 + np.vectorize(erf)(inner / sqrt(2))) / 2
        x = norm(f"{layer}.output.LayerNorm", x + linear(f"{layer}.output.dense", inner))
    dense, out = ("pooler.dense", "classifier") if kind == "bert" else ("classifier.dense", "classifier.out_proj")
    return float(linear(out, np.tanh(linear(dense, x[0])))[0])


QUESTION = "cat sleeps"
TEXTS = ["a cat sleeps", "dog", "", "猫 sleeps a b c d e f g h", "dog dog cat " * 30]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_scores_are_those_of_the_formula(tmp_path: Path, kind: str) -> None:
    model = make_model(tmp_path / "tiny", kind)
    reranker = OnnxCrossEncoder(model, tmp_path / "built", threads=1)
    found = read_bert(model)
    assert found.head is not None
    (tmp_path / "exact").mkdir()
    bert_graph.save_scorer(found.bert, found.head, tmp_path / "exact" / "model.onnx", "fp32")
    (tmp_path / "exact" / "tokenizer.json").write_bytes((model / "tokenizer.json").read_bytes())
    (tmp_path / "exact" / "config.json").write_bytes((model / "config.json").read_bytes())
    exact = OnnxCrossEncoder(tmp_path / "exact", tmp_path / "built", threads=1)
    made = read_safetensors(model / "model.safetensors")
    pairs = reranker._tokenizer.encode_batch([(QUESTION, text) for text in TEXTS])
    expected = [by_formula(made, kind, pair.ids, pair.type_ids) for pair in pairs]
    # The word vectors are in eight bits in both; the rest only in the one.
    assert exact.score(QUESTION, TEXTS) == pytest.approx(expected, abs=0.03)
    quantised = np.array(reranker.score(QUESTION, TEXTS))
    assert np.corrcoef(quantised, expected)[0, 1] > 0.98
    assert max(len(pair) for pair in pairs) == POSITIONS


def test_order_is_kept_and_a_second_opening_builds_nothing(tmp_path: Path) -> None:
    model = make_model(tmp_path / "tiny")
    reranker = OnnxCrossEncoder(model, tmp_path / "built", threads=1)
    together = reranker.score(QUESTION, TEXTS)
    alone = [reranker.score(QUESTION, [text])[0] for text in TEXTS]
    assert np.corrcoef(together, alone)[0, 1] > 0.98
    assert reranker.score(QUESTION, []) == []
    (built,) = (tmp_path / "built").iterdir()
    before = built.stat().st_mtime_ns
    assert ensure_built(model, tmp_path / "built") == built
    assert built.stat().st_mtime_ns == before


def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"model\.onnx"):
        OnnxCrossEncoder(tmp_path, tmp_path / "built")
    model = make_model(tmp_path / "plain")
    made = {n: v for n, v in read_safetensors(model / "model.safetensors").items() if not n.startswith("classifier")}
    write_safetensors(model / "model.safetensors", made)
    with pytest.raises(ModelCorrupt, match="no reranker"):
        OnnxCrossEncoder(model, tmp_path / "built")
    config = json.loads((model / "config.json").read_text()) | {"model_type": "llama"}
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelCorrupt, match="llama"):
        OnnxCrossEncoder(model, tmp_path / "built")
    (model / "model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(ModelCorrupt, match="no safetensors"):
        read_safetensors(model / "model.safetensors")


def test_half_precision_weights_are_read(tmp_path: Path) -> None:
    exact = np.array([[1.5, -2.0], [0.25, 3.0]], np.float32)
    write_safetensors(
        tmp_path / "x.safetensors",
        {
            "half": exact.astype(np.float16),
            "brain": (exact.view(np.uint32) >> 16).astype(np.uint16),
            "ids": np.arange(3),
        },
    )
    found = read_safetensors(tmp_path / "x.safetensors")
    assert found.keys() == {"half", "brain"}
    assert all(np.array_equal(value, exact) for value in found.values())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_scores_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    model = make_model(tmp_path / "tiny", kind)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(model, num_labels=1).eval()
    reranker = OnnxCrossEncoder(model, tmp_path / "built", threads=1)
    expected = []
    for pair in reranker._tokenizer.encode_batch([(QUESTION, text) for text in TEXTS]):
        with torch.inference_mode():
            logits = theirs(torch.tensor([pair.ids]), token_type_ids=torch.tensor([pair.type_ids])).logits
        expected.append(float(logits[0, 0]))
    assert np.corrcoef(reranker.score(QUESTION, TEXTS), expected)[0, 1] > 0.98
    made = read_safetensors(model / "model.safetensors")
    pairs = reranker._tokenizer.encode_batch([(QUESTION, text) for text in TEXTS])
    assert expected == pytest.approx([by_formula(made, kind, p.ids, p.type_ids) for p in pairs], abs=1e-4)
