"""No route that takes an id gives a caller anything of a document that they may not read: it answers as if there were none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from PIL import Image
from starlette.testclient import TestClient

from api import deps
from api.access import Caller
from api.app import create_app
from api.routes import files
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag.answers import Access, Filter
from rag.documents import Document
from rag.filters import parse
from tests.support.light import LIGHT

RED, BLUE = (Document.make_id("default", f"{name}/notes.md") for name in ("red", "blue"))
OF_A_FILE = ("", "/content", "/versions", "/pages", "/chunks")


@contextmanager
def opened_on(place: Path) -> Iterator[Service]:
    folder = place / "files"
    for tenant, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        (folder / tenant).mkdir(parents=True)
        (folder / tenant / "notes.md").write_text(f"---\ntenant: {tenant}\n---\n# Granite\n\nGranite of {tenant}.\n")
        Image.new("RGB", (64, 64), colour).save(folder / tenant / "stone.png")
    with open_service(load(place / "data", LIGHT)) as opened:
        opened.ingest(find([folder]))
        opened.ingest(find([folder / "blue"]), "private")
        yield opened


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """For tests that only read."""
    with opened_on(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    with opened_on(tmp_path) as opened:
        yield opened


def client(service: Service, rule: str) -> TestClient:
    app = create_app(service)
    app.dependency_overrides[deps.caller] = lambda: Caller("red", Access(Filter(where=parse(rule))))
    return TestClient(app)


RULES = ('name starts_with "red/" and collection = default', "metadata.tenant = red")


@pytest.fixture(params=RULES)
def red(service: Service, request: pytest.FixtureRequest) -> TestClient:
    return client(service, request.param)


@pytest.fixture(params=RULES)
def own_red(own_service: Service, request: pytest.FixtureRequest) -> TestClient:
    return client(own_service, request.param)


@pytest.mark.parametrize("part", OF_A_FILE)
def test_a_document_of_another_is_not_there(red: TestClient, part: str) -> None:
    assert red.get(f"/v1/files/{RED}{part}").status_code == 200
    hidden = red.get(f"/v1/files/{BLUE}{part}")
    assert hidden.status_code == 404
    unknown = red.get(f"/v1/files/{'0' * len(BLUE)}{part}")
    assert hidden.text.replace(BLUE, "") == unknown.text.replace("0" * len(BLUE), "")


def test_a_page_and_a_picture_of_another_are_not_there(service: Service, red: TestClient) -> None:
    assert "no published document" in red.get(f"/v1/files/{BLUE}/pages/1/image").text
    pictures = {
        stored.document.name: service.chunks(stored.document.id)[0].id
        for stored in service.documents("default")
        if stored.document.name.endswith("stone.png")
    }
    everything = TestClient(create_app(service))
    assert everything.get(f"/v1/images/{pictures['red/stone.png']}").status_code == 200
    assert red.get(f"/v1/images/{pictures['blue/stone.png']}").status_code == 404
    by_name = client(service, 'name starts_with "red/"')
    assert by_name.get(f"/v1/images/{pictures['red/stone.png']}").status_code == 200


def test_another_s_document_is_not_deleted(own_service: Service, own_red: TestClient) -> None:
    assert own_red.delete(f"/v1/files/{BLUE}").status_code == 404
    assert own_service.document(BLUE).document.name == "blue/notes.md"
    assert own_red.delete(f"/v1/files/{RED}").status_code == 200


def test_lists_hold_what_may_be_read(red: TestClient) -> None:
    assert "blue" not in red.get("/v1/files").text
    assert [item["name"] for item in red.get("/v1/collections").json()["collections"]] == ["default"]


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ('name starts_with "blue/"', True),
        ("collection = default", True),
        ('name starts_with "red/"', False),
        ("not metadata.tenant = red", False),
    ],
)
def test_a_file_on_its_way_is_seen_where_the_rule_certainly_allows_it(
    own_service: Service, rule: str, seen: bool
) -> None:
    # Not begun: no lifespan, so that nobody works the queue.
    sent = (
        TestClient(create_app(own_service)).post("/v1/files", files={"file": ("blue/new.md", b"# New\n")}).json()["id"]
    )
    caller = client(own_service, rule)
    assert caller.get(f"/v1/files/{sent}").status_code == (200 if seen else 404)
    assert ("blue/new.md" in caller.get("/v1/files").text) is seen
    assert caller.delete(f"/v1/files/{sent}").status_code == (200 if seen else 404)


def test_feedback_names_no_passage_of_another(own_service: Service, own_red: TestClient) -> None:
    theirs, own = (own_service.chunks(id_)[0].id for id_ in (BLUE, RED))
    said = {"rating": "up", "target": "citation", "question": "What is granite?"}
    assert own_red.post("/v1/feedback", json=said | {"citations": [{"chunk_id": theirs}]}).status_code == 404
    assert own_red.post("/v1/feedback", json=said | {"citations": [{"chunk_id": own}]}).status_code == 201
    hidden = said | {"collection": "private", "target": "answer"}
    assert own_red.post("/v1/feedback", json=hidden).status_code == 404


def test_every_route_of_a_document_asks_what_the_caller_may_read() -> None:
    """A new route below /files/{file_id} or /images has to take the caller's shelf."""
    by_id = [r for r in files.router.routes if isinstance(r, APIRoute) and "_id}" in r.path]
    assert len(by_id) >= 8
    for route in by_id:
        assert deps._reading in {part.call for part in route.dependant.dependencies}, route.path
