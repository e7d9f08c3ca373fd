"""Files inside files, through the whole flow: each is a document, none is lost to a kill, bombs harm nobody."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from api import wiring
from api.settings import Settings
from ingest.chunkers.headings import HeadingChunker
from ingest.embedding import Models
from ingest.events import FileEvent, Report
from ingest.files import find
from ingest.pipeline import Pipeline
from ingest.protocols import Limits
from ingest.reading import UNPACKED
from ingest.worker import ParseWorker
from rag.fakes import HashingTextEncoder
from rag.stores.exact import ExactVectorStore
from rag.stores.index import VectorIndex
from rag.stores.library import SqliteLibrary
from tests.support.bombs import gzip_of_zeros, zip_in_zip, zip_of_zeros, zipped
from tests.support.light import LIGHT


class Bench:
    def __init__(self, tmp_path: Path, limits: Limits) -> None:
        self.files = tmp_path / "files"
        self.files.mkdir(exist_ok=True)
        self.data = tmp_path / "data"
        self.library = SqliteLibrary(self.data)
        encoder = HashingTextEncoder()
        index = VectorIndex(self.library, ExactVectorStore(), {"text": encoder.space.id, "entries": encoder.space.id})
        self.library.register(encoder.space)
        self.pipeline = Pipeline(
            self.library,
            HeadingChunker(count_tokens=encoder.count_tokens, max_tokens=64),
            lambda: Models(lambda: index, encoder),
            partial(ParseWorker, partial(wiring.toolbox, Settings(data=self.data, **LIGHT))),
            "toolbox 1",
            limits=limits,
        )

    def run(self, **options: object) -> Report:
        return self.pipeline.run(find([self.files]), "default", **options)  # type: ignore[arg-type]

    def names(self) -> list[str]:
        return sorted(stored.document.name for stored in self.library.documents())

    def text(self, name: str) -> str:
        stored = next(stored for stored in self.library.documents() if stored.document.name == name)
        return "\n".join(chunk.text for chunk in self.library.chunks(stored.document.id))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Limits(seconds=60))


_INNER = {"notes/a.md": b"# A\n\nFirst note, [b](b.md).\n", "table.csv": b"a,b\n1,2\n"}


def test_every_file_inside_is_a_document(bench: Bench) -> None:
    (bench.files / "all.zip").write_bytes(
        zipped({**_INNER, "more.zip": zipped({"c.txt": b"third"}), "x.exe": b"MZ\x90\0\0"})
    )
    (bench.files / "plain.txt").write_text("beside it")
    report = bench.run()
    assert bench.names() == [
        "all.zip",
        "all.zip/more.zip",
        "all.zip/more.zip/c.txt",
        "all.zip/notes/a.md",
        "all.zip/table.csv",
        "plain.txt",
    ]
    assert [event.name for event in report.failures] == ["all.zip/x.exe"]
    assert bench.text("all.zip/more.zip/c.txt") == "third"
    assert "notes/a.md" in bench.text("all.zip")
    assert not list(bench.data.glob(f"{UNPACKED}*"))
    again = bench.run()
    assert again.states == {"unchanged": 2}


def test_members_come_before_the_archive(bench: Bench) -> None:
    """Once the archive is there, a later run skips it: everything in it has to be settled by then."""
    members = {f"{number:03d}.txt": f"Text number {number}. ".encode() * 20 for number in range(30)}
    (bench.files / "many.zip").write_bytes(zipped(members))
    order: list[str] = []
    bench.run(on_event=lambda event: order.append(event.name) if event.state == "published" else None)
    assert len(order) == 31
    assert order[-1] == "many.zip"


def test_an_interrupted_archive_goes_on(bench: Bench) -> None:
    members = {f"{number:03d}.txt": f"Text number {number}. ".encode() * 200 for number in range(40)}
    (bench.files / "many.zip").write_bytes(zipped(members))
    cancel = threading.Event()

    def stop(event: FileEvent) -> None:
        if event.state == "published":
            cancel.set()

    bench.run(on_event=stop, cancel=cancel)
    assert 0 < len(bench.names()) < 41
    assert "many.zip" not in bench.names()
    report = bench.run()
    assert len(bench.names()) == 41
    assert report.states["unchanged"] >= 1
    assert not list(bench.data.glob(f"{UNPACKED}*"))


def test_what_a_killed_run_left_is_removed(bench: Bench) -> None:
    (bench.data / f"{UNPACKED}old").mkdir()
    (bench.data / f"{UNPACKED}old" / "x.txt").write_text("left")
    bench.run()
    assert not list(bench.data.glob(f"{UNPACKED}*"))


def test_bombs_are_one_error_each_and_the_rest_goes_on(bench: Bench) -> None:
    for name, data in (("zip.zip", zip_of_zeros()), ("gz.gz", gzip_of_zeros()), ("deep.zip", zip_in_zip(10))):
        (bench.files / name).write_bytes(data)
    (bench.files / "fine.zip").write_bytes(zipped({"a.txt": b"still read"}))
    report = bench.run()
    failed = {event.name: event for event in report.failures}
    assert sorted(failed) == ["deep.zip/level 8.zip/level 7.zip/level 6.zip", "gz.gz", "zip.zip"]
    assert all(event.error == "LimitExceeded" and event.remedy for event in failed.values())
    assert "fine.zip/a.txt" in bench.names()


def test_nested_archives_share_one_budget(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(archive_entries=12))
    inner = {f"{number}.zip": zipped({f"{letter}.txt": letter.encode() for letter in "abcd"}) for number in range(4)}
    (bench.files / "wide.zip").write_bytes(zipped(inner))
    report = bench.run()
    assert {event.error for event in report.failures} == {"LimitExceeded"}
    assert sum(name.endswith(".txt") for name in bench.names()) <= 8


def test_failed_members_are_tried_again_on_demand(bench: Bench) -> None:
    (bench.files / "a.zip").write_bytes(zipped({"good.txt": b"good", "bad.bin": bytes(range(256))}))
    assert bench.run().states == {"published": 2, "failed": 1}
    assert bench.run().states == {"unchanged": 1}
    assert bench.run(retry_failed=True).states["failed"] == 1
