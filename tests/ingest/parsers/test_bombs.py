"""Hostile files through the real worker: read, or refused with a clear error; never a crash or a hang, and the next file is fine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from api import wiring
from api.settings import Settings
from ingest.protocols import Limits, Source
from ingest.worker import ParseWorker
from rag.errors import FileError
from tests.support import bombs
from tests.support.light import LIGHT

SLOW = {"form-in-itself.pdf", "paints-for-ever.pdf", "outline-in-a-circle.pdf", "empty-rows.xlsx"}
"""These run into a limit of time, end the process, or are long to read."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParseWorker]:
    settings = Settings(data=tmp_path_factory.mktemp("data"), **LIGHT)
    made = ParseWorker(partial(wiring.toolbox, settings), memory=1_500_000_000)
    yield made
    made.close()


def read(worker: ParseWorker, path: Path, seconds: float = 120.0) -> list[str]:
    source = Source(path, path.name, "", Limits(seconds=seconds), members=path.parent / "members")
    return [element.text for page in worker.parse(source).pages for element in page.elements]


def check_alive(worker: ParseWorker, folder: Path) -> None:
    (folder / "next.txt").write_text("The next file.")
    assert read(worker, folder / "next.txt") == ["The next file."]


def named(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


@pytest.mark.parametrize("name", named(list(bombs.READ)))
def test_what_can_be_read_is_read(worker: ParseWorker, tmp_path: Path, name: str) -> None:
    if name.endswith(".rtf") and find_spec("kreuzberg") is None:
        pytest.skip("needs the extra formats")
    texts = read(worker, bombs.write(tmp_path, name))
    if name.endswith(".pdf"):
        assert texts == ["Found in spite of everything"]
    assert sum(map(len, texts)) < 1_000_000
    check_alive(worker, tmp_path)


@pytest.mark.parametrize("name", named(list(bombs.REFUSED)))
def test_what_cannot_be_read_says_so(worker: ParseWorker, tmp_path: Path, name: str) -> None:
    path, expected = bombs.write(tmp_path, name), bombs.REFUSED[name][1]
    with pytest.raises(FileError) as caught:
        # What grows until its memory ends must not be stopped by the clock of a slow machine before that.
        read(worker, path, seconds=5.0 if name in SLOW and expected != "OutOfMemory" else 120.0)
    assert type(caught.value).__name__ == expected, str(caught.value)
    assert name in caught.value.message
    assert caught.value.remedy
    assert not list((tmp_path / "members").rglob("*.txt")) or name == "many.zip"
    check_alive(worker, tmp_path)


def test_nothing_is_written_outside_of_the_folder(worker: ParseWorker, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name, make in (("climbs.zip", bombs.zip_that_climbs), ("links.tar", bombs.tar_with_links)):
        path = tmp_path / "a" / name
        path.write_bytes(make())
        texts = read(worker, path)
        assert len(texts) == 1
    written = sorted(path.relative_to(tmp_path / "a").as_posix() for path in tmp_path.rglob("*.txt"))
    assert written == [
        "members/C_/windows/drive.txt",
        "members/etc/absolute.txt",
        "members/honest.txt",
        "members/link/under.txt",
        "members/outside.txt",
    ]
    assert not Path("/tmp/under.txt").exists()


def test_a_vast_picture_inside_a_page_is_left_out(worker: ParseWorker, tmp_path: Path) -> None:
    (tmp_path / "vast.png").write_bytes(bombs.png_of(20_000, 20_000))
    (tmp_path / "page.md").write_text("# Title\n\n![vast](vast.png)\n\nText.\n")
    source = Source(tmp_path / "page.md", "page.md", "", root=tmp_path)
    pages = list(worker.parse(source).pages)
    assert [e.text for page in pages for e in page.elements if e.kind == "paragraph"] == ["Text."]
    assert any("megapixels" in warning for page in pages for warning in page.warnings)
