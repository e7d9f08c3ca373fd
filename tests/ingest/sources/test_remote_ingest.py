"""Remote files through the pipeline: fetched once, known again by their mark, resumable, never mistaken for moved ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from ingest.chunkers.headings import HeadingChunker
from ingest.embedding import Models
from ingest.events import Report
from ingest.files import InputFile, is_remote
from ingest.jobs import Jobs
from ingest.pipeline import Pipeline
from ingest.protocols import Limits
from ingest.sources.objects import FsspecRemote
from ingest.sources.remote import IsStopped, Sources
from ingest.sync import vanished_remote
from ingest.worker import ParseWorker, Toolbox
from rag.errors import BadRequest, Unavailable, Unreachable
from rag.fakes import HashingTextEncoder
from rag.stores.exact import ExactVectorStore
from rag.stores.index import VectorIndex
from rag.stores.library import SqliteLibrary
from rag.stores.records import Look
from tests.support.hostile import build, build_markdown


@dataclass
class Shelf:
    """A Remote in memory that counts what is read from it."""

    texts: dict[str, str] = field(default_factory=dict)
    marks: bool = True
    fetched: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def files(self, place: str) -> Iterator[InputFile]:
        for name, text in self.texts.items():
            yield InputFile(Path(name), name, f"{place}/{name}", size=len(text), mark=text if self.marks else "")

    def mark(self, url: str) -> str:
        self.asked.append(url)
        return self.texts.get(url.rpartition("/")[2], "")

    def fetch(self, url: str, path: Path, limits: Limits, stopped: IsStopped) -> None:
        name = url.rpartition("/")[2]
        self.fetched.append(name)
        if name not in self.texts:
            raise Unreachable(f"{url} is not there any more.", "Look.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.texts[name])

    def beside(self, url: str, name: str, link: str) -> Sequence[str]:
        return (f"{url.rpartition('/')[0]}/{link}",)

    def below(self, place: str, url: str) -> bool:
        return url.startswith(f"{place}/")


@dataclass
class Remembering:
    """Keeps looks, and notes how many documents were published when it did."""

    library: SqliteLibrary
    at_documents: list[int] = field(default_factory=list)

    def __call__(self, collection: str, looks: Mapping[str, Look]) -> None:
        self.at_documents.append(len(self.library.documents()))
        SqliteLibrary.remember_looks(self.library, collection, looks)


@dataclass
class Bench:
    library: SqliteLibrary
    shelf: Shelf
    sources: Sources
    index: VectorIndex
    encoder: HashingTextEncoder
    version: str = "toolbox 1"
    toolbox: Callable[[], Toolbox] = build

    def run(self, place: str | Path = "shelf://files", files: list[InputFile] | None = None) -> Report:
        pipeline = Pipeline(
            self.library,
            HeadingChunker(count_tokens=self.encoder.count_tokens, max_tokens=64),
            lambda: Models(lambda: self.index, self.encoder),
            partial(ParseWorker, self.toolbox),
            self.version,
            limits=Limits(bytes=1_000),
            sources=self.sources,
        )
        return pipeline.run(files if files is not None else self.sources.files([place]), "default")

    def names(self) -> list[str]:
        return [stored.document.name for stored in self.library.documents()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    library, encoder, shelf = SqliteLibrary(tmp_path / "data"), HashingTextEncoder(), Shelf()
    index = VectorIndex(library, ExactVectorStore(), {"text": encoder.space.id, "entries": encoder.space.id})
    library.register(encoder.space)
    shelf.texts = {"a.txt": "the first file", "b.txt": "the second file"}
    return Bench(library, shelf, Sources({"shelf": lambda: shelf}), index, encoder)


def test_a_second_run_reads_only_what_has_changed(bench: Bench) -> None:
    assert bench.run().states == {"published": 2}
    bench.shelf.fetched.clear()
    assert bench.run().states == {"unchanged": 2}
    assert bench.shelf.fetched == []
    bench.shelf.texts["b.txt"] = "the second file, changed"
    assert bench.run().states == {"unchanged": 1, "published": 1}
    assert bench.shelf.fetched == ["b.txt"]
    assert [path for path in bench.library.folder.iterdir() if path.name.startswith("unpacked-")] == []
    assert {source for _, _, source in bench.library.sources("default")} == {
        "shelf://files/a.txt",
        "shelf://files/b.txt",
    }


def test_marks_that_the_listing_does_not_tell_are_asked_for(bench: Bench) -> None:
    bench.shelf.marks = False
    bench.run()
    bench.shelf.fetched.clear()
    assert bench.run().states == {"unchanged": 2}
    assert bench.shelf.fetched == []
    assert bench.shelf.asked == ["shelf://files/a.txt", "shelf://files/b.txt"] * 2


def test_files_without_a_mark_are_read_again_and_found_unchanged(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.shelf.marks = False
    monkeypatch.setattr(Shelf, "mark", lambda *_: "")
    bench.run()
    bench.shelf.fetched.clear()
    assert bench.run().states == {"unchanged": 2}
    assert bench.shelf.fetched == ["a.txt", "b.txt"]


def test_other_settings_take_the_librarys_own_copy(bench: Bench) -> None:
    bench.run()
    bench.shelf.fetched.clear()
    bench.version = "toolbox 2"
    assert bench.run().states == {"published": 2}
    assert bench.shelf.fetched == []


def test_what_was_fetched_is_known_while_the_run_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a kill would have everything fetched again."""
    monkeypatch.setattr("ingest.writing._FLUSH_SECONDS", -1.0)
    monkeypatch.setattr("ingest.writing._TOGETHER", 1)
    monkeypatch.setattr(bench.library, "remember_looks", remember := Remembering(bench.library))
    bench.run()
    assert remember.at_documents[0] == 1


def test_a_deleted_document_is_fetched_again(bench: Bench) -> None:
    bench.run()
    bench.library.delete(bench.library.documents()[0].document.id)
    bench.shelf.fetched.clear()
    assert bench.run().states == {"published": 1, "unchanged": 1}
    assert bench.shelf.fetched == ["a.txt"]


def test_what_is_gone_or_too_large_fails_alone_and_is_asked_for_again(bench: Bench) -> None:
    files = list(bench.sources.files(["shelf://files"]))
    del bench.shelf.texts["a.txt"]
    report = bench.run(files=files)
    assert report.states == {"published": 1, "failed": 1}
    assert report.failures[0].error == "Unreachable"
    bench.shelf.texts["a.txt"] = "back again"
    bench.shelf.texts["big.txt"] = "x" * 2_000
    bench.shelf.fetched.clear()
    report = bench.run()
    assert report.states == {"published": 1, "unchanged": 1, "failed": 1}
    assert report.failures[0].error == "LimitExceeded"
    assert bench.shelf.fetched == ["a.txt"]


def test_remote_documents_are_not_taken_for_moved_ones(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    copy = tmp_path / "here" / "copy.txt"
    copy.parent.mkdir()
    copy.write_text("the first file")
    assert bench.run(copy).states == {"published": 1}
    assert bench.names() == ["a.txt", "b.txt", "copy.txt"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("another file of this name")
    report = bench.run(tmp_path / "other" / "a.txt")
    assert "shelf://files/a.txt has this name already" in report.failures[0].message


def test_jobs_keep_the_address(bench: Bench) -> None:
    jobs = Jobs(bench.library)
    jobs.add(bench.sources.files(["shelf://files"]), "default")
    taken = jobs.take("default")
    assert taken is not None
    again = jobs.input(taken)
    assert (again.remote, again.source, again.name, taken.size) == (True, "shelf://files/a.txt", "a.txt", 14)
    assert bench.run(files=[again]).states == {"published": 1}


def test_sync_deletes_what_is_gone_from_the_place(bench: Bench) -> None:
    bench.run()
    del bench.shelf.texts["a.txt"]
    gone = vanished_remote(bench.library, "default", bench.shelf, "shelf://files")
    assert [name for _, name in gone] == ["a.txt"]
    assert vanished_remote(bench.library, "default", bench.shelf, "shelf://other") == []


def test_a_scheme_that_is_not_allowed_says_which_are(bench: Bench) -> None:
    with pytest.raises(BadRequest, match="shelf://"):
        list(bench.sources.files(["ftp://example.org/x"]))
    assert is_remote("s3://bucket/x")
    assert not is_remote("C:\\files")
    assert not is_remote("/tmp/a:b//c")


def test_fsspec_lists_folders_and_files(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory, bucket = fsspec.filesystem("memory"), f"/{tmp_path.name}"
    for name in ("2024/a.txt", "2024/deep/b.txt", ".hidden/c.txt", "c.txt"):
        memory.pipe(f"{bucket}/{name}", f"text of {name}".encode())
    remote = FsspecRemote("memory")
    found = {file.name: file for file in remote.files(f"memory:/{bucket}")}
    assert list(found) == ["c.txt", "2024/a.txt", "2024/deep/b.txt"]
    assert found["c.txt"].size == 13
    assert [file.name for file in remote.files(f"memory:/{bucket}/2024/a.txt")] == ["a.txt"]
    target = tmp_path / "fetched" / "file"
    remote.fetch(found["2024/deep/b.txt"].source, target, Limits(), lambda: False)
    assert target.read_text() == "text of 2024/deep/b.txt"
    assert remote.below(f"memory:/{bucket}/2024", found["2024/a.txt"].source)
    assert not remote.below(f"memory:/{bucket}/20", found["2024/a.txt"].source)
    with pytest.raises(BadRequest, match="no file at"):
        list(remote.files(f"memory:/{bucket}/nothing"))
    with pytest.raises(BadRequest, match="addresses inside addresses"):
        list(remote.files("zip::memory://x"))
    with pytest.raises(Unreachable, match="not there"):
        remote.fetch(f"memory:/{bucket}/none", target, Limits(), lambda: False)


def test_s3_is_read_and_known_again(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a server that speaks S3."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    server = server_module.ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        s3 = FsspecRemote("s3", endpoint_url=f"http://{host}:{port}", skip_instance_cache=True)
        s3._fs.mkdir("reports")
        for name, number in itertools.product(("2023", "2024"), range(3)):
            s3._fs.pipe(f"reports/all/{name}/{number}.txt", f"report {number} of {name}".encode())
        bench.sources = Sources({"s3": lambda: s3})
        assert bench.run("s3://reports/all").states == {"published": 6}
        assert bench.names()[0] == "2023/0.txt"
        s3._fs.pipe("reports/all/2024/1.txt", b"report 1 of 2024, corrected")
        s3._fs.invalidate_cache()
        read: list[str] = []
        fetch = FsspecRemote.fetch
        monkeypatch.setattr(
            FsspecRemote,
            "fetch",
            lambda self, url, *more: read.append(url) or fetch(self, url, *more),  # type: ignore[func-returns-value]
        )
        assert bench.run("s3://reports/all").states == {"published": 1, "unchanged": 5}
        assert read == ["s3://reports/all/2024/1.txt"]
        with pytest.raises((BadRequest, Unavailable)):
            list(s3.files("s3://no-such-bucket/x"))
    finally:
        server.stop()


def test_pictures_beside_a_remote_document_come_with_it(bench: Bench, tmp_path: Path) -> None:
    import fsspec
    from PIL import Image

    memory, place = fsspec.filesystem("memory"), f"/{tmp_path.name}"
    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "one.png")
    memory.pipe(f"{place}/notes/img/one.png", (tmp_path / "one.png").read_bytes())
    memory.pipe(f"{place}/notes/a.md", b"# Stones\n\n![A red stone](img/one.png)\n\n![Gone](img/two.png)\n")
    sources = Sources({"memory": lambda: FsspecRemote("memory")})
    bench.sources, bench.toolbox = sources, build_markdown
    files = [file for file in sources.files([f"memory:/{place}/notes"]) if file.name == "a.md"]
    assert bench.run(files=files).states == {"published": 1}
    (stored,) = bench.library.documents()
    images = [chunk for chunk in bench.library.chunks(stored.document.id) if chunk.kind == "image"]
    assert [image.entries[0].text for image in images] == ["A red stone"]
    assert any("img/two.png was not fetched" in warning for warning in stored.warnings)
    assert not list(bench.library.folder.glob("unpacked-*"))
