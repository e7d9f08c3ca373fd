"""Tensors of a torch checkpoint of the old kind (before 1.6, not a zip), without torch and without running a pickle.

A pickle is a program. This reader gives it four names to use, all of them functions of this file that only note down
shapes; every other name is refused before anything is called. Layout: `torch/serialization.py`, `_legacy_save`: four
pickles (magic number, protocol, system, the dictionary with references to storages), one with the storages' keys, then
each storage as a 64-bit count and its values, little-endian.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from rag.errors import ModelCorrupt

MAGIC = 0x1950A86A20F9469CFC6C
MOST_VALUES = 1 << 28
"""Values of one storage; a gigabyte of float32 is beyond every model that is read here."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Name -> array of every tensor of a state dictionary. Raises ModelCorrupt for anything else."""
    try:
        with path.open("rb") as stream:
            return _read(stream)
    except OSError:
        raise
    except Exception as error:
        # Broken pickles raise whatever the machine stumbles over: EOFError, KeyError, IndexError, struct.error, …
        raise ModelCorrupt(
            f"{path} is not a checkpoint that can be read safely: {error}.",
            "Pull the model again: `tuwen models pull`.",
        ) from error


def _read(stream: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    if _load(stream) != MAGIC:
        raise pickle.UnpicklingError("it is not a torch file of the old kind")
    _load(stream)
    if _load(stream).get("little_endian") is not True:
        raise pickle.UnpicklingError("its byte order is not little-endian")
    named = _load(stream)
    storages: dict[str, _Storage] = {}
    for tensor in named.values():
        storages[tensor.storage.key] = tensor.storage
    values: dict[str, npt.NDArray[Any]] = {}
    for key in _load(stream):
        storage = storages[key]
        count = int.from_bytes(stream.read(8), "little")
        if count != storage.count or not 0 < count <= MOST_VALUES:
            raise pickle.UnpicklingError(f"storage {key} has {count} values, not {storage.count}")
        raw = stream.read(count * np.dtype(storage.dtype).itemsize)
        values[key] = np.frombuffer(raw, dtype=storage.dtype, count=count)
    return {name: _array(tensor, values[tensor.storage.key]) for name, tensor in named.items()}


def _array(tensor: _Tensor, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride, strict=True))
    if min((tensor.offset, *tensor.stride, *(n - 1 for n in tensor.shape))) < 0 or last >= values.size:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = [step * values.itemsize for step in tensor.stride]
    view = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, steps, writeable=False)
    return np.array(view, order="C")


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no storage")
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


_NAMES: dict[tuple[str, str], Callable[..., object] | str] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, reference: Any) -> _Storage:
        kind, dtype, key, _device, count, view = reference
        if kind != "storage" or view is not None or dtype not in {"<f4", "<i8"}:
            raise pickle.UnpicklingError("it refers to something that is not a storage")
        return _Storage(str(key), dtype, int(count))


def _load(stream: BinaryIO) -> Any:
    return _Unpickler(stream).load()
