"""The weights of a BERT or XLM-RoBERTa directory in the layout of Hugging Face, for rag/bert_graph.py; no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.bert_graph import BLOCK, Bert, Head, Layer, Linear, Norm, blocks_of
from rag.errors import ModelCorrupt, ModelMissing
from rag.protocols import Vectors
from rag.safetensors_file import read_safetensors

_TYPED = {"bert"}
"""Architectures that tell question and passage apart by token types."""
_OFFSET = {"xlm-roberta": 2, "roberta": 2, "camembert": 2}
"""Positions that are taken by padding and never read: `pad_token_id + 1`."""


@dataclass(frozen=True, slots=True)
class BertDirectory:
    bert: Bert
    head: Head | None
    """None for a model without one, or with more than one score."""
    positions: int
    pad_id: int


def read_bert(directory: Path) -> BertDirectory:
    """Raises ModelMissing for a directory without config.json or model.safetensors, ModelCorrupt for another architecture."""
    config = _config(directory)
    kind = str(config.get("model_type", ""))
    if kind not in _TYPED | set(_OFFSET):
        raise _unfit(directory, f"its architecture is {kind!r}, not BERT or XLM-RoBERTa")
    if config.get("hidden_act", "gelu") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        raise _unfit(directory, "its activation or its positions are of another kind")
    if int(config["hidden_size"]) % BLOCK:
        raise _unfit(directory, f"its width is no multiple of {BLOCK}")
    try:
        tensors = read_safetensors(directory / "model.safetensors")
    except FileNotFoundError as error:
        raise ModelMissing(
            f"{directory} holds no model.safetensors.", "Weights in pickles (.bin, .pt) are not loaded: convert them."
        ) from error
    try:
        return _read(config, tensors, kind)
    except KeyError as error:
        raise _unfit(directory, f"it has no weights {error}") from error


def _read(config: dict[str, Any], tensors: dict[str, Vectors], kind: str) -> BertDirectory:
    prefix = next((p for p in ("", "bert.", "roberta.") if f"{p}embeddings.word_embeddings.weight" in tensors), "")

    def linear(name: str) -> Linear:
        return Linear(np.ascontiguousarray(tensors[f"{name}.weight"].T), tensors[f"{name}.bias"])

    def norm(name: str) -> Norm:
        return Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def layer(name: str) -> Layer:
        return Layer(
            linear(f"{name}.attention.self.query"),
            linear(f"{name}.attention.self.key"),
            linear(f"{name}.attention.self.value"),
            linear(f"{name}.attention.output.dense"),
            norm(f"{name}.attention.output.LayerNorm"),
            linear(f"{name}.intermediate.dense"),
            linear(f"{name}.output.dense"),
            norm(f"{name}.output.LayerNorm"),
        )

    embeddings = f"{prefix}embeddings."
    types = tensors[f"{embeddings}token_type_embeddings.weight"]
    positions = tensors[f"{embeddings}position_embeddings.weight"][_OFFSET.get(kind, 0) :]
    bert = Bert(
        blocks_of(tensors[f"{embeddings}word_embeddings.weight"]),
        np.asarray(positions + types[0], np.float32),
        norm(f"{embeddings}LayerNorm"),
        [layer(f"{prefix}encoder.layer.{index}") for index in range(int(config["num_hidden_layers"]))],
        int(config["num_attention_heads"]),
        float(config.get("layer_norm_eps", 1e-12)),
        types[1] - types[0] if len(types) > 1 else None,
    )
    head = None
    if "classifier.weight" in tensors and f"{prefix}pooler.dense.weight" in tensors:
        head = Head(linear(f"{prefix}pooler.dense"), linear("classifier"))
    elif "classifier.out_proj.weight" in tensors:
        head = Head(linear("classifier.dense"), linear("classifier.out_proj"))
    if head is not None and head.out.bias.shape != (1,):
        head = None
    return BertDirectory(bert, head, len(positions), int(config.get("pad_token_id") or 0))


def _config(directory: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(
            f"{directory} holds no model: there is no config.json.", "Name a model's directory."
        ) from error
    except ValueError as error:
        raise ModelCorrupt(f"{directory / 'config.json'} cannot be read: {error}.", "Download it again.") from error
    return config


def _unfit(directory: Path, why: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"{directory} cannot be made an ONNX graph here: {why}.",
        "Put the model's own model.onnx beside its tokenizer.json, or use sentence-transformers.",
    )
