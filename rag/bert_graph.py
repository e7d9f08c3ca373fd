"""A BERT as an ONNX graph: token ids in, unit vectors out, or, with a classification head, a score for a pair of texts.

Devlin et al., "BERT" (2019), post-layer-norm; mean pooling over the tokens of the mask and L2 normalisation (Reimers and
Gurevych, "Sentence-BERT", 2019) are part of the graph. The graph is written with ONNX Runtime's fused operators, so that
the session has little left to optimise when it is opened; but not SkipLayerNormalization, which takes six times as long
as Add and LayerNormalization (2.9 and 0.45 ms for 1,600 tokens, ONNX Runtime 1.31).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rag.protocols import Vectors

Precision = Literal["fp32", "int8"]
OPSET = 17
BLOCK = 32


@dataclass(frozen=True, slots=True)
class Linear:
    """`y = x W + b`; weight `[inputs, outputs]`, bias `[outputs]`."""

    weight: Vectors
    bias: Vectors


@dataclass(frozen=True, slots=True)
class Norm:
    scale: Vectors
    bias: Vectors


@dataclass(frozen=True, slots=True)
class Layer:
    query: Linear
    key: Linear
    value: Linear
    attention_out: Linear
    attention_norm: Norm
    inner: Linear
    outer: Linear
    outer_norm: Norm


@dataclass(frozen=True, slots=True)
class Table:
    """Word vectors in blocks of 32 with one scale each: values int8 `[words, hidden]`, scales `[words, hidden / 32]`."""

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Bert:
    """Weights of an encoder. `positions` `[longest, hidden]` already holds the vector of token type 0."""

    words: Table
    positions: Vectors
    norm: Norm
    layers: Sequence[Layer]
    heads: int
    epsilon: float
    second: Vectors | None = None
    """Vector of token type 1 minus that of type 0, `[hidden]`; None for a model that knows no types (XLM-RoBERTa)."""


@dataclass(frozen=True, slots=True)
class Head:
    """A score from the first token: `out(tanh(dense(x)))`, as BertForSequenceClassification and XLMRobertaForSequenceClassification."""

    dense: Linear
    out: Linear


Pooling = Literal["mean", "cls"]


class _Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def constant(self, value: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        from onnx import helper

        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def fused(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        return self.op(kind, *inputs, outputs=outputs, domain="com.microsoft", **attributes)

    def linear(self, x: str, *parts: Linear) -> list[str]:
        """One or several layers over the same input; its quantisation is shared."""
        if self.precision == "fp32":
            products = [self.op("MatMul", x, self.constant(part.weight)) for part in parts]
            return [self.op("Add", y, self.constant(part.bias)) for y, part in zip(products, parts, strict=True)]
        quantised = self.op("DynamicQuantizeLinear", x, outputs=3)
        return [self._integer(quantised, part.weight, self.constant(part.bias)) for part in parts]

    def linear_by_token(self, x: str, part: Linear) -> str:
        """A layer whose tokens differ much in size, as they do after GELU.

        ONNX Runtime has one scale for a whole batch. With every token brought to the same size first, a large one costs
        the others no precision: cosine to float32 0.9987 instead of 0.9963, for 5 to 10 % of the time.
        """
        if self.precision == "fp32":
            return self.linear(x, part)[0]
        largest = self.op("ReduceMax", self.op("Abs", x), axes=[-1], keepdims=1)
        size = self.op("Max", largest, self.constant(np.array(1e-6, np.float32)))
        quantised = self.op("DynamicQuantizeLinear", self.op("Div", x, size), outputs=3)
        product = self._integer(quantised, part.weight)
        return str(self.op("Add", self.op("Mul", product, size), self.constant(part.bias)))

    def _integer(self, quantised: Sequence[str], weight: Vectors, *bias: str) -> str:
        x, scale, zero = quantised
        values, scales = (self.constant(array) for array in quantise(weight))
        return str(self.fused("MatMulIntegerToFloat", x, values, scale, scales, zero, *(["", *bias] if bias else [])))

    def norm(self, x: str, norm: Norm, epsilon: float) -> str:
        scale, bias = self.constant(norm.scale), self.constant(norm.bias)
        return str(self.op("LayerNormalization", x, scale, bias, epsilon=epsilon))


def quantise(weight: Vectors) -> tuple[npt.NDArray[np.int8], Vectors]:
    """Symmetric int8 with a scale per output: values `[inputs, outputs]`, scales `[outputs]`.

    Seven bits only: without VNNI instructions, x86 adds two products of 8-bit numbers in 16 bits and saturates.
    """
    scales = np.maximum(np.abs(weight).max(axis=0), 1e-12).astype(np.float32) / 64
    return np.clip(np.rint(weight / scales), -64, 64).astype(np.int8), scales


def blocks_of(weight: Vectors) -> Table:
    """Word vectors `[words, hidden]` in int8 with a scale per block; `hidden` is a multiple of 32."""
    words, hidden = weight.shape
    blocks = weight.reshape(words, hidden // BLOCK, BLOCK)
    scales = (np.maximum(np.abs(blocks).max(axis=2), 1e-8) / 127).astype(np.float16)
    values = np.rint(blocks / np.maximum(scales, np.float16(6e-8)).astype(np.float32)[:, :, None])
    return Table(np.clip(values, -127, 127).astype(np.int8).reshape(words, hidden), scales)


def save(bert: Bert, path: Path, precision: Precision = "int8", pooling: Pooling = "mean") -> None:
    """Writes the graph: `input_ids`, `attention_mask` int64 `[batch, tokens]` → `embedding` float32 `[batch, hidden]`."""
    graph, bert = _Graph(precision), replace(bert, second=None)  # a single text is of type 0
    states = _layers(graph, bert, _embed(graph, bert))
    pooled = _pool(graph, states) if pooling == "mean" else _unit(graph, _first(graph, states))
    _write(graph, pooled, "embedding", bert.positions.shape[1], path)


def save_scorer(bert: Bert, head: Head, path: Path, precision: Precision = "int8") -> None:
    """Writes the graph: `input_ids`, `attention_mask` and, where the model knows types, `token_type_ids` int64 `[batch, tokens]` →
    `logits` float32 `[batch, labels]`. The head stays float32: it is small, and a score is a difference of much larger numbers."""
    graph = _Graph(precision)
    first = _first(graph, _layers(graph, bert, _embed(graph, bert)))
    dense = graph.op("Tanh", _exact(graph, first, head.dense))
    typed = ("token_type_ids",) if bert.second is not None else ()
    _write(graph, _exact(graph, dense, head.out), "logits", head.out.bias.shape[0], path, typed)


def _write(graph: _Graph, result: str, name: str, width: int, path: Path, further: Sequence[str] = ()) -> None:
    import onnx
    from onnx import TensorProto, helper

    graph.nodes.append(helper.make_node("Identity", [result], [name]))
    shape = ["batch", "tokens"]
    inputs = ("input_ids", "attention_mask", *further)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info(given, TensorProto.INT64, shape) for given in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
        producer_name="tuwen",
    )
    onnx.save(model, str(path))


def _embed(graph: _Graph, bert: Bert) -> str:
    hidden = bert.positions.shape[1]
    words, blocks = bert.words.values.shape[0], hidden // BLOCK
    values = graph.op("Gather", graph.constant(bert.words.values.reshape(words, blocks, BLOCK)), "input_ids")
    scales = graph.op("Gather", graph.constant(bert.words.scales.reshape(words, blocks, 1)), "input_ids")
    exact = graph.op("Mul", graph.op("Cast", values, to=1), graph.op("Cast", scales, to=1))
    word = graph.op("Reshape", exact, graph.constant(np.array([0, 0, hidden], np.int64)))
    length = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant(np.array([1], np.int64)))
    start = graph.constant(np.array([0], np.int64))
    position = graph.op("Slice", graph.constant(bert.positions), start, length, start)
    summed = graph.op("Add", word, position)
    if bert.second is not None:
        types = graph.op("Unsqueeze", graph.op("Cast", "token_type_ids", to=1), graph.constant(np.array([2], np.int64)))
        summed = graph.op("Add", summed, graph.op("Mul", types, graph.constant(bert.second)))
    return graph.norm(summed, bert.norm, bert.epsilon)


def _layers(graph: _Graph, bert: Bert, x: str) -> str:
    mask = graph.op("Cast", "attention_mask", to=6)
    for layer in bert.layers:
        q, k, v = graph.linear(x, layer.query, layer.key, layer.value)
        mixed = graph.fused("MultiHeadAttention", q, k, v, "", mask, num_heads=bert.heads)
        (attended,) = graph.linear(mixed, layer.attention_out)
        x = graph.norm(graph.op("Add", attended, x), layer.attention_norm, bert.epsilon)
        (inner,) = graph.linear(x, layer.inner)
        outer = graph.linear_by_token(graph.fused("Gelu", inner), layer.outer)
        x = graph.norm(graph.op("Add", outer, x), layer.outer_norm, bert.epsilon)
    return x


def _pool(graph: _Graph, x: str) -> str:
    # Dividing by the number of tokens is left out: the length of the sum is normalised anyway.
    weights = graph.op("Unsqueeze", graph.op("Cast", "attention_mask", to=1), graph.constant(np.array([1], np.int64)))
    return _unit(graph, graph.op("Squeeze", graph.op("MatMul", weights, x), graph.constant(np.array([1], np.int64))))


def _first(graph: _Graph, x: str) -> str:
    return str(graph.op("Gather", x, graph.constant(np.array(0, np.int64)), axis=1))


def _unit(graph: _Graph, x: str) -> str:
    return str(graph.op("LpNormalization", x, axis=-1, p=2))


def _exact(graph: _Graph, x: str, part: Linear) -> str:
    return str(graph.op("Add", graph.op("MatMul", x, graph.constant(part.weight)), graph.constant(part.bias)))
