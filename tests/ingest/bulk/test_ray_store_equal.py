"""A local Ray with two workers: the store that a plain run gives, whatever dies on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stores import differences
from ingest.bulk import parsing
from ingest.bulk.actors import ParseActor, _own_folder
from ingest.bulk.cluster import Cluster
from ingest.bulk.encoding import EncodePool
from ingest.bulk.farm import Farm, Recipe
from ingest.bulk.parsing import RayParseWorker
from ingest.chunkers.headings import HeadingChunker
from ingest.embedding import Models
from ingest.files import find
from ingest.pipeline import Pipeline
from ingest.protocols import Limits, Source, Stopped
from ingest.worker import ParseWorker
from rag.errors import CorruptFile, LimitExceeded, SpaceMismatch, Unavailable
from rag.fakes import HashingTextEncoder
from rag.protocols import Space
from rag.stores.exact import ExactVectorStore
from rag.stores.index import VectorIndex
from rag.stores.library import SqliteLibrary
from tests.support import hostile

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray")


class DyingOnce:
    def __init__(self, mark: str) -> None:
        if not Path(mark).exists():
            Path(mark).touch()
            os._exit(1)

    def pid(self) -> int:
        return os.getpid()


class DyingAlways:
    def __init__(self) -> None:
        raise OSError("no such library")

    def pid(self) -> int:
        return os.getpid()


def encoders() -> tuple[HashingTextEncoder, None]:
    return HashingTextEncoder(), None


def recipe(**more: Any) -> Recipe:
    return Recipe(hostile.build, encoders, partial(ParseWorker, hostile.build), parsers=2, encoder_count=2, **more)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("local", 6)
    yield made
    made.close()


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[RayParseWorker]:
    made = RayParseWorker(cluster, hostile.build, 500_000_000, partial(ParseWorker, hostile.build))
    yield made
    made.close()


def folder_of_files(folder: Path) -> Path:
    for number in range(40):
        path = folder / f"{number % 4}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\f".join(f"page {page} of file {number} " + "words " * page for page in range(1 + number % 5)))
    (folder / "many.txt").write_text("\f".join(f"page {page} " + "long text " * 60 for page in range(120)))
    (folder / "inside.txt").write_text("ARCHIVE\none.txt=the first member\ntwo.txt=the second member")
    (folder / "bad.txt").write_text("RAISE")
    (folder / "crash.txt").write_text("CRASH")
    return folder


def ingest(data: Path, folder: Path, farm: Farm | None) -> dict[str, int]:
    library, encoder = SqliteLibrary(data), HashingTextEncoder()
    library.register(encoder.space)
    index = VectorIndex(library, ExactVectorStore(), {"text": encoder.space.id, "entries": encoder.space.id})
    here = Models(lambda: index, encoder)
    pipeline = Pipeline(
        library,
        HeadingChunker(count_tokens=encoder.count_tokens, max_tokens=64),
        (lambda: here) if farm is None else (lambda: farm.models(here)),
        partial(ParseWorker, hostile.build) if farm is None else farm.worker,
        "toolbox 1",
        workers=2,
    )
    report = pipeline.run(find([folder]), "default")
    assert all(state.sound for state in index.examine())
    library.close()
    return dict(report.states)


def source(folder: Path, text: str, **more: Any) -> Source:
    path = folder / "file.txt"
    path.write_text(text)
    return Source(path, "file.txt", "", Limits(seconds=20), **more)


def test_the_store_is_that_of_a_plain_run(cluster: Cluster, tmp_path: Path) -> None:
    folder = folder_of_files(tmp_path / "files")
    plain = ingest(tmp_path / "plain", folder, None)
    with Farm("local", recipe()) as farm:
        states = ingest(tmp_path / "ray", folder, farm)
    assert states == plain == {"published": 44, "failed": 2}
    assert {name: count for name, count in differences(tmp_path / "plain", tmp_path / "ray").items() if count} == {}


def test_another_machine_gets_the_bytes_sent(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of_files(tmp_path / "files")
    ingest(tmp_path / "plain", folder, None)
    monkeypatch.setattr(Cluster, "near", lambda *_: False)
    monkeypatch.setattr(parsing, "PIECE", 1000)
    with Farm("local", recipe()) as farm:
        ingest(tmp_path / "ray", folder, farm)
    assert {name: count for name, count in differences(tmp_path / "plain", tmp_path / "ray").items() if count} == {}


def test_a_text_with_pictures_beside_it_is_read_where_those_are(
    worker: RayParseWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "near", lambda *_: False)
    page = tmp_path / "page.html"
    page.write_text("<html><body><img src='picture.png'></body></html>")
    here: list[Source] = []

    class Home(ParseWorker):
        def parse(self, source: Source) -> Any:
            here.append(source)
            return super().parse(source)

    worker._make_home = partial(Home, hostile.build)
    with pytest.raises(Exception, match="cannot read"):
        worker.parse(Source(page, "page.html", "", root=tmp_path))
    assert [given.name for given in here] == ["page.html"]
    list(worker.parse(source(tmp_path, "a plain text", root=tmp_path)).pages)
    assert len(here) == 1


def test_an_actor_that_was_killed_is_replaced_and_its_file_read_again(worker: RayParseWorker, tmp_path: Path) -> None:
    given = source(tmp_path, "\f".join(f"page {n} " + "x" * 100_000 for n in range(200)))
    pages, numbers = worker.parse(given).pages, []
    first = ray.get(worker.actor.pid.remote())
    for page in pages:
        numbers.append(page.page.number if page.page else 0)
        if len(numbers) == 30:
            os.kill(first, signal.SIGKILL)
    assert numbers == list(range(1, 201))
    assert ray.get(worker.actor.pid.remote()) != first


def test_a_file_that_kills_its_process_leaves_the_actor_alive(worker: RayParseWorker, tmp_path: Path) -> None:
    list(worker.parse(source(tmp_path, "fine")).pages)
    actor = worker.actor
    with pytest.raises(CorruptFile, match=r"file\.txt"):
        list(worker.parse(source(tmp_path, "CRASH")).pages)
    assert worker.actor is actor
    with pytest.raises(LimitExceeded, match="longer than"):
        list(worker.parse(Source(source(tmp_path, "HANG").path, "file.txt", "", Limits(seconds=1))).pages)
    assert [p.elements[0].text for p in worker.parse(source(tmp_path, "fine again")).pages] == ["fine again"]


def test_a_file_that_kills_every_actor_is_given_up_and_the_next_is_read(
    worker: RayParseWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []
    wait = RayParseWorker._wait

    def kill_then_wait(self: RayParseWorker, reference: Any, given: Source) -> Any:
        if given.name == "poison.txt":
            pids.append(ray.get(self.actor.pid.remote()))
            os.kill(pids[-1], signal.SIGKILL)
        return wait(self, reference, given)

    monkeypatch.setattr(RayParseWorker, "_wait", kill_then_wait)
    poison = tmp_path / "poison.txt"
    poison.write_text("\f".join("page " * 50_000 for _ in range(300)))
    with pytest.raises(CorruptFile, match="3 parse actors died"):
        list(worker.parse(Source(poison, "poison.txt", "")).pages)
    assert len(set(pids)) == parsing.MOST_DEATHS
    assert len(list(worker.parse(source(tmp_path, "fine\fagain")).pages)) == 2


def test_a_cluster_without_a_place_says_what_it_has(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.bulk.cluster.PLACE_SECONDS", 1.0)
    with pytest.raises(Unavailable, match=r"no place for ParseActor within 1 s; it has \d+ processors"):
        cluster.start(ParseActor, hostile.build, 1, cpus=1_000)
    with pytest.raises(Stopped):
        cluster.start(ParseActor, hostile.build, 1, cpus=1_000, stopped=lambda: True)


def test_an_actor_that_dies_while_it_starts_is_started_again(cluster: Cluster, tmp_path: Path) -> None:
    actor = cluster.start(DyingOnce, str(tmp_path / "died"))
    assert ray.get(actor.pid.remote()) > 0
    with pytest.raises(Unavailable, match="No DyingAlways could be started"):
        cluster.start(DyingAlways)


def test_folders_of_actors_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone, alive = tmp_path / "tuwen-parse-999999999", tmp_path / f"tuwen-parse-{os.getppid()}"
    foreign = tmp_path / "tuwen-parse-notes"
    for folder in (gone, alive, foreign):
        folder.mkdir()
    mine = _own_folder(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([alive, foreign, mine])


def test_an_encoder_that_was_killed_is_replaced_and_its_call_made_again(cluster: Cluster) -> None:
    here = HashingTextEncoder()
    pool = EncodePool(cluster, encoders, here.space, 1)
    texts = [f"text {n}" for n in range(2000)]
    before = ray.get(pool.actors[0].pid.remote())
    os.kill(before, signal.SIGKILL)
    assert (pool.call("encode_passages", texts) == here.encode_passages(texts)).all()
    assert ray.get(pool.actors[0].pid.remote()) != before
    pool.close()


def test_a_machine_with_another_model_is_refused(cluster: Cluster) -> None:
    with pytest.raises(SpaceMismatch, match="Ray cluster embeds with"):
        EncodePool(cluster, encoders, Space("another", "", 8, ""), 1)
