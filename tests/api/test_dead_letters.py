"""What failed is listed with its reason, also inside archives, and tried again when somebody asks for it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import bulk
from api.client import LocalClient
from api.service import Service, open_service
from api.settings import load
from ingest.jobs import Jobs
from rag.errors import NotFound
from tests.support.light import LIGHT

BROKEN = b"%PDF-1.7 nothing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    (made / "good.md").write_text("# Good\n\nA text.")
    (made / "broken.pdf").write_bytes(BROKEN)
    pack(made / "a.zip", BROKEN)
    return made


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(load(tmp_path / "data", LIGHT), "a test") as made:
        yield made


def pack(path: Path, inner: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside.md", "# Inside\n\nA text inside.")
        archive.writestr("bad.pdf", inner)


def failed(service: Service) -> dict[str, dict[str, object]]:
    return {letter["name"]: letter for letter in LocalClient(service).dead_letters(None)}


def test_listed_with_reason_and_remedy(service: Service, folder: Path) -> None:
    report = LocalClient(service).ingest([folder], "default", lambda _: None, retry_failed=False)
    assert report.states == {"published": 3, "failed": 2}
    found = failed(service)
    assert list(found) == ["a.zip/bad.pdf", "broken.pdf"]
    assert found["a.zip/bad.pdf"]["inside"] == "a.zip"
    for letter in found.values():
        error = letter["error"]
        assert isinstance(error, dict)
        assert error["type"] == "CorruptFile"
        assert error["message"]
        assert error["remedy"]
    assert LocalClient(service).dead_letters("another") == []


def test_tried_again_by_name_and_forgotten_when_mended(service: Service, folder: Path) -> None:
    client = LocalClient(service)
    client.ingest([folder], "default", lambda _: None, retry_failed=False)
    (folder / "broken.pdf").write_text("mended: a text now")
    assert client.change_jobs("retry", ["broken.pdf"]) == 1
    waiting = {job["name"]: job for job in client.jobs(None)}["broken.pdf"]
    assert (waiting["status"], "error" in waiting) == ("queued", False)
    report = client.run_jobs(lambda _: None)
    assert report.states == {"published": 1}
    assert list(failed(service)) == ["a.zip/bad.pdf"]


def test_a_file_in_an_archive_is_tried_again_with_it(service: Service, folder: Path) -> None:
    client = LocalClient(service)
    client.ingest([folder / "a.zip"], "default", lambda _: None, retry_failed=False)
    letter = failed(service)["a.zip/bad.pdf"]
    assert client.change_jobs("retry", [str(letter["id"])]) == 1
    events: list[tuple[str, str]] = []
    report = client.run_jobs(lambda event: events.append((event.name, event.state)))
    # It was read again, and is as broken as before; its neighbour was not touched.
    assert report.states == {"published": 1, "unchanged": 1, "failed": 1}
    assert ("a.zip/bad.pdf", "failed") in events
    assert list(failed(service)) == ["a.zip/bad.pdf"]
    pack(folder / "a.zip", b"mended")
    assert client.change_jobs("retry", None) == 1
    assert client.run_jobs(lambda _: None).states == {"published": 2, "unchanged": 1}
    assert failed(service) == {}


def test_a_failed_upload_keeps_its_bytes_until_it_is_deleted(service: Service, tmp_path: Path) -> None:
    client, jobs = LocalClient(service), Jobs(service.library)
    (tmp_path / "upload").write_bytes(BROKEN)
    job = jobs.accept(tmp_path / "upload", "broken.pdf", "default")
    assert client.run_jobs(lambda _: None).states == {"failed": 1}
    assert service.library.blobs.path(job.sha256).read_bytes() == BROKEN
    assert client.change_jobs("retry", None) == 1
    assert client.run_jobs(lambda _: None).failures[0].error == "CorruptFile"
    service.delete(job.id)
    assert failed(service) == {}
    with pytest.raises(NotFound):
        service.library.blobs.path(job.sha256)


def test_what_a_killed_load_left_is_queued_and_not_under_way(service: Service, folder: Path) -> None:
    jobs = Jobs(service.library)
    jobs.add(service.sources.files([folder / "good.md"]), "default")
    jobs.take("default")
    client = LocalClient(service)
    assert [job["status"] for job in client.jobs(None)] == ["queued"]
    assert client.run_jobs(lambda _: None).states == {"published": 1}
    assert client.run_jobs(lambda _: None).states == {}


def test_a_name_that_nothing_has(service: Service) -> None:
    with pytest.raises(NotFound, match=r"nothing\.pdf"):
        bulk.change(Jobs(service.library), "cancel", ["nothing.pdf"])


def test_versions_are_told(service: Service, folder: Path) -> None:
    client = LocalClient(service)
    client.ingest([folder / "good.md"], "default", lambda _: None, retry_failed=False)
    (folder / "good.md").write_text("# Good\n\nAnother text.")
    client.ingest([folder / "good.md"], "default", lambda _: None, retry_failed=False)
    id_ = client.documents(None)[0]["id"]
    newest, oldest = client.versions(id_)
    assert newest["published_at"] >= oldest["published_at"]
    assert newest["sha256"] == client.document(id_)["sha256"] != oldest["sha256"]
    with pytest.raises(NotFound):
        client.versions("nothing")
