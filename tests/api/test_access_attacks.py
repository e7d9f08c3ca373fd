"""What somebody tries who may send files: to take the place of another's documents, to have them deleted, to learn what is in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from api import deps
from api.access import OWNER, Caller
from api.app import create_app
from api.runner import Runner
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag.answers import Access, Filter
from rag.documents import Document
from rag.filters import parse
from tests.support.light import LIGHT

BLUE = Document.make_id("default", "blue/notes.md")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    for tenant in ("red", "blue"):
        (tmp_path / "files" / tenant).mkdir(parents=True)
        (tmp_path / "files" / tenant / "notes.md").write_text(
            f"---\nauthor: {tenant}\n---\n# Granite\n\nThe price that {tenant} asks is 45 euros for a tonne.\n"
        )
    with open_service(load(tmp_path / "data", LIGHT)) as opened:
        opened.ingest(find([tmp_path / "files"]))
        yield opened


@pytest.fixture
def app(service: Service) -> FastAPI:
    made = create_app(service)
    rules = {
        "by-metadata": "metadata.author = red",
        "by-name": 'collection = default and name starts_with "red/"',
        "mixed": "collection = default and metadata.author = red",
    }

    def caller(asked: Request) -> Caller:
        name = asked.headers.get("x-caller", "")
        return Caller(name, Access(Filter(where=parse(rules[name])))) if name else OWNER

    made.dependency_overrides[deps.caller] = caller
    return made


@pytest.fixture
def as_(app: FastAPI) -> Callable[[str], TestClient]:
    return lambda name: TestClient(app, headers={"x-caller": name})


def packed(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_md", ".md"), text)
    return out.getvalue()


def work(app: FastAPI) -> None:
    Runner(app.state.tuwen.service, app.state.tuwen.jobs).empty(lambda _: None)


def test_an_archive_called_like_a_folder_replaces_nothing(
    app: FastAPI, service: Service, as_: Callable[[str], TestClient]
) -> None:
    before = service.document(BLUE)
    sent = as_("by-metadata").post(
        "/v1/files", files={"file": ("blue", packed(notes_md="# Mine\n\nNow.\n", own_md="# Own\n\nText.\n"))}
    )
    assert sent.status_code == 202
    work(app)
    assert service.document(BLUE) == before
    assert service.document(Document.make_id("default", "blue/own.md"))
    # Nor is it taken away with the archive.
    assert as_("").delete(f"/v1/files/{sent.json()['id']}").status_code == 200
    assert service.document(BLUE) == before


@pytest.mark.parametrize(
    ("caller", "collection", "name", "status"),
    [
        ("by-name", "default", "red/new.md", 202),
        ("by-name", "default", "red/notes.md", 202),
        ("by-name", "default", "blue/new.md", 403),
        ("by-name", "default", "redder.md", 403),
        ("by-name", "private", "red/new.md", 403),
        ("mixed", "private", "red/new.md", 403),
        ("mixed", "default", "blue/new.md", 202),
        ("mixed", "default", "blue/notes.md", 403),
        ("by-metadata", "default", "blue/notes.md", 403),
        ("by-metadata", "elsewhere", "blue/notes.md", 202),
        ("", "private", "blue/notes.md", 202),
    ],
)
def test_who_may_send_what(
    service: Service, as_: Callable[[str], TestClient], caller: str, collection: str, name: str, status: int
) -> None:
    before = service.document(BLUE)
    file = {"file": (name, b"---\nauthor: red\n---\n# New\n\nText.\n")}
    answer = as_(caller).post("/v1/files", files=file, data={"collection": collection})
    assert answer.status_code == status
    assert status == 202 or answer.json()["error"]["remedy"]
    assert service.document(BLUE) == before


def test_what_somebody_sent_is_theirs_until_it_can_be_read(app: FastAPI, as_: Callable[[str], TestClient]) -> None:
    red, other = as_("by-metadata"), as_("by-name")
    sent = red.post("/v1/files", files={"file": ("new.md", b"---\nauthor: red\n---\n# New\n\nText.\n")}).json()
    broken = red.post("/v1/files", files={"file": ("new.pdf", b"%PDF-1.7\nno\n")}).json()
    assert [job["name"] for job in red.get("/v1/jobs").json()["jobs"]] == ["new.md", "new.pdf"]
    assert other.get("/v1/jobs").json() == {"jobs": [], "counts": {}}
    assert other.get(f"/v1/files/{sent['id']}").status_code == 404
    assert "new.md" in red.get("/v1/files").text
    work(app)
    assert red.get(f"/v1/files/{sent['id']}").json()["status"] == "published"
    assert [letter["name"] for letter in red.get("/v1/jobs/failed").json()["failed"]] == ["new.pdf"]
    assert red.get(f"/v1/files/{broken['id']}").json()["error"]["type"] == "CorruptFile"
    assert other.get("/v1/jobs/failed").json() == {"failed": []}
    assert red.delete(f"/v1/files/{broken['id']}").status_code == 200
    assert red.get("/v1/jobs/failed").json() == {"failed": []}


def test_a_waiting_file_of_one_s_own_is_no_way_to_delete_another_s(
    tmp_path: Path, service: Service, app: FastAPI, as_: Callable[[str], TestClient]
) -> None:
    """The name is free when it is sent, and another's document has it when it is deleted."""
    red = as_("by-metadata")
    sent = red.post("/v1/files", files={"file": ("plans.md", b"# Mine\n")}).json()["id"]
    red.post("/v1/jobs/pause", json={})
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "plans.md").write_text("---\nauthor: blue\n---\n# Plans\n\nBlue will dig deeper.\n")
    service.ingest(find([tmp_path / "more"]))
    assert red.delete(f"/v1/files/{sent}").status_code == 404
    assert service.document(sent).document.name == "plans.md"
    assert "dig" not in red.get(f"/v1/files/{sent}").text


def test_an_archive_is_not_deleted_with_what_another_reads_in_it(
    tmp_path: Path, service: Service, as_: Callable[[str], TestClient]
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "red").write_bytes(
        packed(a_md="# A\n\nText.\n", b_md="---\nauthor: blue\n---\n# B\n\nText.\n")
    )
    service.ingest(find([tmp_path / "more"]))
    held = Document.make_id("default", "red")
    rule = Access(Filter(where=parse(f"document = {held}")))
    app = create_app(service)
    app.dependency_overrides[deps.caller] = lambda: Caller("red", rule)
    assert TestClient(app).get(f"/v1/files/{held}").status_code == 200
    assert TestClient(app).delete(f"/v1/files/{held}").status_code == 404
    assert service.document(Document.make_id("default", "red/b.md"))


def test_sending_a_guess_does_not_tell_whether_another_has_the_text(
    app: FastAPI, as_: Callable[[str], TestClient]
) -> None:
    """A text that is known has a vector already."""
    guesses = {"right.md": "The price that blue asks is 45 euros for a tonne.", "wrong.md": "It is 46."}
    red, told = as_("by-metadata"), []
    for name, guess in guesses.items():
        text = f"---\nauthor: red\n---\n# Granite\n\n{guess}\n"
        id_ = red.post("/v1/files", files={"file": (name, text.encode())}).json()["id"]
        work(app)
        told.append([sorted(version) for version in red.get(f"/v1/files/{id_}/versions").json()["versions"]])
        assert "embedded" in as_("").get(f"/v1/files/{id_}/versions").text
    assert told[0] == told[1]
    assert "embedded" not in str(told)


def test_feedback_keeps_no_passage_of_another(service: Service, as_: Callable[[str], TestClient]) -> None:
    theirs = service.chunks(BLUE)[0].id
    own = service.chunks(Document.make_id("default", "red/notes.md"))[0].id
    said = {"rating": "up", "question": "?", "context": [theirs, own, "guessed"]}
    assert as_("by-name").post("/v1/feedback", json=said).json()["context"] == [own]
    assert as_("").post("/v1/feedback", json=said).json()["context"] == [theirs, own, "guessed"]
    assert [item["owner"] for item in as_("by-name").get("/v1/feedback").json()["feedback"]] == ["by-name"]
    assert as_("mixed").get("/v1/feedback").json() == {"feedback": []}
    assert len(as_("").get("/v1/feedback").json()["feedback"]) == 2
