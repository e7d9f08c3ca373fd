"""Token vectors of the ONNX text encoder, for late interaction: the last layer's states before they are pooled.

A second session over the same graph, cut before its pooling, opened at the first use: searching by vectors needs none of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.encoders.text_onnx import batches, cut
from rag.errors import ModelCorrupt
from rag.onnx_session import open_session
from rag.protocols import Tokens, Vectors

BATCH_TOKENS = 2048


class OnnxTokenEncoder:
    """Satisfies `rag.protocols.TokenEncoder` for the directory of an `OnnxTextEncoder`.

    Tokens of the prefix, the marks of beginning and end, and pieces without a letter or digit are left out: they say little, and
    would match each other in every pair. `threads` as in OnnxTextEncoder. Raises ModelCorrupt.
    """

    def __init__(self, model_dir: Path, *, threads: int = 0) -> None:
        self._dir, self._threads = model_dir, threads
        self._stamp: dict[str, Any] = json.loads((model_dir / "encoder.json").read_text(encoding="utf-8"))
        self._opening = threading.Lock()
        self._opened: tuple[Any, Any, str] | None = None

    def question_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._encode(texts, self._stamp["query_prefix"])

    def passage_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._encode(texts, self._stamp["passage_prefix"])

    def _encode(self, texts: Sequence[str], prefix: str) -> list[Tokens]:
        tokenizer, session, states = self._open()
        longest = int(self._stamp["positions"])
        skipped = len(tokenizer.encode(prefix).ids) - 1
        encoded = tokenizer.encode_batch([prefix + text for text in texts])
        ids = [cut(row.ids, longest) for row in encoded]
        found: list[Tokens | None] = [None] * len(texts)
        for batch in batches([len(row) for row in ids], max(BATCH_TOKENS, longest)):
            width = max(len(ids[index]) for index in batch)
            given = np.full((len(batch), width), int(self._stamp["pad_id"]), np.int64)
            mask = np.zeros((len(batch), width), np.int64)
            for row, index in enumerate(batch):
                given[row, : len(ids[index])], mask[row, : len(ids[index])] = ids[index], 1
            (hidden,) = session.run([states], {"input_ids": given, "attention_mask": mask})
            for row, index in enumerate(batch):
                length = len(ids[index])
                pieces = encoded[index].tokens[: length - 1]
                said = [place for place in range(skipped, length - 1) if any(map(str.isalnum, pieces[place]))]
                found[index] = Tokens(_unit(hidden[row, said or [0]]), _unit(hidden[row, :length].mean(axis=0)))
        return [tokens for tokens in found if tokens is not None]

    def _open(self) -> tuple[Any, Any, str]:
        with self._opening:
            if self._opened is None:
                self._opened = _opened(self._dir, self._threads)
            return self._opened


def _opened(model_dir: Path, threads: int) -> tuple[Any, Any, str]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        graph, states = _before_pooling(model_dir / "model.onnx")
        return tokenizer, open_session(graph, threads), states
    except Exception as error:  # tokenizers, onnx and ONNX Runtime raise classes of their own
        raise ModelCorrupt(
            f"The text encoder in {model_dir} gives no token vectors: {error}.",
            "Delete that directory and start again: it is built anew from the verified weights.",
        ) from error


def _before_pooling(path: Path) -> tuple[bytes, str]:
    """The graph with the states `[batch, tokens, hidden]` as its output, and their name: what is summed into `embedding`."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(str(path))
    makers = {output: node for node in model.graph.node for output in node.output}
    node = makers["embedding"]
    while node.op_type != "MatMul":  # of the mask and the states: see bert_graph
        node = makers[node.input[0]]
    states = str(node.input[1])
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(states, TensorProto.FLOAT, None))
    return model.SerializeToString(), states


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return np.asarray(vectors / lengths, np.float32)
