"""Reads a safetensors file into NumPy: a JSON header with names, types and offsets, then raw little-endian numbers.

Our own 20 lines because the package's NumPy side gives bfloat16 back only with a further package, and nothing else of it is needed.
Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelCorrupt
from rag.protocols import Vectors

_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_LONGEST_HEADER = 100_000_000


def read_safetensors(path: Path) -> dict[str, Vectors]:
    """Tensors by name as float32; those of other types than floats are left out. Raises ModelCorrupt, OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size - 8, _LONGEST_HEADER):
                raise ValueError("its header is longer than the file")
            header = json.loads(file.read(length))
            data = np.memmap(path, np.uint8, "r", offset=8 + length)
            return {
                name: _tensor(data, entry)
                for name, entry in header.items()
                if name != "__metadata__" and entry["dtype"] in _TYPES
            }
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise ModelCorrupt(f"{path} is no safetensors file: {error}.", "Download it again.") from error


def _tensor(data: npt.NDArray[np.uint8], entry: dict[str, Any]) -> Vectors:
    begin, end = entry["data_offsets"]
    raw = np.frombuffer(data[begin:end].tobytes(), _TYPES[str(entry["dtype"])])
    if entry["dtype"] == "BF16":  # the upper half of a float32
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    return np.asarray(raw.reshape(entry["shape"]), np.float32)
