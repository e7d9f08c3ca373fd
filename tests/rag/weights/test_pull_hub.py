from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ModelMissing
from rag.weights import Progress, locate, pull
from rag.weights.manifest import File, HubFile, Manifest, Model

DATA = bytes(range(256)) * 20_000
PATH = "/org/tiny/resolve/main/weights.bin"
MIRRORED = "/models/org/tiny/resolve/master/weights.bin"


def manifest(data: bytes = DATA) -> Manifest:
    file = File("weights.bin", hashlib.sha256(data).hexdigest(), len(data), (), HubFile("org/tiny", "weights.bin"))
    return Manifest((Model("tiny", "text encoder", "MIT", "", "", (file,)),))


def test_a_file_comes_from_the_hub_and_is_found(hub: Any, tmp_path: Path) -> None:
    hub.files[PATH] = DATA
    seen: list[Progress] = []
    path = pull("tiny", tmp_path, seen.append, hub=hub.url, mirror="", manifest=manifest())
    assert path.read_bytes() == DATA
    assert locate("tiny", tmp_path, manifest()) == path
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert (seen[-1].done, seen[-1].total) == (len(DATA), len(DATA))
    assert {entry.name for entry in path.parent.iterdir()} == {"weights.bin", ".verified.json", ".lock"}


def test_nothing_is_fetched_twice(hub: Any, tmp_path: Path) -> None:
    hub.files[PATH] = DATA
    for _ in range(2):
        pull("tiny", tmp_path, hub=hub.url, mirror="", manifest=manifest())
    assert len(hub.requests) == 1


def test_an_interrupted_download_continues(hub: Any, tmp_path: Path) -> None:
    hub.files[PATH] = DATA
    hub.breaks_after = 1_000_000
    with pytest.raises(ModelMissing):
        pull("tiny", tmp_path, hub=hub.url, mirror="", manifest=manifest())
    kept = sum(file.stat().st_size for file in (tmp_path / "tiny" / ".parts").iterdir())
    assert 0 < kept <= 1_000_000
    assert pull("tiny", tmp_path, hub=hub.url, mirror="", manifest=manifest()).read_bytes() == DATA
    assert hub.requests[-1] == (PATH, f"bytes={kept}-")


def test_a_server_without_ranges_sends_all_again(hub: Any, tmp_path: Path) -> None:
    hub.files[PATH], hub.breaks_after, hub.ranges = DATA, 1_000_000, False
    with pytest.raises(ModelMissing):
        pull("tiny", tmp_path, hub=hub.url, mirror="", manifest=manifest())
    seen: list[Progress] = []
    assert pull("tiny", tmp_path, seen.append, hub=hub.url, mirror="", manifest=manifest()).read_bytes() == DATA
    assert seen[-1].done == len(DATA)


def test_the_mirror_is_asked_when_the_hub_has_it_not(hub: Any, tmp_path: Path) -> None:
    hub.files[MIRRORED] = DATA
    assert pull("tiny", tmp_path, hub=hub.url, mirror=hub.url, manifest=manifest()).read_bytes() == DATA
    assert [path for path, _ in hub.requests] == [PATH, MIRRORED]


def test_other_bytes_are_refused_and_not_kept(hub: Any, tmp_path: Path) -> None:
    hub.files[PATH] = DATA[:-1] + b"!"
    hub.files[MIRRORED] = DATA + b"more"
    with pytest.raises(ModelMissing) as caught:
        pull("tiny", tmp_path, hub=hub.url, mirror=hub.url, manifest=manifest())
    assert "sha256 differs" in caught.value.message
    assert f"more than the {len(DATA)} bytes" in caught.value.message
    assert not (tmp_path / "tiny" / "weights.bin").exists()
    assert not list((tmp_path / "tiny" / ".parts").iterdir())


def test_every_source_and_its_reason_are_listed(hub: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        pull("tiny", tmp_path, hub="http://127.0.0.1:9", mirror=hub.url, manifest=manifest())
    assert "http://127.0.0.1:9/org/tiny" in caught.value.message
    assert f"{hub.url}{MIRRORED}: answered 404" in caught.value.message
    assert "models.hub" in caught.value.remedy
    assert "tuwen models pull tiny" in caught.value.remedy
