"""The queue: order, progress, what is tried again and what is not, what a person may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.events import FileEvent
from ingest.files import InputFile
from ingest.job import BULK
from ingest.jobs import FIRST_WAIT, MAX_ATTEMPTS, Jobs
from rag.errors import EncoderUnavailable, NotFound
from rag.stores.library import SqliteLibrary
from rag.stores.records import Failure


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(tmp_path: Path, clock: Clock) -> Jobs:
    return Jobs(SqliteLibrary(tmp_path / "data"), clock)


def accept(jobs: Jobs, folder: Path, name: str, collection: str = "default", text: str = "") -> str:
    path = folder / "upload"
    path.write_text(text or name)
    return jobs.accept(path, name, collection).id


def bulk(jobs: Jobs, folder: Path, *names: str) -> list[InputFile]:
    for name in names:
        (folder / name).write_text(name)
    return jobs.add([InputFile(folder / name, name, str(folder / name), folder) for name in names], "default")


def taken(jobs: Jobs, collection: str = "default") -> list[str]:
    found = []
    while (job := jobs.take(collection)) is not None:
        found.append(job.name)
    return found


def test_a_persons_upload_goes_before_a_bulk_load(jobs: Jobs, tmp_path: Path) -> None:
    bulk(jobs, tmp_path, "a.txt", "b.txt", "c.txt")
    first = jobs.take("default")
    assert first is not None
    accept(jobs, tmp_path, "mine.txt")
    assert taken(jobs) == ["mine.txt", "b.txt", "c.txt"]
    assert (first.name, first.priority, first.path) == ("a.txt", BULK, str(tmp_path / "a.txt"))
    file = jobs.input(first)
    assert (file.path, file.source, file.root, file.job) == (tmp_path / "a.txt", first.path, tmp_path, first.id)


def test_the_next_job_of_another_collection_ends_the_run(jobs: Jobs, tmp_path: Path, clock: Clock) -> None:
    accept(jobs, tmp_path, "a.txt", "one")
    clock.now += 1
    accept(jobs, tmp_path, "b.txt", "two")
    assert jobs.waiting() == ("one", 0.0)
    assert taken(jobs, "one") == ["a.txt"]
    assert jobs.waiting() == ("two", 0.0)
    assert taken(jobs, "two") == ["b.txt"]
    assert jobs.waiting() is None


def test_states_and_pages_are_told(jobs: Jobs, tmp_path: Path) -> None:
    id_ = accept(jobs, tmp_path, "a.pdf")
    jobs.take("default")
    seen = jobs.revision()
    jobs.tell(id_, FileEvent("a.pdf", "parsing", page=11, pages=300))
    jobs.tell(id_, FileEvent("a.pdf", "embedding", id_, chunks=700))
    job = jobs.get(id_)
    assert (job.state, job.page, job.pages, job.chunks) == ("embedding", 11, 300, 700)
    jobs.tell(id_, FileEvent("a.pdf", "failed", error="CorruptFile", message="It is broken.", remedy="Mend it."))
    assert [(j.state, j.error, j.message) for j in jobs.changed_since(seen)] == [
        ("failed", "CorruptFile", "It is broken.")
    ]
    assert jobs.changed_since(jobs.revision()) == []
    assert jobs.counts() == {"failed": 1}


def test_what_was_under_way_is_queued_again_at_start(jobs: Jobs, tmp_path: Path) -> None:
    id_ = accept(jobs, tmp_path, "a.txt")
    jobs.take("default")
    jobs.tell(id_, FileEvent("a.txt", "embedding", id_))
    assert jobs.requeue_interrupted() == 1
    assert taken(jobs) == ["a.txt"]


def test_a_server_that_does_not_answer_is_tried_again_later_and_not_for_ever(
    jobs: Jobs, tmp_path: Path, clock: Clock
) -> None:
    id_ = accept(jobs, tmp_path, "a.txt")
    error = EncoderUnavailable("The encoder does not answer.", "Start it.")
    waits = []
    for _ in range(MAX_ATTEMPTS):
        assert jobs.take("default") is not None
        jobs.put_back(error)
        following = jobs.waiting()
        if following is None:
            break
        assert jobs.take("default") is None
        waits.append(following[1])
        clock.now += following[1]
    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT]
    assert len(waits) == MAX_ATTEMPTS - 1
    job = jobs.get(id_)
    assert (job.state, job.error, job.message) == ("failed", "EncoderUnavailable", "The encoder does not answer.")
    assert jobs.retry() == 1
    assert jobs.get(id_).attempts == 0


def test_pause_resume_cancel_retry(jobs: Jobs, tmp_path: Path) -> None:
    first, second, third = bulk(jobs, tmp_path, "a.txt", "b.txt", "c.txt")
    jobs.take("default")
    assert not jobs.dropped(first)
    assert jobs.pause([first.job, second.job]) == 2
    assert jobs.dropped(first)
    jobs.tell(first.job, FileEvent("a.txt", "cancelled"))
    assert jobs.get(first.job).state == "paused"
    assert taken(jobs) == ["c.txt"]
    assert jobs.cancel([third.job]) == 1
    jobs.tell(third.job, FileEvent("c.txt", "published", third.job))
    assert jobs.get(third.job).state == "cancelled"
    assert jobs.resume() == 2
    assert not jobs.dropped(first)
    assert taken(jobs) == ["a.txt", "b.txt"]
    assert jobs.retry() == 0
    assert jobs.retry([third.job]) == 1
    assert taken(jobs) == ["c.txt"]
    with pytest.raises(NotFound):
        jobs.cancel(["nothing"])


def test_a_file_that_failed_by_its_own_fault_is_tried_again_on_demand(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path / "data")
    jobs = Jobs(library)
    id_ = accept(jobs, tmp_path, "a.txt")
    jobs.take("default")
    jobs.tell(id_, FileEvent("a.txt", "failed", error="CorruptFile", message="It is broken."))
    library.record_failure(Failure("default", "a.txt", "0", "settings", "CorruptFile", "It is broken.", ""))
    assert jobs.retry() == 1
    assert library.failures() == []


def test_a_newer_upload_is_not_settled_by_the_older_ones_work(jobs: Jobs, tmp_path: Path) -> None:
    id_ = accept(jobs, tmp_path, "a.txt", text="the first")
    older = jobs.take("default")
    assert older is not None
    accept(jobs, tmp_path, "a.txt", text="the second")
    jobs.tell(id_, FileEvent("a.txt", "published", id_), older.sha256)
    assert jobs.get(id_).state == "queued"


def test_deleting_an_upload_forgets_its_job(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path / "data")
    jobs = Jobs(library)
    id_ = accept(jobs, tmp_path, "a.txt")
    library.delete(id_)
    assert jobs.all() == []
    assert list(library.blobs.all()) == []


def test_two_uploads_of_one_name_come_one_after_the_other(jobs: Jobs, tmp_path: Path) -> None:
    id_ = accept(jobs, tmp_path, "a.txt", text="first")
    first = jobs.take("default")
    assert first is not None
    assert accept(jobs, tmp_path, "a.txt", text="second") == id_
    accept(jobs, tmp_path, "b.txt")
    assert taken(jobs) == ["b.txt"], "the first is still worked on"
    jobs.tell(id_, FileEvent("a.txt", "parsing", page=1, pages=9), first.sha256)
    assert jobs.get(id_).state == "queued", "that was of the first"
    jobs.tell(id_, FileEvent("a.txt", "published", id_), first.sha256)
    assert jobs.get(id_).state == "queued"
    second = jobs.take("default")
    assert second is not None
    assert jobs.input(second).path.read_text() == "second"
    jobs.tell(id_, FileEvent("a.txt", "published", id_), second.sha256)
    assert (jobs.get(id_).state, jobs.get(id_).sha256) == ("published", second.sha256)


def test_what_a_run_left_behind_does_not_keep_others_waiting(jobs: Jobs, tmp_path: Path) -> None:
    id_ = accept(jobs, tmp_path, "a.txt", text="first")
    jobs.take("default")
    accept(jobs, tmp_path, "a.txt", text="second")
    assert jobs.take("default") is None
    jobs.release([id_])
    assert jobs.take("default") is not None
