"""Two tenants in one library: no route tells one of them anything of the other. Every route of the application has its rule here."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from starlette.requests import Request
from starlette.routing import Mount, Route
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

TENANTS = {"red": "carmine", "blue": "cobalt"}
"""With a word that stands in all that is theirs."""
RULES = {"by name": 'name starts_with "{0}/" and collection = default', "by metadata": "metadata.author = {0}"}


@dataclass
class House:
    """A server with the files of both, and what each of them is shown of their own."""

    app: FastAPI
    service: Service
    ids: dict[str, dict[str, str]] = field(default_factory=dict)

    def client(self, name: str) -> TestClient:
        return TestClient(self.app, headers={"x-caller": name})


def picture(colour: tuple[int, int, int]) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(made, "PNG")
    return made.getvalue()


def write_files(folder: Path, tenant: str, word: str) -> None:
    folder.mkdir(parents=True)
    (folder / "stone.png").write_bytes(picture((200, 0, 0) if tenant == "red" else (0, 0, 200)))
    (folder / "notes.md").write_text(
        f"---\nauthor: {tenant}\n---\n# Granite\n\nThe granite of the quarry is {word} and hard. Its {word}ite weighs 12 tonnes.\n\n"
        f"![The {word} stone](stone.png)\n\n| Stone | Tonnes |\n|---|---|\n| {word} | 12 |\n"
    )
    # The same in both houses: a search folds it into one hit and names its other places.
    same = (
        "Granite is quarried in blocks of four tonnes, which are sawn where they were broken, washed in the river below "
        "the mill, and carried to the harbour on rails that the company laid for them."
    )
    (folder / "same.md").write_text(f"---\nauthor: {tenant}\n---\n# Blocks\n\n{same}\n")
    canvas = Canvas(str(folder / "report.pdf"))
    canvas.setAuthor(tenant)
    canvas.drawString(72, 700, f"The granite report of {word} says that the quarry opened in 1912.")
    canvas.save()


@pytest.fixture(scope="module", params=RULES)
def house(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    for tenant, word in TENANTS.items():
        write_files(place / "files" / tenant, tenant, word)
    rules = {name: Access(Filter(where=parse(RULES[request.param].format(name)))) for name in TENANTS}
    with open_service(load(place / "data", LIGHT)) as service:
        service.ingest(find([place / "files"]))
        app = create_app(service)

        def caller(asked: Request) -> Caller:
            name = asked.headers.get("x-caller", "")
            return Caller(name, rules[name]) if name else OWNER

        app.dependency_overrides[deps.caller] = caller
        made = House(app, service)
        for tenant, word in TENANTS.items():
            made.ids[tenant] = settle(made, tenant, word)
        for tenant, word in TENANTS.items():
            sent = made.client(tenant).post("/v1/files", files={"file": (f"{tenant}/{word}-new.md", b"# New\n")})
            made.ids[tenant]["waiting"] = sent.json()["id"]
        yield made


def settle(house: House, tenant: str, word: str) -> dict[str, str]:
    """What a tenant leaves on the server: files that failed and wait, a conversation, feedback, a question of a set."""
    client, service = house.client(tenant), house.service
    notes = Document.make_id("default", f"{tenant}/notes.md")
    chunks = service.chunks(notes)
    broken = client.post("/v1/files", files={"file": (f"{tenant}/{word}.pdf", b"%PDF-1.7\nnot really\n")}).json()["id"]
    Runner(service, house.app.state.tuwen.jobs).empty(lambda _: None)
    talk = client.post("/v1/conversations", json={"title": f"On {word}"}).json()["id"]
    client.post("/v1/query", json={"question": "How hard is the granite?", "conversation_id": talk})
    turn = client.get(f"/v1/conversations/{talk}").json()["turns"][0]["id"]
    said = {"rating": "up", "question": f"Is it {word}?", "citations": [{"chunk_id": chunks[0].id}]}
    given = client.post("/v1/feedback", json=said).json()["id"]
    folder = service.settings.data / "sets"
    folder.mkdir(exist_ok=True)
    made = {"collection": "default", "source": f"{tenant}/notes.md", "chunk_id": chunks[0].id, "passage": word}
    with (folder / "granite.jsonl").open("a") as file:
        for state in ("", "near"):
            line = {"id": f"{tenant}{state}", "question": f"What is {word}?", "provenance": made}
            file.write(json.dumps(line | ({} if state else {"source": f"{tenant}/notes.md"})) + "\n")
    (folder / f"{word}.jsonl").write_text(json.dumps({"id": "x", "question": f"{word}?", "provenance": made}) + "\n")
    return {
        "word": word,
        "name": tenant,
        "notes": notes,
        "report": Document.make_id("default", f"{tenant}/report.pdf"),
        "chunk": chunks[0].id,
        "image": next(chunk.id for chunk in chunks if chunk.kind == "image"),
        "broken": broken,
        "talk": talk,
        "turn": turn,
        "feedback": given,
    }


# --- what is asked of every route, with the ids of the other ------------------------------------------------------------------

Ask = Callable[[TestClient, dict[str, str]], list[Any]]


def of_files(part: str) -> Ask:
    return lambda client, of: [
        client.get(f"/v1/files/{of[kind]}{part}") for kind in ("notes", "report", "broken", "waiting")
    ]


def asked(path: str, **more: Any) -> Ask:
    question: dict[str, Any] = (
        {"query": "granite"} if path.endswith("search") else {"question": "Is granite of the quarry hard?"}
    )
    tries: list[dict[str, Any]] = [
        {},
        {"filter": "metadata.author != nobody"},
        {"filter": 'not (name = "x" and name = "y") or page > 0 or page <= 0 or page = 1'},
        {
            "filter": {
                "or": [{"not": {"field": "name", "op": "in", "value": []}}, {"field": "page", "op": "=", "value": 1}]
            }
        },
        {"explain": True},
        {"scheme": "vector"},
        {"top_k": 200},
    ]

    def ask(client: TestClient, of: dict[str, str]) -> list[Any]:
        theirs: list[dict[str, Any]] = [
            {"filter": {"document_id": [of["notes"]]}},
            {"filter": f'name starts_with "{of["name"]}"'},
        ]
        return [client.post(path, json={**question, **more, **change}) for change in [*tries, *theirs]]

    return ask


def get(*paths: str) -> Ask:
    return lambda client, of: [client.get(path.format(**of)) for path in paths]


READ: dict[tuple[str, str], Ask] = {
    ("GET", "/v1/collections"): get("/v1/collections"),
    ("GET", "/v1/files"): get("/v1/files", "/v1/files?collection=default"),
    ("GET", "/v1/files/{file_id}"): of_files(""),
    ("GET", "/v1/files/{file_id}/content"): of_files("/content"),
    ("GET", "/v1/files/{file_id}/versions"): of_files("/versions"),
    ("GET", "/v1/files/{file_id}/pages"): of_files("/pages"),
    ("GET", "/v1/files/{file_id}/pages/{number}/image"): of_files("/pages/1/image"),
    ("GET", "/v1/files/{file_id}/chunks"): of_files("/chunks"),
    ("GET", "/v1/files/{file_id}/tables"): of_files("/tables"),
    ("GET", "/v1/images/{chunk_id}"): get("/v1/images/{image}", "/v1/images/{chunk}", "/v1/images/{notes}"),
    ("GET", "/v1/jobs"): get("/v1/jobs", "/v1/jobs?status=queued", "/v1/jobs?status=failed"),
    ("GET", "/v1/jobs/failed"): get("/v1/jobs/failed", "/v1/jobs/failed?collection=default"),
    ("GET", "/v1/jobs/events"): get("/v1/jobs/events?since=0"),
    ("GET", "/v1/sets"): get("/v1/sets"),
    ("GET", "/v1/sets/{name}/questions"): get("/v1/sets/granite/questions", "/v1/sets/{word}/questions"),
    ("GET", "/v1/feedback"): get("/v1/feedback", "/v1/feedback?collection=default"),
    ("GET", "/v1/conversations"): get("/v1/conversations?limit=500"),
    ("GET", "/v1/conversations/{conversation_id}"): get("/v1/conversations/{talk}"),
    ("GET", "/v1/conversations/{conversation_id}/export"): get(
        "/v1/conversations/{talk}/export", "/v1/conversations/{talk}/export?format=json"
    ),
    ("POST", "/v1/search"): asked("/v1/search"),
    ("POST", "/v1/query"): lambda client, of: [
        *asked("/v1/query")(client, of),
        *asked("/v1/query", stream=True)(client, of),
    ],
    ("GET", "/readyz"): get("/readyz"),
}
"""What tells something of documents or of people."""

CHANGE: dict[tuple[str, str], Ask] = {
    ("POST", "/v1/files"): lambda client, of: [
        client.post("/v1/files", files={"file": (name, b"# Mine now\n")}, data={"collection": "default"})
        for name in (f"{of['name']}/notes.md", f"{of['name']}/{of['word']}.pdf", f"{of['name']}/{of['word']}-new.md")
    ],
    ("DELETE", "/v1/files/{file_id}"): lambda client, of: [
        client.delete(f"/v1/files/{of[kind]}") for kind in ("notes", "report", "broken", "waiting")
    ],
    ("POST", "/v1/jobs/{action}"): lambda client, of: [
        client.post(f"/v1/jobs/{action}", json={"ids": [given]})
        for action in ("cancel", "pause", "resume", "retry")
        for given in (
            of["waiting"],
            of["broken"],
            f"{of['name']}/{of['word']}.pdf",
            f"{of['name']}/{of['word']}-new.md",
        )
    ],
    ("POST", "/v1/sets/{name}/questions/{question_id}"): lambda client, of: [
        client.post(f"/v1/sets/{name}/questions/{question}", json={"state": "rejected"})
        for name, question in (("granite", of["name"]), ("granite", f"{of['name']}near"), (of["word"], "x"))
    ],
    ("POST", "/v1/feedback"): lambda client, of: [
        client.post("/v1/feedback", json={"rating": "down", "question": "?", **change})
        for change in ({"id": of["feedback"]}, {"citations": [{"chunk_id": of["chunk"]}]})
    ],
    ("DELETE", "/v1/feedback/{feedback_id}"): lambda client, of: [client.delete(f"/v1/feedback/{of['feedback']}")],
    ("POST", "/v1/conversations"): lambda client, of: [
        client.post("/v1/conversations", json={"filter": {"document_id": [of["notes"]]}})
    ],
    ("PATCH", "/v1/conversations/{conversation_id}"): lambda client, of: [
        client.patch(f"/v1/conversations/{of['talk']}", json=change)
        for change in ({"title": "Mine"}, {"filter": dict[str, Any]()}, {"shown": of["turn"]})
    ],
    ("DELETE", "/v1/conversations/{conversation_id}"): lambda client, of: [
        client.delete(f"/v1/conversations/{of['talk']}")
    ],
    ("POST", "/v1/conversations/{conversation_id}/files"): lambda client, of: [
        client.post(f"/v1/conversations/{of['talk']}/files", files={"file": ("x.md", b"# X\n")})
    ],
}
"""What changes something: with the ids of another it answers 403 or 404, and nothing is changed."""

OPEN = {
    ("GET", path) for path in ("/healthz", "/", "/review", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")
}
"""What is the same for everybody."""


def routes(app: Any) -> set[tuple[str, str]]:
    """Of the application and of the routers in it; what is of no known kind fails."""
    found = set()
    for route in app.routes:
        if hasattr(route, "original_router"):
            found |= routes(route.original_router)
        elif isinstance(route, Mount):
            assert route.path == "/static", f"{route.path} is mounted without a rule"
        else:
            assert isinstance(route, Route | APIRoute), route
            found |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
    return found


def test_every_route_has_a_rule(house: House) -> None:
    assert routes(house.app) == READ.keys() | CHANGE.keys() | OPEN


@pytest.fixture(autouse=True)
def events_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens to events leaves after the first look."""
    looks: dict[int, int] = {}

    async def left(self: Request) -> bool:
        looks[id(self)] = looks.get(id(self), 0) + 1
        return self.url.path.endswith("/events") and looks[id(self)] > 1

    monkeypatch.setattr(Request, "is_disconnected", left)


def traces(answers: list[Any], of: dict[str, str], sent: str = "") -> list[str]:
    """Words, names, hashes and pixels of a tenant in what was answered; what stood in the request tells nothing."""
    wanted = [of["word"], f"{of['name']}/", f"is {of['name']}", f"of {of['name']}"]
    found = []
    for answer in answers:
        body = (
            answer.content.decode("utf-8", "replace")
            if "text" in (kind := answer.headers.get("content-type", "")) or "json" in kind
            else ""
        )
        if answer.is_success and kind.startswith("image/"):
            found.append(f"{answer.request.url}: a picture")
        request = f"{answer.request.url} {answer.request.content.decode('utf-8', 'replace') if answer.request.method != 'GET' else ''}"
        found += [f"{answer.request.url}: {body[:300]}" for word in wanted if word in body and word not in request]
    return found


@pytest.mark.parametrize("route", READ, ids=" ".join)
def test_nobody_is_told_anything_of_another(house: House, route: tuple[str, str]) -> None:
    for name, other in (("red", "blue"), ("blue", "red")):
        of = house.ids[other]
        assert traces(READ[route](house.client(name), of), of) == []
        # The same asked by who may: otherwise there would be nothing to be hidden.
        if route not in (("GET", "/v1/collections"), ("GET", "/readyz")):
            assert traces(READ[route](house.client(other), of), of) or "versions" in route[1] or "pages" in route[1]


@pytest.mark.parametrize("route", READ, ids=" ".join)
def test_what_is_hidden_answers_as_what_is_not_there(house: House, route: tuple[str, str]) -> None:
    """A refusal tells nothing of whether there is something."""
    if "{" not in route[1] or route[0] != "GET":
        return
    of = house.ids["blue"]
    nothing = {key: uuid.uuid4().hex for key in of}
    client = house.client("red")
    for hidden, absent in zip(READ[route](client, of), READ[route](client, nothing), strict=True):
        if hidden.status_code == absent.status_code == 200:  # a set that both see a part of
            continue
        assert hidden.status_code == absent.status_code == 404
        assert without(hidden.text, of) == without(absent.text, nothing)


def without(text: str, ids: dict[str, str]) -> str:
    """What is said, whatever was asked for."""
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "ID")
    return text


def everything(house: House) -> dict[str, Any]:
    client = house.client("")
    talks = {name: house.client(name).get(f"/v1/conversations/{house.ids[name]['talk']}").json() for name in TENANTS}
    paths = ("/v1/files", "/v1/jobs", "/v1/jobs/failed", "/v1/feedback", "/v1/sets/granite/questions", "/v1/sets")
    return {path: client.get(path).json() for path in paths} | talks


@pytest.mark.parametrize("route", CHANGE, ids=" ".join)
def test_nobody_changes_what_is_another_s(house: House, route: tuple[str, str]) -> None:
    before = everything(house)
    for name, other in (("red", "blue"), ("blue", "red")):
        of = house.ids[other]
        answers = CHANGE[route](house.client(name), of)
        assert {answer.status_code for answer in answers} <= {403, 404}
        assert traces(answers, of) == []
    assert everything(house) == before


def test_an_action_for_all_is_for_one_s_own(house: House) -> None:
    red, blue = house.client("red"), house.client("blue")

    def states() -> dict[str, str]:
        return {job["id"]: job["status"] for job in house.client("").get("/v1/jobs").json()["jobs"]}

    before = states()
    theirs = {id_: state for id_, state in before.items() if id_ in house.ids["blue"].values()}
    assert red.post("/v1/jobs/pause", json={}).json()["jobs"] == 1
    assert red.get("/v1/jobs").json()["counts"]["paused"] == 1
    assert "paused" not in blue.get("/v1/jobs").json()["counts"]
    assert {id_: states()[id_] for id_ in theirs} == theirs
    assert red.post("/v1/jobs/retry", json={}).json()["jobs"] == 1
    assert {id_: states()[id_] for id_ in theirs} == theirs
    assert red.post("/v1/jobs/resume", json={}).json()["jobs"] == 1
    assert red.post("/v1/jobs/cancel", json={}).json()["jobs"] == 2
    assert {id_: states()[id_] for id_ in theirs} == theirs


def test_a_kept_answer_is_of_one_s_own_documents(house: House) -> None:
    """The same question under the same settings, asked by one after the other, and again."""
    body = {"question": "How hard is the granite of the quarry?"}
    for _ in range(2):
        for name, other in (("red", "blue"), ("blue", "red")):
            answer = house.client(name).post("/v1/query", json=body)
            assert TENANTS[other] not in answer.text
            assert TENANTS[name] in answer.text
    assert "carmine" in house.client("").post("/v1/query", json=body).text


@pytest.mark.parametrize("path", ["/v1/search", "/v1/query"])
def test_spelling_offers_no_word_of_another(house: House, path: str) -> None:
    asked = {"query": "coballite"} if path.endswith("search") else {"question": "How many tonnes weighs the coballite?"}
    told = house.client("blue").post(path, json=asked)
    assert "cobaltite" in told.text or "cobalt" in told.text
    hidden = house.client("red").post(path, json=asked)
    assert "cobalt" not in hidden.text


def test_the_other_places_of_a_text_are_one_s_own(house: House) -> None:
    asked = {"query": "Where are granite blocks sawn?"}
    hits = house.client("").post("/v1/search", json=asked).json()["hits"]
    assert {place["document"]["name"] for hit in hits for place in hit.get("also", ())} & {
        "red/same.md",
        "blue/same.md",
    }
    hits = house.client("red").post("/v1/search", json=asked).json()["hits"]
    assert "red/same.md" in {hit["document"]["name"] for hit in hits}
    assert not [place for hit in hits for place in hit.get("also", ()) if place["document"]["name"].startswith("blue/")]


def test_a_refusal_to_answer_names_no_place_of_another(house: House) -> None:
    answer = house.client("red").post("/v1/query", json={"question": "Who painted the ceiling of the chapel?"})
    assert answer.json()["abstained"]
    assert traces([answer], house.ids["blue"]) == []


def test_errors_name_no_collection_or_set_of_another(house: House) -> None:
    house.service.ingest(find([Path(house.service.settings.data).parent / "files" / "blue"]), "vault")
    red = house.client("red")
    answers = [
        red.post("/v1/search", json={"query": "granite", "collection": "nowhere"}),
        red.post("/v1/search", json={"query": "granite", "collection": "vault"}),
        red.post("/v1/query", json={"question": "granite", "collection": "nowhere"}),
        red.get("/v1/sets/nowhere/questions"),
        red.get("/v1/collections"),
        red.get("/readyz"),
        red.post("/v1/feedback", json={"rating": "up", "question": "?", "collection": "nowhere"}),
    ]
    assert [number for number, answer in enumerate(answers) if "vault" in answer.text] == [1], "where it was asked for"
    assert traces(answers, house.ids["blue"]) == []
    assert "vault" in house.client("").get("/readyz").text
