"""The routes, over the application in process."""

import base64
import hashlib
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.client import read_events
from api.service import Service


@pytest.fixture(scope="module")
def client(filled: Service) -> Iterator[TestClient]:
    with TestClient(create_app(filled)) as made:
        _until(lambda: made.get("/readyz").status_code == 200)
        yield made


@pytest.fixture
def empty(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as made:
        yield made


def _until(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def _settled(client: TestClient, id_: str) -> dict[str, Any]:
    _until(lambda: client.get(f"/v1/files/{id_}").json()["status"] in ("published", "unchanged", "failed", "cancelled"))
    body: dict[str, Any] = client.get(f"/v1/files/{id_}").json()
    return body


def test_search_answers_in_the_fixed_shape(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "How much bamboo does a panda eat?", "top_k": 2}).json()
    hit = body["hits"][0]
    assert hit["document"]["name"] == "pandas.md"
    assert hit["kind"] == "text"
    assert "38 kilograms" in hit["text"]
    assert {"chunk_id", "kind", "score", "text", "document", "page", "boxes", "sources"} <= hit.keys()
    assert set(hit["sources"]) <= {"dense", "lexical", "entries"}
    assert len(body["hits"]) <= 2
    assert body["timings"]["total"] > 0


def test_an_explained_search_names_its_stages(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "How much bamboo does a panda eat?", "explain": True}).json()
    stages = {stage["name"]: stage["ranking"] for stage in body["explain"]["stages"]}
    assert {"dense", "lexical", "fuse", "fold", "hits"} <= stages.keys()
    assert [id_ for id_, _ in stages["hits"]] == [hit["chunk_id"] for hit in body["hits"]]
    assert 0 <= body["explain"]["evidence"] <= 1
    assert body["explain"]["search"]["question"] == "How much bamboo does a panda eat?"
    first = body["hits"][0]
    assert [step["step"] for step in first["steps"]] == [
        name for name in stages if first["chunk_id"] in dict(stages[name])
    ]
    assert all(
        stages[step["step"]][step["rank"] - 1] == [first["chunk_id"], step["score"]] for step in first["steps"]
    ), "what a step is said to have left of a hit is where that step has it"
    assert "explain" not in client.post("/v1/search", json={"query": "bamboo"}).json()


def test_a_filter_holds(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "bamboo", "filter": {"name": ["tea.md"]}}).json()
    assert {hit["document"]["name"] for hit in body["hits"]} == {"tea.md"}
    body = client.post("/v1/search", json={"query": "bamboo", "filter": {"language": ["zh"]}}).json()
    assert {hit["document"]["name"] for hit in body["hits"]} == {"tea.md"}


@pytest.mark.parametrize(
    ("question", "fact", "name"),
    [
        ("How many kilograms of bamboo does a giant panda eat a day?", "38 kilograms", "pandas.md"),
        ("茶园建于哪一年？", "1952年", "tea.md"),
    ],
)
def test_an_answer_is_cited_and_checked(client: TestClient, question: str, fact: str, name: str) -> None:
    body = client.post("/v1/query", json={"question": question}).json()
    assert fact in body["answer"]
    assert not body["abstained"]
    citation = body["citations"][0]
    assert citation["document"]["name"] == name
    assert citation["verified"]
    assert fact in citation["quote"]
    assert f"[{citation['marker']}]" in body["answer"]
    assert body["generator"] == "extractive"


def test_a_question_that_is_not_answered_there(client: TestClient) -> None:
    body = client.post("/v1/query", json={"question": "Which rocket engine burns liquid methane?"}).json()
    assert body["abstained"]
    assert body["citations"] == []


def test_the_stream_tells_the_same(client: TestClient) -> None:
    asked = {"question": "How much does a newborn cub weigh?", "stream": True}
    with client.stream("POST", "/v1/query", json=asked) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = list(read_events(response.iter_lines()))
    names = [name for name, _ in events]
    assert names[:2] == ["rewrite", "search_results"]
    assert names[-1] == "final_answer"
    assert set(names) == {"rewrite", "search_results", "message", "citation", "final_answer"}
    final = events[-1][1]
    assert "100 grams" in final["answer"]
    assert [data for name, data in events if name == "citation"] == final["citations"]


def test_wrong_requests_say_what_is_wrong(client: TestClient) -> None:
    for path, body, status, named in [
        ("/v1/search", {"query": ""}, 400, "empty"),
        ("/v1/search", {"query": "x", "collection": "nowhere"}, 404, "nowhere"),
        ("/v1/search", {"query": "x", "top_k": 0}, 422, "top_k"),
        ("/v1/search", {"query": "x", "surprise": 1}, 422, "surprise"),
        ("/v1/search", {"image": "bm8gcGljdHVyZQ=="}, 400, "picture"),
        ("/v1/query", {"stream": False}, 422, "question"),
    ]:
        response = client.post(path, json=body)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert named in error["message"]
        assert error["remedy"]
    assert client.post("/v1/search", content=b"{").status_code == 422
    assert client.get("/v1/nothing").json()["error"]["type"] == "HttpError"
    assert client.get("/v1/files/nothing").status_code == 404


def test_an_error_in_a_stream_is_an_event(client: TestClient) -> None:
    with client.stream(
        "POST", "/v1/query", json={"question": "x", "stream": True, "collection": "nowhere"}
    ) as response:
        events = list(read_events(response.iter_lines()))
    assert [name for name, _ in events] == ["error"]
    assert events[0][1]["error"]["type"] == "NotFound"


def test_files_tell_what_became_of_each(client: TestClient) -> None:
    files = {file["name"]: file for file in client.get("/v1/files").json()["files"]}
    assert files["pandas.md"]["status"] == "published"
    assert files["broken.pdf"]["status"] == "failed"
    assert files["broken.pdf"]["error"]["remedy"]
    id_ = files["pandas.md"]["id"]
    assert client.get(f"/v1/files/{id_}").json()["chunks"] >= 1
    assert "bamboo" in client.get(f"/v1/files/{id_}/chunks").json()["chunks"][0]["text"]
    content = client.get(f"/v1/files/{id_}/content")
    assert b"38 kilograms" in content.content
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-disposition"].startswith("attachment")
    assert client.get(f"/v1/files/{id_}/pages").json() == {"pages": []}
    assert client.get(f"/v1/files/{id_}/pages/1/image").status_code == 404


def test_an_upload_is_ingested_shown_and_deleted(empty: TestClient) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (120, 80), "white").save(picture, "PNG")
    sent = [("notes/a.txt", b"The lighthouse has 214 steps."), ("white.png", picture.getvalue())]
    ids = []
    for name, data in sent:
        response = empty.post("/v1/files", files={"file": (name, data)}, data={"name": name, "collection": "my files"})
        assert response.status_code == 202
        assert response.json()["status"] == "queued"
        ids.append(response.json()["id"])
    assert _settled(empty, ids[0])["status"] == "published"
    assert _settled(empty, ids[1])["pages"] == 1
    hits = empty.post("/v1/search", json={"query": "lighthouse steps", "collection": "my files"}).json()["hits"]
    assert hits[0]["document"]["name"] == "notes/a.txt"
    page = empty.get(f"/v1/files/{ids[1]}/pages/1/image", params={"scale": 0.5})
    assert Image.open(io.BytesIO(page.content)).size == (60, 40)
    again = empty.post("/v1/files", files={"file": sent[0]}, data={"name": "notes/a.txt", "collection": "my files"})
    assert _settled(empty, again.json()["id"])["status"] == "published"
    assert empty.delete(f"/v1/files/{ids[0]}").json() == {"id": ids[0], "deleted": True}
    assert empty.get(f"/v1/files/{ids[0]}").status_code == 404
    assert empty.delete(f"/v1/files/{ids[0]}").status_code == 404


def test_a_bad_upload_says_why(empty: TestClient) -> None:
    accepted = empty.post("/v1/files", files={"file": ("song.mp3", b"ID3\x03\x00" + b"\x00" * 500)}).json()
    settled = _settled(empty, accepted["id"])
    assert settled["status"] == "failed"
    assert "song.mp3" in settled["error"]["message"]
    assert settled["error"]["remedy"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/../../b", "\x00", "/"])
def test_a_name_cannot_lead_outside(empty: TestClient, name: str) -> None:
    response = empty.post("/v1/files", files={"file": ("x.txt", b"x")}, data={"name": name})
    assert response.status_code == 400


def test_too_large_an_upload_is_refused(empty: TestClient, service: Service) -> None:
    limited = service.settings.model_copy(
        update={"http": service.settings.http.model_copy(update={"max_upload_bytes": 1000})}
    )
    service.settings = limited
    response = empty.post("/v1/files", files={"file": ("x.txt", b"x" * 2000)})
    assert response.status_code == 413
    assert "http.max_upload_bytes" in response.json()["error"]["remedy"]


def test_a_page_of_another_site_cannot_write(client: TestClient) -> None:
    response = client.post("/v1/search", json={"query": "x"}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert (
        client.post("/v1/search", json={"query": "panda"}, headers={"Origin": "http://testserver"}).status_code == 200
    )


def test_ready_names_what_is_active(client: TestClient) -> None:
    body = client.get("/readyz").json()
    assert body["ready"]
    assert body["models"]["generator"] == "extractive"
    assert body["models"]["image_encoder"].startswith("none")
    assert body["documents"] == 2


def test_a_picture_nobody_can_describe_is_no_question(client: TestClient) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (20, 20)).save(picture, "PNG")
    response = client.post("/v1/search", json={"image": base64.b64encode(picture.getvalue()).decode()})
    assert response.status_code == 400
    assert "recognised" in response.json()["error"]["message"]


def test_two_uploads_of_one_name_at_once_end_as_the_later_one(empty: TestClient) -> None:
    for turn in range(3):
        texts = {hashlib.sha256(text).hexdigest(): text for text in (b"one %d " % turn * 500, b"two %d" % turn)}

        def send(text: bytes, name: str) -> dict[str, Any]:
            body: dict[str, Any] = empty.post("/v1/files", files={"file": (name, text, "text/plain")}).json()
            return body

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(send, texts.values(), [f"note{turn}.txt"] * 2))
        assert [answer["sha256"] for answer in answers] == list(texts), "each is told what it sent"
        (id_,) = {answer["id"] for answer in answers}
        stored = _settled(empty, id_)
        assert stored["status"] == "published"
        assert empty.get(f"/v1/files/{id_}/content").content == texts[stored["sha256"]]
        versions = empty.get(f"/v1/files/{id_}/versions").json()["versions"]
        assert versions[0]["sha256"] == stored["sha256"]
        assert {version["sha256"] for version in versions} <= texts.keys()
