"""Token vectors of the ONNX text encoder, for late interaction: the last layer's states before they are pooled.

All states of a multilingual encoder share a large part that says nothing of the text but its language. Unit vectors with that mean taken
out tell tokens apart far better (see rag/encoders/centring.py for the same of whole texts).

A second session over the same graph, opened at the first use: searching by vectors needs none of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.encoders.text_onnx import batches, cut, open_tokenizer
from rag.encoders.token_means import Role, States, TokenMeans
from rag.errors import ModelCorrupt
from rag.onnx_outputs import Node, nodes, with_output
from rag.onnx_session import open_session
from rag.protocols import Tokens, Vectors
from rag.words import sentence_spans

BATCH_TOKENS = 2048


class OnnxTokenEncoder:
    """Satisfies `rag.protocols.TokenEncoder` for the directory of an `OnnxTextEncoder`.

    Tokens of the prefix, the marks of beginning and end, and pieces without a letter or digit are left out: they say little, and
    would match each other in every pair. `threads` as in OnnxTextEncoder; `centre_languages` takes each language's mean out of tokens and
    pooled vectors. Raises ModelCorrupt.
    """

    def __init__(self, model_dir: Path, *, threads: int = 0, centre_languages: bool = False) -> None:
        self._dir, self._threads = model_dir, threads
        self._means: TokenMeans | None = None
        self._centre, self._fitting = centre_languages, threading.Lock()
        self._stamp: dict[str, Any] = json.loads((model_dir / "encoder.json").read_text(encoding="utf-8"))
        self._opening = threading.Lock()
        self._opened: tuple[Any, Any, str] | None = None

    def question_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._tokens(texts, "query")

    def passage_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        return self._tokens(texts, "passage")

    def _tokens(self, texts: Sequence[str], role: Role) -> list[Tokens]:
        found = []
        for text, states in zip(texts, self._states(texts, role), strict=True):
            tokens, pooled = states.tokens, states.pooled
            if self._centre:
                mean, pooled_mean = self._fitted().of(role, text)
                tokens, pooled = tokens - mean, pooled - pooled_mean
            ends = np.array([end for _, end in sentence_spans(text)][:-1], np.int32)
            said = states.said
            sentences = np.searchsorted(ends, states.begins[said], side="right").astype(np.int32)
            found.append(Tokens(_unit(tokens[said]), _unit(pooled), sentences))
        return found

    def _fitted(self) -> TokenMeans:
        with self._fitting:
            if self._means is None:
                self._means = TokenMeans.load_or_fit(self._dir, self._states)
            return self._means

    def _states(self, texts: Sequence[str], role: Role) -> list[States]:
        prefix = self._stamp[f"{role}_prefix"]
        tokenizer, session, states = self._open()
        longest = int(self._stamp["positions"])
        skipped = len(tokenizer.encode(prefix).ids) - 1
        encoded = tokenizer.encode_batch([prefix + text for text in texts])
        ids = [cut(row.ids, longest) for row in encoded]
        found: list[States | None] = [None] * len(texts)
        for batch in batches([len(row) for row in ids], max(BATCH_TOKENS, longest)):
            width = max(len(ids[index]) for index in batch)
            given = np.full((len(batch), width), int(self._stamp["pad_id"]), np.int64)
            mask = np.zeros((len(batch), width), np.int64)
            for row, index in enumerate(batch):
                given[row, : len(ids[index])], mask[row, : len(ids[index])] = ids[index], 1
            (hidden,) = session.run([states], {"input_ids": given, "attention_mask": mask})
            for row, index in enumerate(batch):
                length = len(ids[index])
                inside, pieces = slice(skipped, length - 1), encoded[index].tokens
                begins = [begin - len(prefix) for begin, _ in encoded[index].offsets[inside]]
                said = [n for n, piece in enumerate(pieces[inside]) if any(map(str.isalnum, piece))]
                whole = hidden[row, :length].mean(axis=0)
                if length - 1 <= skipped:  # an empty text: the beginning's own state
                    found[index] = States(hidden[row, :1], whole, np.zeros(1, np.int32), [0])
                    continue
                found[index] = States(hidden[row, inside], whole, np.array(begins, np.int32), said or [0])
        return [tokens for tokens in found if tokens is not None]

    def _open(self) -> tuple[Any, Any, str]:
        with self._opening:
            if self._opened is None:
                self._opened = _opened(self._dir, self._threads)
            return self._opened


def _opened(model_dir: Path, threads: int) -> tuple[Any, Any, str]:
    graph, tokenizer = model_dir / "model.onnx", open_tokenizer(model_dir)
    try:
        states = _before_pooling(nodes(graph))
        return tokenizer, open_session(with_output(graph, states), threads), states
    except Exception as error:  # ONNX Runtime raises classes of its own
        raise ModelCorrupt(
            f"The text encoder in {model_dir} gives no token vectors: {error}.",
            "Delete that directory and start again: it is built anew from the verified weights.",
        ) from error


def _before_pooling(graph: Sequence[Node]) -> str:
    """The name of the states `[batch, tokens, hidden]`: of what is summed into `embedding`."""
    makers = {output: node for node in graph for output in node.outputs}
    node = makers["embedding"]
    while node.type != "MatMul":  # of the mask and the states: see bert_graph
        node = makers[node.inputs[0]]
    return node.inputs[1]


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return np.asarray(vectors / lengths, np.float32)
