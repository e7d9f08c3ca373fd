"""A cross-encoder (Nogueira and Cho, "Passage re-ranking with BERT", 2019) in ONNX Runtime on the CPU; no torch.

From a directory in the layout of Hugging Face: with `model.onnx` (or `onnx/model.onnx`) as it is, with `model.safetensors` of a BERT
or XLM-RoBERTa after a graph with 8-bit weights was made of it once.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import ModelCorrupt, ModelMissing
from rag.hashing import sha256_of
from rag.onnx_session import open_session

BUILDER = 1
"""Part of the built file's name: raise it whenever the scores change."""
BATCH_TOKENS = 2048
READY = ("model.onnx", "onnx/model.onnx")


class OnnxCrossEncoder:
    """Scores are logits, higher is better; rag/rerankers/probability.py makes them probabilities.

    `cache_dir` keeps what is built from safetensors. Pairs longer than `max_tokens` lose the end of the passage. `threads` 0
    leaves the number to ONNX Runtime. Raises ModelMissing, ModelCorrupt.
    """

    def __init__(self, model_dir: Path, cache_dir: Path, *, max_tokens: int = 512, threads: int = 0) -> None:
        self._name = model_dir.name
        path = next((model_dir / name for name in READY if (model_dir / name).is_file()), None)
        self._session = _open_session(path or ensure_built(model_dir, cache_dir), threads)
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer = _open_tokenizer(model_dir, max_tokens)

    @property
    def name(self) -> str:
        return f"onnx cross-encoder {self._name}"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        pairs = self._tokenizer.encode_batch([(question, text) for text in texts])
        scores = [0.0] * len(pairs)
        order = sorted(range(len(pairs)), key=lambda index: -len(pairs[index]))
        start = 0
        while start < len(order):
            batch = order[start : start + max(1, BATCH_TOKENS // len(pairs[order[start]]))]
            for index, score in zip(batch, self._forward([pairs[index] for index in batch]), strict=True):
                scores[index] = score
            start += len(batch)
        return scores

    def _forward(self, pairs: Sequence[Any]) -> list[float]:
        width = max(len(pair) for pair in pairs)
        given = {name: np.zeros((len(pairs), width), np.int64) for name in self._inputs}
        values = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        for name, array in given.items():
            for row, pair in enumerate(pairs):
                array[row, : len(pair)] = getattr(pair, values[name])
        # Padding is masked: its id does not matter.
        (logits,) = self._session.run(None, given)
        return [float(score) for score in np.asarray(logits, np.float32).reshape(len(pairs), -1)[:, 0]]


def ensure_built(model_dir: Path, cache_dir: Path) -> Path:
    """The graph made of the directory's safetensors, in `cache_dir`; several processes may ask at once."""
    from rag.bert_graph import save_scorer
    from rag.bert_weights import read_bert

    weights = model_dir / "model.safetensors"
    if not weights.is_file():
        raise ModelMissing(
            f"{model_dir} holds neither {READY[0]} nor model.safetensors.",
            "Name the directory of a reranker (retrieval.reranker_model).",
        )
    target = cache_dir / f"{model_dir.name}-scorer-int8-v{BUILDER}-{sha256_of(weights)[:12]}.onnx"
    if target.is_file():
        return target
    found = read_bert(model_dir)
    if found.head is None:
        raise ModelCorrupt(f"{model_dir} gives no single score for a pair: it is no reranker.", "Choose another model.")
    cache_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache_dir))
    try:
        save_scorer(found.bert, found.head, folder / "model.onnx")
        (folder / "model.onnx").replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _open_tokenizer(model_dir: Path, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    except Exception as error:  # the library raises plain Exception
        raise ModelCorrupt(
            f"The tokenizer in {model_dir} cannot be read: {error}.", "Put the model's tokenizer.json there."
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(max_tokens, _positions(model_dir)), strategy="longest_first")
    return tokenizer


def _positions(model_dir: Path) -> int:
    """How many tokens the model can tell the places of; many where its config.json is not there."""
    try:
        config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
        # RoBERTa counts from behind the padding's id.
        return int(config["max_position_embeddings"]) - (2 if "roberta" in str(config.get("model_type")) else 0)
    except (OSError, ValueError, KeyError):
        return 1_000_000


def _open_session(path: Path, threads: int) -> Any:
    try:
        session = open_session(path, threads)
    except Exception as error:  # ONNX Runtime raises classes of its own that share no base but Exception
        raise ModelCorrupt(f"ONNX Runtime cannot open {path}: {error}.", "Download or build it again.") from error
    unknown = {given.name for given in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    if unknown:
        raise ModelCorrupt(
            f"{path} wants {', '.join(sorted(unknown))}: it is no cross-encoder.", "Choose another model."
        )
    return session
