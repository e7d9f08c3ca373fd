"""Reads the packed file of multilingual-e5-small: little-endian, 4-bit weights, tokenizer included.

Layout (one file, version 1): a header of sizes; a Unigram vocabulary (offsets, scores, UTF-8 pieces); a table that maps
single characters to their normal form; a directory of tensors; the tensors. A 4-bit tensor is rows of blocks of 32
weights, each a float16 scale and 16 bytes: byte j holds weight j in its low and weight j + 16 in its high half, both
shifted by 8 (`Q4_0` of ggml).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import ModelCorrupt
from rag.protocols import Vectors

MAGIC = b"E5S1"
BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("halves", "u1", (BLOCK // 2,))])


@dataclass(frozen=True, slots=True)
class Packed:
    """A 4-bit matrix: `values` int8 `[rows, columns]` in −8..7, `scales` float16 `[rows, columns / 32]`."""

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float16]

    def dense(self) -> Vectors:
        """Float32 `[rows, columns]`."""
        return self.values.astype(np.float32) * np.repeat(self.scales.astype(np.float32), BLOCK, axis=1)


@dataclass(frozen=True, slots=True)
class E5File:
    """What the file holds. `pieces` are the vocabulary with log probabilities; token ids are their positions."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float
    pieces: tuple[tuple[str, float], ...]
    begin_id: int
    end_id: int
    pad_id: int
    unknown_id: int
    packed: dict[str, Packed]
    plain: dict[str, Vectors]

    def matrix(self, name: str) -> Vectors:
        """A 4-bit matrix as float32 `[outputs, inputs]`."""
        return self.packed[name].dense()


class _Cursor:
    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def array(self, dtype: str, count: int) -> npt.NDArray[np.generic]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


def read(path: Path) -> E5File:
    """Raises ModelCorrupt for a file that is not of this layout."""
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise ModelCorrupt(f"{path.name} is not a packed multilingual-e5 file.", "Run `tuwen models verify`.")
    try:
        return _parse(data)
    except (struct.error, ValueError, KeyError, IndexError) as error:
        raise ModelCorrupt(f"{path.name} is damaged: {error}.", "Run `tuwen models verify`.") from error


def _parse(data: bytes) -> E5File:
    cursor = _Cursor(memoryview(data))
    cursor.read("4xI")
    hidden, layers, heads, inner, vocabulary, positions, _types = cursor.read("7i")
    (epsilon,) = cursor.read("f")
    (block,) = cursor.read("i")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    count, begin_id, end_id, pad_id, unknown_id = cursor.read("5i")
    (text_bytes,) = cursor.read("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    text = bytes(cursor.data[cursor.at : cursor.at + text_bytes])
    cursor.at += text_bytes
    pieces = tuple(
        (text[start:end].decode(), score) for start, end, score in zip(offsets, offsets[1:], scores, strict=False)
    )
    _entries, table_bytes = cursor.read("iI")
    cursor.at += table_bytes  # the tokenizer library brings the same normal forms (NMT rules and NFKC)
    packed: dict[str, Packed] = {}
    plain: dict[str, Vectors] = {}
    (tensors,) = cursor.read("i")
    for _ in range(tensors):
        (length,) = cursor.read("H")
        name = bytes(cursor.data[cursor.at : cursor.at + length]).decode()
        cursor.at += length
        kind, size, offset, stored = cursor.read("BIQQ")
        if kind == 0:
            plain[name] = np.frombuffer(data, "<f4", size, offset).copy()
        else:
            columns = inner if name.endswith(".fo.w") else hidden
            packed[name] = _unpack(np.frombuffer(data, _BLOCK_TYPE, stored // _BLOCK_TYPE.itemsize, offset), columns)
    return E5File(
        hidden, layers, heads, inner, vocabulary, positions, float(epsilon), pieces,
        begin_id, end_id, pad_id, unknown_id, packed, plain,
    )  # fmt: skip


def _unpack(blocks: npt.NDArray[np.void], columns: int) -> Packed:
    halves = blocks["halves"]
    values = np.empty((len(blocks), BLOCK), np.int8)
    np.subtract(halves & 15, 8, out=values[:, : BLOCK // 2], casting="unsafe")
    np.subtract(halves >> 4, 8, out=values[:, BLOCK // 2 :], casting="unsafe")
    return Packed(values.reshape(-1, columns), blocks["scale"].reshape(-1, columns // BLOCK).copy())
