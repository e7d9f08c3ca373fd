from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.encoders.torch_pickle import MAGIC, read_tensors
from rag.errors import ModelCorrupt

PROTOCOL = 2


class Named:
    """Pickled as a reference to a name of a module that need not be there."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Writer(pickle._Pickler):  # the Python pickler: its `save` can be told to write a bare name
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Named):
            self.write(b"c" + obj.module.encode() + b"\n" + obj.name.encode() + b"\n")
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj: Any) -> Any:
        return obj.reference if isinstance(obj, Reference) else None


class Reference:
    def __init__(self, key: str, count: int, kind: str = "FloatStorage") -> None:
        self.reference = ("storage", Named("torch", kind), key, "cpu", count, None)


class Call:
    def __init__(self, function: Named, *args: object) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> Any:
        return _placeholder, self.args


def _placeholder(*args: object) -> None: ...


def tensor(reference: Reference, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    return Rebuilt(reference, offset, shape, stride)


class Rebuilt:
    def __init__(self, *args: object) -> None:
        self.args = (*args, False, OrderedDict())


def dump(out: io.BytesIO, value: object) -> None:
    class Full(Writer):
        def save(self, obj: Any, save_persistent_id: bool = True) -> None:
            if isinstance(obj, Rebuilt | Call):
                function = obj.function if isinstance(obj, Call) else Named("torch._utils", "_rebuild_tensor_v2")
                self.save(function)
                self.save(obj.args)
                self.write(pickle.REDUCE)
            else:
                super().save(obj, save_persistent_id)

    Full(out, PROTOCOL).dump(value)


def checkpoint(named: object, storages: dict[str, np.ndarray]) -> bytes:
    out = io.BytesIO()
    for part in (MAGIC, 1001, {"little_endian": True, "protocol_version": 1001}, named, list(storages)):
        dump(out, part)
    for values in storages.values():
        out.write(len(values).to_bytes(8, "little") + values.tobytes())
    return out.getvalue()


def write(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def test_tensors_with_strides_offsets_and_shared_storages(tmp_path: Path) -> None:
    values = np.arange(12, dtype="<f4")
    both = Reference("7", 12)
    named = OrderedDict(
        rows=tensor(both, 0, (3, 4), (4, 1)),
        columns=tensor(both, 0, (3, 4), (1, 3)),
        part=tensor(both, 5, (2,), (3,)),
        scalar=tensor(Reference("8", 1, "LongStorage"), 0, (), ()),
    )
    found = read_tensors(write(tmp_path / "x.pth", checkpoint(named, {"7": values, "8": np.array([41], dtype="<i8")})))
    assert found["rows"].tolist() == values.reshape(3, 4).tolist()
    assert found["columns"].tolist() == values.reshape(4, 3).T.tolist()
    assert found["part"].tolist() == [5, 8]
    assert found["scalar"].shape == ()
    assert int(found["scalar"]) == 41


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("posix", "system")]
)
def test_no_other_name_is_ever_called(tmp_path: Path, module: str, name: str) -> None:
    mark = tmp_path / "ran"
    raw = checkpoint(OrderedDict(x=Call(Named(module, name), f"touch {mark}")), {})
    with pytest.raises(ModelCorrupt, match="asks for"):
        read_tensors(write(tmp_path / "x.pth", raw))
    assert not mark.exists()


def test_a_plain_pickle_with_a_payload_is_refused_at_its_first_byte(tmp_path: Path) -> None:
    out = io.BytesIO()
    dump(out, Call(Named("os", "system"), "true"))
    with pytest.raises(ModelCorrupt, match=r"os\.system"):
        read_tensors(write(tmp_path / "x.pth", out.getvalue()))


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [(0, (5,), (1,)), (3, (2,), (1,)), (0, (2, 2), (3, 1)), (-1, (1,), (1,)), (0, (2,), (-1,))],
)
def test_a_tensor_beyond_its_storage_is_refused(
    tmp_path: Path, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    raw = checkpoint(OrderedDict(x=tensor(Reference("1", 4), offset, shape, stride)), {"1": np.zeros(4, dtype="<f4")})
    with pytest.raises(ModelCorrupt):
        read_tensors(write(tmp_path / "x.pth", raw))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_model_corrupt_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    raw = bytearray(
        checkpoint(OrderedDict(x=tensor(Reference("1", 4), 0, (4,), (1,))), {"1": np.zeros(4, dtype="<f4")})
    )
    cut = data.draw(st.integers(0, len(raw)))
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = write(tmp_path_factory.getbasetemp() / "damaged.pth", bytes(raw[:cut]))
    try:
        found = read_tensors(path)
    except ModelCorrupt:
        return
    assert all(isinstance(value, np.ndarray) for value in found.values())
