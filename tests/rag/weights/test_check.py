from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rag.errors import ModelCorrupt, ModelMissing
from rag.weights import Manifest, locate, models_status, verify
from rag.weights.manifest import File, Model

DATA = b"weights" * 1000


def _manifest() -> Manifest:
    file = File("model.onnx", hashlib.sha256(DATA).hexdigest(), len(DATA))
    return Manifest((Model("tiny", "text encoder", "MIT", "", "", (file,)),))


def _put(models: Path, data: bytes = DATA) -> Path:
    path = models / "tiny" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def _state(models: Path) -> str:
    return models_status(models, _manifest())[0].state


def test_a_file_put_there_by_hand_is_found(tmp_path: Path) -> None:
    path = _put(tmp_path)
    assert locate("tiny", tmp_path, _manifest()) == path
    assert _state(tmp_path) == "ready"


def test_missing_says_what_to_run(tmp_path: Path) -> None:
    assert _state(tmp_path) == "missing"
    with pytest.raises(ModelMissing, match="tuwen models pull tiny"):
        locate("tiny", tmp_path, _manifest())
    with pytest.raises(ModelMissing):
        verify("tiny", tmp_path, _manifest())


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    path = _put(tmp_path)
    locate("tiny", tmp_path, _manifest())
    changed = bytearray(DATA)
    changed[100] ^= 1
    path.write_bytes(changed)
    os.utime(path, ns=(1, 1))
    assert _state(tmp_path) == "corrupt"
    with pytest.raises(ModelCorrupt, match=r"model\.onnx"):
        locate("tiny", tmp_path, _manifest())


def test_a_second_start_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(tmp_path)
    locate("tiny", tmp_path, _manifest())

    def never(*_: object) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr("rag.weights.check.sha256_of", never)
    locate("tiny", tmp_path, _manifest())
    with pytest.raises(AssertionError, match="hashed again"):
        verify("tiny", tmp_path, _manifest())


def test_verify_sees_what_the_stamp_cannot(tmp_path: Path) -> None:
    path = _put(tmp_path)
    locate("tiny", tmp_path, _manifest())
    before = path.stat()
    with path.open("r+b") as file:  # same size, inode and time: a disk error, or malice
        file.write(b"W")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    locate("tiny", tmp_path, _manifest())
    with pytest.raises(ModelCorrupt):
        verify("tiny", tmp_path, _manifest())


@pytest.mark.parametrize("stamp", ["", "[]", "{", '{"model.onnx": 3}'])
def test_a_broken_stamp_only_costs_a_reading(tmp_path: Path, stamp: str) -> None:
    _put(tmp_path)
    (tmp_path / "tiny" / ".verified.json").write_text(stamp)
    assert _state(tmp_path) == "ready"
