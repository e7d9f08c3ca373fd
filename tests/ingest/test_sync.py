"""What is gone from a folder, and what changes in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ingest.sync import vanished, watch
from rag.errors import BadRequest


class Known:
    """A library that knows documents by their files."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    def sources(self, _: str) -> list[tuple[str, str, str]]:
        return [(f"id {path.name}", path.name, str(path)) for path in self._paths] + [("upload", "upload.txt", "")]


def test_only_what_lay_below_the_folder_is_gone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "kept.txt").write_text("kept")
    known = Known(inside / "kept.txt", inside / "gone.txt", outside / "elsewhere.txt")
    assert vanished(known, "default", [inside]) == [("id gone.txt", "gone.txt")]  # type: ignore[arg-type]


def test_an_empty_folder_is_suspicious(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="mount"):
        vanished(Known(tmp_path / "a.txt"), "default", [tmp_path])  # type: ignore[arg-type]


def test_changes_are_seen_when_they_have_settled(tmp_path: Path) -> None:
    stop = threading.Event()
    (tmp_path / "a.txt").write_text("a")
    seen = 0
    for _ in watch([tmp_path], 0.02, stop):
        seen += 1
        if seen == 1:
            (tmp_path / "b.txt").write_text("b")
        elif seen == 2:
            (tmp_path / "a.txt").unlink()
        else:
            stop.set()
    assert seen == 3
