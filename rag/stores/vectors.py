"""How a vector is stored: in single precision, or as bytes with a scale.

`int8` is symmetric absmax quantisation with one scale for each vector (vector-wise quantisation: Dettmers et al., "LLM.int8()", NeurIPS
2022, arXiv:2208.07339): q = round(127 · v / max |v|). The scale that is kept is |v| / |q|, so that a vector has its length again.
A vector of 384 dimensions takes 388 bytes instead of 1,536. What a stored vector is, its length tells: a library may hold both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from rag.errors import StoreCorrupt
from rag.protocols import Vectors

Precision = Literal["float32", "int8"]

_SCALE = 4


def stored_size(dimension: int, precision: Precision) -> int:
    """Bytes of one vector."""
    return dimension + _SCALE if precision == "int8" else 4 * dimension


def to_stored(vectors: Vectors, precision: Precision) -> list[bytes]:
    """`[n, dimension]` as `n` blobs."""
    if precision == "float32":
        return [row.tobytes() for row in vectors.astype("<f4")]
    plain = np.asarray(vectors, np.float64)
    largest = np.abs(plain).max(axis=1, keepdims=True, initial=0.0)
    whole = np.rint(127 * plain / np.where(largest > 0, largest, 1.0)).astype(np.int8)
    lengths = np.linalg.norm(whole.astype(np.float64), axis=1)
    scales = np.linalg.norm(plain, axis=1) / np.where(lengths > 0, lengths, 1.0)
    return [scale.tobytes() + row.tobytes() for scale, row in zip(scales.astype("<f4"), whole, strict=True)]


def from_stored(blobs: Sequence[bytes], dimension: int) -> Vectors:
    """`[len(blobs), dimension]`; `[0, 0]` of none. Raises StoreCorrupt for a length that is neither's."""
    if not blobs:
        return np.empty((0, 0), np.float32)
    sizes = {len(blob) for blob in blobs}
    if sizes == {4 * dimension}:
        return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), dimension)
    if sizes == {dimension + _SCALE}:
        raw = np.frombuffer(b"".join(blobs), np.uint8).reshape(len(blobs), dimension + _SCALE)
        scales = raw[:, :_SCALE].copy().view("<f4")
        return np.asarray(raw[:, _SCALE:].view(np.int8) * scales, np.float32)
    if not sizes <= {4 * dimension, dimension + _SCALE}:
        raise StoreCorrupt(
            f"The library holds vectors of {sorted(sizes)} bytes, which do not fit {dimension} dimensions.",
            "Restore it from a copy, or move the data directory away and ingest again.",
        )
    return np.concatenate([from_stored([blob], dimension) for blob in blobs])
