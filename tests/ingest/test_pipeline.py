"""The file flow: what is new is published, what is known is skipped, what is bad is reported, what is cut off is lost to nobody."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from ingest.chunkers.headings import HeadingChunker
from ingest.embedding import Models
from ingest.events import FileEvent, Report
from ingest.files import InputFile, find
from ingest.pipeline import Pipeline
from ingest.worker import ParseWorker
from rag.errors import BadRequest, EncoderUnavailable
from rag.fakes import HashingTextEncoder
from rag.hashing import sha256_of
from rag.protocols import Vectors
from rag.stores.exact import ExactVectorStore
from rag.stores.index import VectorIndex
from rag.stores.library import SqliteLibrary
from tests.support.hostile import build


class CountingEncoder(HashingTextEncoder):
    """Counts what it embeds; calls `before` first, so that a test can interfere."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.before()
        self.embedded.extend(texts)
        return super().encode_passages(texts)


@dataclass
class Bench:
    folder: Path
    library: SqliteLibrary
    store: ExactVectorStore
    encoder: CountingEncoder
    pipeline: Pipeline
    index: VectorIndex

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, **options: object) -> Report:
        return self.pipeline.run(find([self.folder]), "default", **options)  # type: ignore[arg-type]

    def names(self) -> list[str]:
        return [stored.document.name for stored in self.library.documents()]

    def index_is_whole(self) -> bool:
        return all(state.sound for state in self.index.examine())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    folder = tmp_path / "files"
    folder.mkdir()
    library = SqliteLibrary(tmp_path / "data")
    encoder, store = CountingEncoder(), ExactVectorStore()
    index = VectorIndex(library, store, {"text": encoder.space.id, "entries": encoder.space.id})
    chunker = HeadingChunker(count_tokens=encoder.count_tokens, max_tokens=64)
    worker = partial(ParseWorker, build)
    library.register(encoder.space)
    pipeline = Pipeline(library, chunker, lambda: Models(lambda: index, encoder), worker, "toolbox 1")
    return Bench(folder, library, store, encoder, pipeline, index)


def test_good_files_are_published_and_bad_ones_reported(bench: Bench) -> None:
    bench.write("a.txt", "the first document")
    bench.write("sub/b.txt", "the second document\fwith two pages")
    bench.write("bad.txt", "RAISE")
    bench.write("crash.txt", "CRASH")
    bench.write("empty.txt", "")
    bench.write("blank.txt", "   \n ")
    events: list[FileEvent] = []
    report = bench.run(on_event=events.append)
    assert bench.names() == ["a.txt", "sub/b.txt"]
    assert report.states == {"published": 2, "failed": 4}
    assert {f.name for f in report.failures} == {"bad.txt", "crash.txt", "empty.txt", "blank.txt"}
    assert all(f.message.startswith(f.name) and f.remedy for f in report.failures)
    assert {e.name for e in events if e.state == "published"} == {"a.txt", "sub/b.txt"}
    assert bench.index_is_whole()
    document = bench.library.documents()[1].document
    assert (document.page_count, document.title, document.media_type) == (2, "A title", "text/plain")


def test_a_person_s_file_is_embedded_before_what_a_bulk_load_has_read(bench: Bench) -> None:
    bench.write("bulk.txt", "\f".join(f"page {n} " + f"words of page {n} " * 12 for n in range(400)))
    bench.write("mine.txt", "a short letter\fof two pages")
    both_read = threading.Event()

    def files() -> Iterator[InputFile]:
        yield InputFile(bench.folder / "bulk.txt", "bulk.txt")
        yield InputFile(bench.folder / "mine.txt", "mine.txt", urgent=True)
        both_read.set()

    def wait() -> None:
        both_read.wait(20)

    bench.encoder.before = wait
    told: list[FileEvent] = []
    report = bench.pipeline.run(files(), "default", told.append)
    assert report.chunks > 300
    assert [event.name for event in told if event.state == "published"] == ["mine.txt", "bulk.txt"]
    # That reading has ended is told before the embedding does.
    states = [event.state for event in told if event.name == "bulk.txt"]
    assert states.index("embedding") < states.index("published")
    embedding = next(n for n, event in enumerate(told) if (event.name, event.state) == ("bulk.txt", "embedding"))
    assert embedding < next(n for n, event in enumerate(told) if event.state == "published")


def test_unchanged_files_cost_nothing(bench: Bench) -> None:
    bench.write("a.txt", "the first document")
    bench.write("bad.txt", "RAISE")
    bench.run()
    bench.encoder.embedded.clear()
    opened: list[int] = []
    bench.pipeline._open_models = lambda: opened.append(1) or Models(lambda: bench.index, bench.encoder)  # type: ignore[func-returns-value]
    report = bench.run()
    assert report.states == {"unchanged": 1, "failed": 1}
    assert opened == []
    assert bench.encoder.embedded == []
    assert "ZeroDivisionError" in report.failures[0].message


def test_failed_files_are_tried_again_on_demand(bench: Bench) -> None:
    bench.write("bad.txt", "RAISE")
    bench.run()
    events: list[FileEvent] = []
    bench.run(on_event=events.append)
    bench.run(on_event=events.append, retry_failed=True)
    assert [e.state for e in events] == ["failed", "failed"]
    bench.write("bad.txt", "mended now")
    assert bench.run().states == {"published": 1}
    assert bench.library.failures() == []


def test_only_changed_chunks_are_embedded_again(bench: Bench) -> None:
    pages = [f"page {n} " + "words of this page " * 12 for n in range(20)]
    bench.write("a.txt", "\f".join(pages))
    bench.run()
    everything = len(bench.encoder.embedded)
    bench.encoder.embedded.clear()
    pages[7] = "a different page " + "with other words " * 12
    bench.write("a.txt", "\f".join(pages))
    bench.run()
    assert 1 <= len(bench.encoder.embedded) <= 3 < everything
    assert len(bench.library.documents()) == 1
    assert bench.index_is_whole()


def test_one_paragraph_of_a_long_text_moves_few_boundaries(bench: Bench) -> None:
    paragraphs = [f"Paragraph {n} is about {'oats and rye ' * (n % 7 + 3)}in field {n * n % 97}." for n in range(600)]
    bench.write("long.txt", "\n\n".join(paragraphs))
    first = bench.run()
    paragraphs[100] += " In the year after it was sold, and the house was let to two sisters who kept bees there."
    bench.write("long.txt", "\n\n".join(paragraphs))
    assert first.chunks > 50
    assert 1 <= bench.run().embedded <= 5


def test_the_same_text_is_embedded_once(bench: Bench) -> None:
    for n in range(5):
        bench.write(f"{n}.txt", "the very same text")
    bench.run()
    assert len(bench.encoder.embedded) == 1
    assert len(bench.names()) == 5


def test_a_changed_file_that_is_broken_keeps_its_old_version(bench: Bench) -> None:
    bench.write("a.txt", "the good version")
    bench.run()
    bench.write("a.txt", "RAISE")
    report = bench.run()
    assert report.states == {"failed": 1}
    assert bench.names() == ["a.txt"]


def test_other_settings_parse_again_and_embed_nothing_anew(bench: Bench) -> None:
    bench.write("a.txt", "the first document")
    bench.run()
    bench.encoder.embedded.clear()
    p = bench.pipeline
    other = Pipeline(bench.library, p._chunker, p._open_models, p._make_worker, "toolbox 2")
    assert other.run(find([bench.folder]), "default").states == {"published": 1}
    assert bench.encoder.embedded == []


def test_two_files_of_one_name_do_not_overwrite_each_other(bench: Bench, tmp_path: Path) -> None:
    bench.write("a.txt", "the first")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("the second")
    report = bench.pipeline.run(find([bench.folder, other]), "default")
    assert report.states == {"published": 1, "failed": 1}
    later = bench.pipeline.run(find([other]), "default")
    assert "has this name already" in later.failures[0].message
    assert bench.pipeline.run(find([other]), "another").states == {"published": 1}


def test_one_file_may_be_named_in_two_ways(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("a.txt", "the first")
    monkeypatch.chdir(bench.folder)
    relative = InputFile(Path("a.txt"), "a.txt", "a.txt", Path())
    assert bench.pipeline.run([relative], "default").states == {"published": 1}
    (bench.folder / "a.txt").write_text("changed")
    whole = InputFile(bench.folder / "a.txt", "a.txt", str(bench.folder / "a.txt"), bench.folder)
    assert bench.pipeline.run([whole], "default").states == {"published": 1}


def test_a_cancelled_run_keeps_what_was_published(bench: Bench) -> None:
    for n in range(30):
        bench.write(f"{n:02}.txt", f"document {n} " * 40)
    cancel = threading.Event()

    def stop_after_five(event: FileEvent) -> None:
        if event.state == "published" and event.name == "05.txt":
            cancel.set()

    report = bench.run(on_event=stop_after_five, cancel=cancel)
    assert report.cancelled
    published = len(bench.names())
    assert 5 <= published < 30
    assert bench.index_is_whole()
    assert bench.run().states == {"published": 30 - published, "unchanged": published}


def test_a_dead_encoder_ends_the_run_and_the_next_one_goes_on(bench: Bench) -> None:
    for n in range(10):
        bench.write(f"{n}.txt", f"document {n}")

    def fail() -> None:
        raise EncoderUnavailable("The encoder does not answer.", "Start it.")

    bench.encoder.before = fail
    with pytest.raises(EncoderUnavailable):
        bench.run()
    bench.encoder.before = lambda: None
    assert bench.run().states == {"published": 10}


def test_a_document_deleted_under_way_does_not_take_vectors_from_another(bench: Bench) -> None:
    bench.write("a.txt", "the very same text")
    bench.run()
    (bench.folder / "a.txt").unlink()
    bench.write("b.txt", "the very same text")
    first = bench.library.documents()[0].document.id
    checked = bench.library.missing_vectors

    def delete_after_the_check(*arguments: object) -> list[str]:
        missing = checked(*arguments)  # type: ignore[arg-type]
        if bench.library.documents() and not missing:
            bench.library.delete(first)
        return missing

    bench.library.missing_vectors = delete_after_the_check  # type: ignore[method-assign]
    assert bench.run().states == {"published": 1}
    assert bench.names() == ["b.txt"]
    assert bench.index_is_whole()


def test_several_workers_give_the_same_library(bench: Bench, tmp_path: Path) -> None:
    for n in range(12):
        bench.write(f"{n}.txt", f"document {n} " * 30)
    bench.run()
    other = SqliteLibrary(tmp_path / "other")
    index = VectorIndex(other, ExactVectorStore(), {"text": bench.encoder.space.id})
    other.register(bench.encoder.space)
    p, models = bench.pipeline, Models(lambda: index, bench.encoder)
    Pipeline(other, p._chunker, lambda: models, p._make_worker, "toolbox 1", workers=3).run(
        find([bench.folder]), "default"
    )
    first = {s.document.name: bench.library.chunks(s.document.id) for s in bench.library.documents()}
    assert {s.document.name: other.chunks(s.document.id) for s in other.documents()} == first


def _archive(path: Path, members: dict[str, str]) -> None:
    """What the obedient toolbox unpacks: see tests/support/hostile.py."""
    path.write_text("ARCHIVE\n" + "\n".join(f"{name}={text}" for name, text in members.items()))


def test_a_changed_archive_loses_what_is_not_in_it_any_more(bench: Bench) -> None:
    _archive(bench.folder / "a.arc", {"one.txt": "first member", "two.txt": "second member", "bad.txt": "RAISE"})
    bench.run()
    assert bench.names() == ["a.arc", "a.arc/one.txt", "a.arc/two.txt"]
    _archive(bench.folder / "a.arc", {"one.txt": "first member"})
    bench.run()
    assert bench.names() == ["a.arc", "a.arc/one.txt"]
    assert bench.library.failures() == []
    assert bench.index_is_whole()


def test_deleting_an_archive_deletes_what_is_inside(bench: Bench) -> None:
    _archive(bench.folder / "a.arc", {"one.txt": "first member", "bad.txt": "RAISE"})
    bench.write("b.txt", "another file")
    bench.run()
    whole = next(s.document.id for s in bench.library.documents() if s.document.name == "a.arc")
    bench.library.delete(whole)
    bench.index.flush()
    assert bench.names() == ["b.txt"]
    assert bench.library.failures() == []
    assert bench.index_is_whole()


def test_a_moved_file_leaves_its_old_place_and_embeds_nothing(bench: Bench) -> None:
    bench.write("old/a.txt", "a document that moves")
    bench.write("kept.txt", "a copy stays")
    bench.run()
    bench.encoder.embedded.clear()
    (bench.folder / "new").mkdir()
    (bench.folder / "old" / "a.txt").rename(bench.folder / "new" / "a.txt")
    bench.write("copy.txt", "a copy stays")
    report = bench.run()
    assert report.moved == [("old/a.txt", "new/a.txt")]
    assert bench.names() == ["copy.txt", "kept.txt", "new/a.txt"]
    assert bench.encoder.embedded == []
    assert bench.index_is_whole()


def test_what_looks_the_same_is_not_read_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("a.txt", "the first document")
    os.utime(bench.folder / "a.txt", (1, 1))
    monkeypatch.setattr("ingest.known._SETTLED_NS", -1)
    bench.run()
    hashed: list[Path] = []
    monkeypatch.setattr("ingest.known.sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    assert bench.run().states == {"unchanged": 1}
    assert hashed == []
    (bench.folder / "a.txt").write_text("the other document")
    os.utime(bench.folder / "a.txt", (1, 1))
    assert bench.run().states == {"published": 1}
    assert len(hashed) == 1


def test_versions_are_listed(bench: Bench) -> None:
    bench.write("a.txt", "the first version\fwith a second page that stays as it is")
    bench.run()
    bench.write("a.txt", "the other version\fwith a second page that stays as it is")
    bench.run()
    document = bench.library.documents()[0].document
    newest, oldest = bench.library.versions(document.id)
    assert newest.sha256 == document.sha256 != oldest.sha256
    assert (newest.chunks, newest.embedded) == (1, 1)
    bench.library.delete(document.id)
    assert bench.library.versions(document.id) == []


def test_one_file_is_dropped_and_the_others_go_on(bench: Bench) -> None:
    for n in range(6):
        bench.write(f"{n}.txt", f"document {n}")
    report = bench.run(dropped=lambda file: file.name == "3.txt")
    assert report.states == {"published": 5, "cancelled": 1}
    assert not report.cancelled
    assert "3.txt" not in bench.names()


def test_files_are_found_by_their_place_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a.txt", "b/c.txt", ".secret", "~$open.docx", ".hidden/d.txt"):
        (tmp_path / name).write_text(name)
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("outside")
    (tmp_path / "link.txt").symlink_to(outside)
    assert [file.name for file in find([tmp_path])] == ["a.txt", "b/c.txt"]
    assert [file.name for file in find([tmp_path / "b" / "c.txt"])] == ["c.txt"]
    assert [file.name for file in find([tmp_path, tmp_path])] == ["a.txt", "b/c.txt"]
    with pytest.raises(BadRequest, match="nowhere"):
        list(find([tmp_path / "nowhere"]))


def test_the_index_is_open_before_anything_is_published(bench: Bench) -> None:
    """Opening it compares it with the library: see Writer."""
    bench.write("a.txt", "a document")
    seen: list[list[str]] = []

    def opened() -> VectorIndex:
        seen.append(bench.names())
        return bench.index

    bench.pipeline._open_models = lambda: Models(opened, bench.encoder)
    assert bench.run().states == {"published": 1}
    assert seen[0] == []
