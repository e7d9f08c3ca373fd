"""A further output of an ONNX graph, without the `onnx` package: it holds a graph of 118 MB in memory three times over.

A file is a protocol buffer (onnx.proto, https://onnx.ai/onnx/intro/concepts.html#serialization). Its nodes are read from where they stand, weights are
passed over; and since a reader merges a message that comes in two parts (protobuf, "Encoding: Last One Wins"), an output is added by
bytes behind the end.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Numbers of the fields, by message.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_TYPE = 1, 2, 4
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT = 1, 2, 1, 1
_FLOAT = 1
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Node:
    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def nodes(path: Path) -> list[Node]:
    """The operators of the graph, in their order. Raises ValueError for what is no protocol buffer."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return [
            _node(data, *node)
            for number, graph in _fields(data, 0, len(data))
            if number == _MODEL_GRAPH
            for inner, node in _fields(data, *graph)
            if inner == _GRAPH_NODE
        ]


def with_output(path: Path, name: str) -> bytes:
    """The file with the float tensor `name` among the outputs of its graph."""
    tensor = _field(_TYPE_TENSOR, bytes([_TENSOR_ELEMENT << 3 | _VARINT, _FLOAT]))
    value = _field(_VALUE_NAME, name.encode()) + _field(_VALUE_TYPE, tensor)
    return path.read_bytes() + _field(_MODEL_GRAPH, _field(_GRAPH_OUTPUT, value))


def _node(data: mmap.mmap, begin: int, end: int) -> Node:
    found = [
        (number, data[start:stop].decode())
        for number, (start, stop) in _fields(data, begin, end)
        if number <= _NODE_TYPE
    ]
    texts = {
        of: tuple(text for number, text in found if number == of) for of in (_NODE_INPUT, _NODE_OUTPUT, _NODE_TYPE)
    }
    return Node("".join(texts[_NODE_TYPE]), texts[_NODE_INPUT], texts[_NODE_OUTPUT])


def _fields(data: mmap.mmap, begin: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Number and place of each field that holds bytes; others are passed over."""
    while begin < end:
        key, begin = _varint(data, begin)
        kind = key & 7
        if kind == _VARINT:
            _, begin = _varint(data, begin)
        elif kind == _BYTES:
            length, begin = _varint(data, begin)
            yield key >> 3, (begin, begin + length)
            begin += length
        elif kind in (_EIGHT, _FOUR):
            begin += 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"a field of the kind {kind} is none of a protocol buffer's")


def _varint(data: mmap.mmap, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _field(number: int, payload: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(payload)) + payload


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
