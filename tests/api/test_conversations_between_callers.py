"""Who holds a conversation is the only one who reaches it: over every route, by id and by list, and through the turns of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request

from api.access import Caller
from api.app import create_app
from api.deps import caller
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag.answers import EVERYTHING, Access, Filter
from tests.support.light import LIGHT

BAMBOO = "How much bamboo does a giant panda eat a day?"
RULES = {"": EVERYTHING, "ann": EVERYTHING, "bob": Access(Filter(names=frozenset({"tea.md"})))}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Service]:
    with open_service(load(tmp_path_factory.mktemp("callers") / "data", LIGHT), "a test") as made:
        made.ingest(find([folder / "pandas.md", folder / "tea.md"]))
        yield made


@pytest.fixture(scope="module")
def app(own: Service) -> FastAPI:
    made = create_app(own)

    def named(request: Request) -> Caller:
        name = request.headers.get("x-caller", "")
        return Caller(name, RULES[name])

    made.dependency_overrides[caller] = named
    return made


def client(app: FastAPI, name: str) -> TestClient:
    return TestClient(app, headers={"x-caller": name})


@pytest.fixture
def ann(app: FastAPI) -> TestClient:
    return client(app, "ann")


@pytest.fixture
def talk(ann: TestClient) -> dict[str, Any]:
    """A conversation of Ann's with one turn."""
    id_ = ann.post("/v1/conversations", json={"title": "Ann's"}).json()["id"]
    ann.post("/v1/query", json={"question": BAMBOO, "conversation_id": id_})
    found: dict[str, Any] = ann.get(f"/v1/conversations/{id_}").json()
    assert len(found["turns"]) == 1
    return found


@pytest.mark.parametrize("name", ["bob", ""])
def test_no_route_reaches_the_conversation_of_another(
    app: FastAPI, ann: TestClient, talk: dict[str, Any], name: str
) -> None:
    other, id_, turn = client(app, name), talk["id"], talk["turns"][0]["id"]
    mine = other.post("/v1/conversations", json={}).json()["id"]
    asked = {"question": "And the cub?", "conversation_id": id_}
    refused = [
        other.get(f"/v1/conversations/{id_}"),
        other.get(f"/v1/conversations/{id_}/export"),
        other.get(f"/v1/conversations/{id_}/export?format=json"),
        other.patch(f"/v1/conversations/{id_}", json={"title": "Mine"}),
        other.patch(f"/v1/conversations/{id_}", json={"filter": {}}),
        other.patch(f"/v1/conversations/{id_}", json={"shown": turn}),
        other.delete(f"/v1/conversations/{id_}"),
        other.post(f"/v1/conversations/{id_}/files", files={"file": ("x.md", b"# X\n\nText.\n")}),
        other.post("/v1/query", json=asked),
        other.post("/v1/query", json=asked | {"stream": True}),
        other.post("/v1/query", json={"question": "Again?", "conversation_id": mine, "replaces": turn}),
        other.patch(f"/v1/conversations/{mine}", json={"shown": turn}),
    ]
    assert [answer.status_code for answer in refused] == [404] * len(refused)
    assert not any("panda" in answer.text or "Ann" in answer.text for answer in refused)
    assert id_ not in [item["id"] for item in other.get("/v1/conversations").json()["conversations"]]
    assert ann.get(f"/v1/conversations/{id_}").json() == talk


def test_everybody_has_a_list_of_their_own(app: FastAPI, ann: TestClient, talk: dict[str, Any]) -> None:
    bob = client(app, "bob")
    made = bob.post("/v1/conversations", json={"title": "Bob's"}).json()["id"]
    assert {item["title"] for item in ann.get("/v1/conversations").json()["conversations"]} == {"Ann's"}
    assert made in [item["id"] for item in bob.get("/v1/conversations").json()["conversations"]]
    assert bob.delete(f"/v1/conversations/{made}").status_code == 200


def test_a_refusal_does_not_tell_whether_there_is_one(app: FastAPI, talk: dict[str, Any]) -> None:
    bob = client(app, "bob")
    there = bob.get(f"/v1/conversations/{talk['id']}").json()["error"]
    nowhere = bob.get("/v1/conversations/nowhere").json()["error"]
    assert there["message"].replace(talk["id"], "ID") == nowhere["message"].replace("nowhere", "ID")


def test_a_scope_names_only_what_its_holder_may_read(app: FastAPI, ann: TestClient, own: Service) -> None:
    ids = {stored.document.name: stored.document.id for stored in own.documents()}
    bob = client(app, "bob")
    pandas, tea = ({"filter": {"document_id": [ids[name]]}} for name in ("pandas.md", "tea.md"))
    assert ann.post("/v1/conversations", json=pandas).status_code == 201
    assert bob.post("/v1/conversations", json=tea).status_code == 201
    assert bob.post("/v1/conversations", json=pandas).status_code == 404


def test_an_answer_in_a_conversation_is_made_from_what_its_holder_may_read(app: FastAPI) -> None:
    bob = client(app, "bob")
    id_ = bob.post("/v1/conversations", json={}).json()["id"]
    answer = bob.post("/v1/query", json={"question": BAMBOO, "conversation_id": id_}).json()
    assert {hit["document"]["name"] for hit in answer["context"]} <= {"tea.md"}


def test_where_a_citation_stands_is_told_only_to_who_may_read_it(
    app: FastAPI, ann: TestClient, talk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [c["now"]["state"] for c in talk["turns"][0]["citations"]]
    assert now
    assert set(now) == {"current"}
    monkeypatch.setitem(RULES, "ann", RULES["bob"])
    turns = ann.get(f"/v1/conversations/{talk['id']}").json()["turns"]
    assert {c["now"]["state"] for c in turns[0]["citations"]} == {"gone"}
