"""Feedback and review over HTTP, without weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.feedback import fingerprint
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from tests.support.light import LIGHT

BAMBOO = "How much bamboo does a giant panda eat a day?"


@pytest.fixture
def own(tmp_path: Path, folder: Path) -> Iterator[Service]:
    """A service of its own with the files ingested."""
    with open_service(load(tmp_path / "data", LIGHT), "a test") as made:
        made.ingest(find([folder / "pandas.md", folder / "tea.md"]))
        yield made


@pytest.fixture
def http(own: Service) -> TestClient:
    return TestClient(create_app(own))


def judged(http: TestClient, **change: Any) -> dict[str, Any]:
    """What the page would send about a real answer."""
    answer = http.post("/v1/query", json={"question": BAMBOO}).json()
    assert answer["citations"]
    return {
        "rating": "up",
        "question": BAMBOO,
        "answer": answer["answer"],
        "abstained": answer["abstained"],
        "citations": [
            {name: c[name] for name in ("chunk_id", "page", "quote", "verified")} for c in answer["citations"]
        ],
        "context": [hit["chunk_id"] for hit in answer["context"]],
        "generator": answer["generator"],
    } | change


def test_thumbs_are_kept_with_what_they_are_about(http: TestClient, own: Service) -> None:
    given = http.post("/v1/feedback", json=judged(http, comment="  just right "))
    assert given.status_code == 201
    shown = given.json()
    assert shown["comment"] == "just right"
    assert shown["citations"][0]["document"] == "pandas.md"
    assert shown["settings"] == fingerprint(own.settings)
    assert http.get("/v1/feedback").json() == {"feedback": [shown]}
    assert http.get("/v1/feedback?collection=other").json() == {"feedback": []}


def test_a_changed_mind_replaces_and_can_be_taken_back(http: TestClient) -> None:
    first = http.post("/v1/feedback", json=judged(http)).json()
    http.post("/v1/feedback", json=judged(http, id=first["id"], rating="down"))
    assert [item["rating"] for item in http.get("/v1/feedback").json()["feedback"]] == ["down"]
    assert http.delete(f"/v1/feedback/{first['id']}").status_code == 200
    assert http.get("/v1/feedback").json() == {"feedback": []}
    assert http.delete(f"/v1/feedback/{first['id']}").status_code == 404


def test_what_makes_no_sense_is_refused_with_a_remedy(http: TestClient) -> None:
    good = judged(http)
    place = good["citations"][0]
    for change, status in (
        ({"target": "citation", "citations": []}, 400),
        ({"citations": [place | {"chunk_id": "gone"}]}, 404),
        ({"collection": "nowhere"}, 404),
        ({"rating": "sideways"}, 422),
        ({"question": ""}, 422),
    ):
        answer = http.post("/v1/feedback", json=good | change)
        assert answer.status_code == status, change
        assert answer.json()["error"]["remedy"]
    assert http.get("/v1/feedback").json() == {"feedback": []}


def test_deleting_a_document_takes_the_feedback_that_quotes_it(http: TestClient, own: Service) -> None:
    shown = http.post("/v1/feedback", json=judged(http)).json()
    own.delete(shown["citations"][0]["document_id"])
    assert http.get("/v1/feedback").json() == {"feedback": []}


def test_a_new_version_of_a_document_leaves_feedback_alone(http: TestClient, own: Service, tmp_path: Path) -> None:
    http.post("/v1/feedback", json=judged(http))
    new = tmp_path / "pandas.md"
    new.write_text("# Pandas\n\nA giant panda eats 40 kilograms of bamboo a day.\n", encoding="utf-8")
    own.ingest(find([new]))
    assert len(http.get("/v1/feedback").json()["feedback"]) == 1


def test_another_site_gives_no_feedback(http: TestClient) -> None:
    body = judged(http)
    assert http.post("/v1/feedback", json=body, headers={"Origin": "http://elsewhere.example"}).status_code == 403


# --- sets under review -----------------------------------------------------------------------------------------------


@pytest.fixture
def questions(own: Service) -> Path:
    """A set of two in the data directory."""
    chunk = next(
        c for stored in own.documents() if stored.document.name == "pandas.md" for c in own.chunks(stored.document.id)
    )
    lines = [
        {
            "id": "one",
            "question": "How heavy is a cub?",
            "answer": "100 grams",
            "source": "pandas.md",
            "page": None,
            "state": "proposed",
            "provenance": {"chunk_id": chunk.id, "collection": "default", "source": "pandas.md"},
        },
        {"id": "two", "question": "茶园建于哪一年？", "answer": "1952", "source": "gone.md", "state": "proposed"},
    ]
    path = own.settings.data / "sets" / "animals" / "questions.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    (path.parent.parent / "other.jsonl").write_text('{"id": "x", "question": "?"}\n', encoding="utf-8")
    return path


def test_sets_are_listed_and_show_where_their_questions_stand(http: TestClient, questions: Path) -> None:
    listed = http.get("/v1/sets").json()["sets"]
    assert [(one["name"], one["questions"], one["proposed"], one["accepted"]) for one in listed] == [
        ("animals", 2, 2, 0),
        ("other", 1, 0, 1),
    ]
    one, two = http.get("/v1/sets/animals/questions").json()["questions"]
    assert one["place"]["document"]["name"] == "pandas.md"
    assert "panda" in one["place"]["text"]
    assert two["place"] is None


def test_a_decision_is_in_the_file_at_once_and_changes_its_line_only(http: TestClient, questions: Path) -> None:
    beside = (questions.parent.parent / "other.jsonl").read_bytes()
    before = questions.read_text(encoding="utf-8").splitlines()
    body = {"state": "edited", "question": "How much does a newborn cub weigh?", "answer": "100 g"}
    decided = http.post("/v1/sets/animals/questions/one", json=body).json()
    assert decided["state"] == "edited"
    after = questions.read_text(encoding="utf-8").splitlines()
    assert after[1] == before[1]
    assert json.loads(after[0])["original"] == {"question": "How heavy is a cub?", "answer": "100 grams"}
    assert (questions.parent.parent / "other.jsonl").read_bytes() == beside
    http.post("/v1/sets/animals/questions/one", json={"state": "proposed"})
    assert json.loads(questions.read_text(encoding="utf-8").splitlines()[0])["question"] == "How heavy is a cub?"


@pytest.mark.usefixtures("questions")
def test_only_sets_of_the_folder_can_be_reached(http: TestClient) -> None:
    for name in ("nothing", "..", "%2e%2e%2flibrary", "..%2f..%2fx"):
        assert http.get(f"/v1/sets/{name}/questions").status_code == 404, name
    assert http.post("/v1/sets/animals/questions/none", json={"state": "accepted"}).status_code == 404
    assert http.post("/v1/sets/animals/questions/one", json={"state": "edited"}).status_code == 400
