"""Conversations over HTTP and in process, without weights."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from reportlab.pdfgen.canvas import Canvas

from api import conversations
from api.access import OWNER
from api.app import create_app
from api.client import read_events
from api.schemas import QueryBody
from api.service import Service, open_service
from api.settings import load
from api.transcripts import _inert
from ingest.files import InputFile, find
from rag.errors import ConversationBusy, GeneratorUnavailable
from rag.fake_generator import ScriptedGenerator
from tests.ingest.parsers.pdf_samples import lines, make
from tests.support.light import LIGHT

BAMBOO = "How much bamboo does a giant panda eat a day?"


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    data = tmp_path_factory.mktemp("ingested") / "data"
    with open_service(load(data, LIGHT), "a test") as made:
        made.ingest(find([folder / "pandas.md", folder / "tea.md"]))
    return data


@pytest.fixture
def own(tmp_path: Path, ingested: Path) -> Iterator[Service]:
    """A service of its own with the files ingested."""
    shutil.copytree(ingested, tmp_path / "data")
    with open_service(load(tmp_path / "data", LIGHT), "a test") as made:
        yield made


@pytest.fixture
def http(own: Service) -> TestClient:
    return TestClient(create_app(own))


def begin(http: TestClient, **body: Any) -> str:
    answer = http.post("/v1/conversations", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ask(http: TestClient, conversation: str, question: str, **more: Any) -> dict[str, Any]:
    answer = http.post("/v1/query", json={"question": question, "conversation_id": conversation} | more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def turns(http: TestClient, conversation: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"/v1/conversations/{conversation}").json()["turns"]
    return found


def document(own: Service, name: str) -> str:
    return next(stored.document.id for stored in own.documents() if stored.document.name == name)


def test_a_turn_is_kept_with_what_it_was_answered_from(http: TestClient) -> None:
    id_ = begin(http)
    answer = ask(http, id_, BAMBOO)
    (turn,) = turns(http, id_)
    assert (answer["conversation_id"], answer["turn_id"]) == (id_, turn["id"])
    for part in ("answer", "abstained", "generator"):
        assert turn[part] == answer[part]
    assert [{k: v for k, v in c.items() if k != "now"} for c in turn["citations"]] == answer["citations"]
    assert [hit["text"] for hit in turn["context"]] == [hit["text"] for hit in answer["context"]]
    assert {c["now"]["state"] for c in turn["citations"]} == {"current"}
    (listed,) = http.get("/v1/conversations").json()["conversations"]
    assert (listed["id"], listed["title"], listed["turns"]) == (id_, BAMBOO, 1)


def test_a_follow_up_is_read_with_what_was_said(http: TestClient) -> None:
    id_ = begin(http)
    ask(http, id_, BAMBOO)
    ask(http, id_, "And where does it live?")
    follow = turns(http, id_)[1]
    assert "panda" in follow["searched"]
    assert "Sichuan" in follow["answer"]


def test_a_streamed_turn_is_stored_before_its_end_is_told(http: TestClient) -> None:
    id_ = begin(http)
    body = {"question": BAMBOO, "conversation_id": id_, "stream": True}
    with http.stream("POST", "/v1/query", json=body) as response:
        events = list(read_events(response.iter_lines()))
    names = [name for name, _ in events]
    assert names[:2] == ["rewrite", "search_results"]
    assert names[-1] == "final_answer"
    assert events[0][1]["turn_id"] == events[-1][1]["turn_id"] == turns(http, id_)[0]["id"]


def test_listing_naming_and_deleting(http: TestClient) -> None:
    first, second = begin(http), begin(http, title="  Tea \n time ")
    shown = http.get("/v1/conversations?limit=1").json()
    assert [item["title"] for item in shown["conversations"]] == ["Tea time"]
    assert shown["more"] is True
    assert http.get("/v1/conversations?collection=other").json() == {"conversations": [], "more": False}
    assert http.patch(f"/v1/conversations/{first}", json={"title": "Bears"}).json()["title"] == "Bears"
    ask(http, first, BAMBOO)
    assert [item["title"] for item in http.get("/v1/conversations").json()["conversations"]] == ["Bears", "Tea time"]
    assert http.delete(f"/v1/conversations/{second}").status_code == 200
    assert http.get(f"/v1/conversations/{second}").status_code == 404
    assert http.delete(f"/v1/conversations/{second}").status_code == 404


def test_what_makes_no_sense_is_refused_with_a_remedy(http: TestClient) -> None:
    id_, other = begin(http), begin(http)
    turn = ask(http, other, BAMBOO)["turn_id"]
    for method, path, body, status in (
        ("POST", "/v1/query", {"question": "x", "conversation_id": "nowhere"}, 404),
        ("POST", "/v1/query", {"question": "x", "conversation_id": "nowhere", "stream": True}, 404),
        ("POST", "/v1/query", {"question": "x", "replaces": turn}, 400),
        ("POST", "/v1/query", {"question": "x", "conversation_id": id_, "replaces": turn}, 404),
        ("POST", "/v1/query", {"question": "x", "conversation_id": id_, "collection": "other"}, 400),
        (
            "POST",
            "/v1/query",
            {"question": "x", "conversation_id": id_, "turns": [{"role": "user", "content": "y"}]},
            400,
        ),
        ("PATCH", f"/v1/conversations/{id_}", {"title": "  "}, 400),
        ("PATCH", f"/v1/conversations/{id_}", {"shown": turn}, 404),
        ("PATCH", f"/v1/conversations/{id_}", {"filter": {"document_id": ["nothing"]}}, 404),
        ("POST", "/v1/conversations", {"filter": {"document_id": ["nothing"]}}, 404),
        ("GET", f"/v1/conversations/{id_}/export?format=pdf", None, 422),
    ):
        answer = http.request(method, path, json=body)
        assert answer.status_code == status, (method, path, body, answer.text)
        assert answer.json()["error"]["remedy"]
    assert turns(http, id_) == []


def test_a_scope_holds_for_every_question(http: TestClient, own: Service) -> None:
    tea = document(own, "tea.md")
    id_ = begin(http, filter={"document_id": [tea]})
    assert {hit["document"]["name"] for hit in ask(http, id_, BAMBOO)["context"]} <= {"tea.md"}
    http.patch(f"/v1/conversations/{id_}", json={"filter": {"document_id": [document(own, "pandas.md")]}})
    assert {hit["document"]["name"] for hit in ask(http, id_, BAMBOO)["context"]} == {"pandas.md"}
    # A question may narrow it, and cannot widen it.
    answer = ask(http, id_, BAMBOO, filter={"document_id": [tea]})
    assert answer["context"] == []
    assert answer["abstained"]


def test_a_scope_whose_documents_went_allows_nothing(http: TestClient, own: Service) -> None:
    tea = document(own, "tea.md")
    id_ = begin(http, filter={"document_id": [tea]})
    own.delete(tea)
    assert http.get(f"/v1/conversations/{id_}").json()["gone"] == [tea]
    assert ask(http, id_, BAMBOO)["context"] == []


def test_editing_and_asking_again_keep_the_old(http: TestClient) -> None:
    id_ = begin(http)
    first = ask(http, id_, BAMBOO)["turn_id"]
    second = ask(http, id_, "And where does it live?")["turn_id"]
    again = ask(http, id_, BAMBOO, replaces=first)["turn_id"]
    edited = ask(http, id_, "How heavy is a newborn cub?", replaces=first)["turn_id"]
    (shown,) = turns(http, id_)
    assert shown["versions"] == [first, again, edited]
    assert shown["id"] == edited
    assert "100 grams" in shown["answer"]
    back = http.patch(f"/v1/conversations/{id_}", json={"shown": first}).json()
    assert [turn["id"] for turn in back["turns"]] == [first, second]


def test_a_citation_of_a_changed_document_says_where_it_stands_now(
    http: TestClient, own: Service, tmp_path: Path
) -> None:
    id_ = begin(http)
    cited = ask(http, id_, BAMBOO)["citations"][0]
    sentence = "A giant panda eats about 38 kilograms of bamboo a day."

    def now(text: str) -> dict[str, Any]:
        file = tmp_path / "pandas.md"
        file.write_text(text, encoding="utf-8")
        report = own.ingest([InputFile(file, "pandas.md")])
        assert report.states["published"] == 1, report.failures
        (turn,) = turns(http, id_)
        kept = turn["citations"][0]
        assert kept["quote"] == cited["quote"], "the old quote stays"
        place: dict[str, Any] = kept["now"]
        return place

    assert sentence in cited["quote"]
    moved = now(f"# Bears\n\nIntroduction.\n\n# Pandas\n\n{cited['quote']}\n")
    assert moved["state"] == "moved"
    chunks = {
        chunk["chunk_id"]: chunk for chunk in http.get(f"/v1/files/{cited['document']['id']}/chunks").json()["chunks"]
    }
    assert cited["quote"] in chunks[moved["chunk_id"]]["text"]
    assert now("# Pandas\n\nA giant panda eats 40 kilograms a day.\n") == {
        "state": "changed",
        "chunk_id": None,
        "page": None,
        "boxes": [],
    }


def test_a_citation_of_a_pdf_stands_at_its_lines_in_the_old_version_and_the_new(
    http: TestClient, own: Service, tmp_path: Path
) -> None:
    otters = "A sea otter wears about 150,000 hairs on a square centimetre."
    others = ["Otters live in cold water and rest", "on their backs among the kelp."]
    question = "How many hairs does a sea otter wear on a square centimetre?"

    def publish(texts: list[list[str]]) -> None:
        def draw(canvas: Canvas) -> None:
            for number, paragraph in enumerate(texts):
                lines(canvas, paragraph, 60, 100 + 60 * number)
            canvas.showPage()

        report = own.ingest([InputFile(make(tmp_path / "otters.pdf", draw), "otters.pdf")])
        assert report.states["published"] == 1, report.failures

    publish([others, [otters]])
    id_ = begin(http)
    (cited,) = ask(http, id_, question)["citations"]
    ((page, _, top, _, bottom),) = cited["boxes"]
    assert page == cited["page"] == 1
    assert top < 160 < bottom + 4
    assert bottom - top < 16, "one line"
    publish([others, others, [otters]])
    now = turns(http, id_)[0]["citations"][0]["now"]
    assert now["state"] == "moved"
    assert len(now["boxes"]) == 1
    assert now["boxes"][0][2] == pytest.approx(top + 60, abs=1)


def test_a_deleted_document_takes_its_words_along(http: TestClient, own: Service) -> None:
    id_ = begin(http)
    ask(http, id_, BAMBOO)
    own.delete(document(own, "pandas.md"))
    (turn,) = turns(http, id_)
    assert (turn["question"], turn["answer"], turn["state"]) == (BAMBOO, "", "removed")
    everything = http.get(f"/v1/conversations/{id_}/export?format=json").text
    assert "38 kilograms" not in everything
    assert "removed" in http.get(f"/v1/conversations/{id_}/export").text


def test_one_question_at_a_time(http: TestClient, own: Service) -> None:
    id_ = begin(http)
    body = QueryBody(question=BAMBOO, conversation_id=id_)
    first = conversations.ask(own, body, caller=OWNER)
    begun = next(first)
    assert isinstance(begun, conversations.Begun)
    for stream in (False, True):
        answer = http.post("/v1/query", json={"question": "x", "conversation_id": id_, "stream": stream})
        assert answer.status_code == 409
        assert answer.json()["error"]["type"] == "ConversationBusy"
    # Another conversation is not held up.
    assert ask(http, begin(http), BAMBOO)["answer"]
    for _ in first:
        pass
    assert [turn["id"] for turn in turns(http, id_)] == [begun.turn_id]
    ask(http, id_, "And where does it live?")
    assert len(turns(http, id_)) == 2


def test_of_many_at_once_each_is_answered_or_refused(own: Service, http: TestClient) -> None:
    id_ = begin(http)
    outcomes: list[str] = []

    def one(number: int) -> None:
        body = QueryBody(question=f"{BAMBOO} ({number})", conversation_id=id_)
        try:
            for _ in conversations.ask(own, body, caller=OWNER):
                time.sleep(0.001)
            outcomes.append("answered")
        except ConversationBusy:
            outcomes.append("refused")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    kept = turns(http, id_)
    assert len(kept) == outcomes.count("answered") >= 1
    assert http.get("/v1/conversations").json()["conversations"][0]["turns"] == len(kept), "no hidden branches"


def test_an_answer_that_nobody_reads_on_is_kept_as_incomplete(own: Service, http: TestClient) -> None:
    own._made["generator"] = generator = ScriptedGenerator("A giant panda eats about 38 kilograms of bamboo a day [1].")
    id_ = begin(http)
    events = conversations.ask(own, QueryBody(question=BAMBOO, conversation_id=id_), caller=OWNER)
    said = ""
    for event in events:
        if isinstance(event, str):
            said += event
            if len(said) > 20:
                break
    events.close()  # type: ignore[attr-defined]
    assert generator.closed_early == 1
    (turn,) = turns(http, id_)
    assert (turn["state"], turn["answer"]) == ("incomplete", said)
    assert turn["citations"] == []
    assert turn["context"]
    # The conversation goes on.
    assert ask(http, id_, BAMBOO)["citations"]


def test_a_generator_that_fails_leaves_the_question_and_the_reason(own: Service, http: TestClient) -> None:
    own._made["generator"] = ScriptedGenerator(GeneratorUnavailable("The generator died.", "Start it."), "Fine [1].")
    id_ = begin(http)
    assert http.post("/v1/query", json={"question": BAMBOO, "conversation_id": id_}).status_code == 503
    (turn,) = turns(http, id_)
    assert (turn["state"], turn["answer"], turn["error"]) == ("incomplete", "", "The generator died.")
    again = ask(http, id_, BAMBOO, replaces=turn["id"])
    assert [shown["id"] for shown in turns(http, id_)] == [again["turn_id"]]


def test_a_conversation_deleted_meanwhile_is_not_brought_back(own: Service, http: TestClient) -> None:
    id_ = begin(http)
    events = conversations.ask(own, QueryBody(question=BAMBOO, conversation_id=id_), caller=OWNER)
    next(events)
    http.delete(f"/v1/conversations/{id_}")
    last = list(events)[-1]
    assert isinstance(last, conversations.Answered)
    assert last.turn is None
    assert any("deleted" in note for note in last.answer.notes)
    assert http.get("/v1/conversations").json()["conversations"] == []


def test_a_long_conversation_fits_the_generator(own: Service, http: TestClient) -> None:
    own._made["generator"] = generator = ScriptedGenerator(
        "How much bamboo do giant pandas eat a day? " * 3, context_tokens=700
    )
    id_ = begin(http)
    for n in range(8):
        ask(http, id_, f"{BAMBOO} Please say it for the {n}th time, {'and at length ' * 10}.")
    condensing = [request for request in generator.requests if not request.passages]
    assert len(condensing) == 7
    for request in condensing:
        assert sum(generator.count_tokens(message.content) for message in request.messages) < 700
    stored = own.conversations.store.turns(id_)
    assert [bool(turn.summary) for turn in stored] == [False] * 3 + [True] * 5
    assert BAMBOO[:20] in stored[-1].summary


def test_a_file_uploaded_in_a_conversation_joins_its_scope(http: TestClient, own: Service) -> None:
    id_ = begin(http, filter={"document_id": [document(own, "tea.md")]})
    answer = http.post(f"/v1/conversations/{id_}/files", files={"file": ("ducks.md", b"# Ducks\n\nDucks eat weed.\n")})
    assert answer.status_code == 202
    scope = http.get(f"/v1/conversations/{id_}").json()["filter"]["document_id"]
    assert scope == [document(own, "tea.md"), answer.json()["id"]]
    missing = http.post("/v1/conversations/nowhere/files", files={"file": ("ducks.md", b"x")})
    assert missing.status_code == 404


def test_exports(http: TestClient) -> None:
    id_ = begin(http, title="熊猫 / bears")
    first = ask(http, id_, BAMBOO)["turn_id"]
    ask(http, id_, "How heavy is a newborn cub?", replaces=first)
    read = http.get(f"/v1/conversations/{id_}/export")
    assert read.headers["content-type"].startswith("text/markdown")
    assert "filename*=UTF-8''%E7%86%8A%E7%8C%AB" in read.headers["content-disposition"]
    assert read.text.startswith("# 熊猫 / bears\n")
    assert "## How heavy is a newborn cub?" in read.text
    assert "pandas.md (verified)" in read.text
    assert BAMBOO not in read.text, "the branch that is shown"
    whole = json.loads(http.get(f"/v1/conversations/{id_}/export?format=json").text)
    assert [turn["question"] for turn in whole["turns"]] == [BAMBOO, "How heavy is a newborn cub?"]
    assert whole["head"] == whole["turns"][1]["id"]


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/p.png)",
        "[click](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "<https://evil.example>",
        "see https://evil.example/?q=secret and www.evil.example",
        "[ref]: https://evil.example",
        "# heading\n> quote\n- item\n1. first\n```\ncode\n```\n*bold* _it_ ~~no~~ `x` | a |",
    ],
)
def test_no_markup_of_a_document_works_in_an_export(text: str) -> None:
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(_inert(text))
    for tag in ("<img", "<a ", "<h1", "<blockquote", "<li", "<code", "<em", "<strong", "<s>", "<table"):
        assert tag not in html, html


def test_another_site_changes_no_conversation(http: TestClient) -> None:
    id_ = begin(http)
    for method in ("PATCH", "DELETE"):
        answer = http.request(
            method, f"/v1/conversations/{id_}", json={}, headers={"Origin": "http://elsewhere.example"}
        )
        assert answer.status_code == 403


# --- answers kept -----------------------------------------------------------------------------------------------------


def test_the_same_question_is_answered_once_until_a_document_changes(
    http: TestClient, own: Service, tmp_path: Path
) -> None:
    body = {"question": BAMBOO}
    first = http.post("/v1/query", json=body).json()
    again = http.post("/v1/query", json=body).json()
    assert again["answer"] == first["answer"]
    assert again["citations"] == first["citations"]
    assert "cache" in again["timings"]
    assert any("kept from before" in note for note in again["notes"])
    assert "cache" not in http.post("/v1/query", json=body | {"top_k": 3}).json()["timings"]
    assert "cache" not in http.post("/v1/query", json=body | {"explain": True}).json()["timings"]
    file = tmp_path / "pandas.md"
    file.write_text("# Pandas\n\nA giant panda eats about 40 kilograms of bamboo a day.\n", encoding="utf-8")
    assert own.ingest([InputFile(file, "pandas.md")]).states["published"] == 1
    changed = http.post("/v1/query", json=body).json()
    assert "40 kilograms" in changed["answer"]
    assert "cache" not in changed["timings"]
    own.delete(document(own, "pandas.md"))
    assert "kilograms" not in http.post("/v1/query", json=body).json()["answer"]


def test_conversations_are_answered_anew(http: TestClient) -> None:
    http.post("/v1/query", json={"question": BAMBOO})
    assert "cache" not in ask(http, begin(http), BAMBOO)["timings"]
    said = [{"role": "user", "content": "What do pandas eat?"}, {"role": "assistant", "content": "Bamboo."}]
    for _ in range(2):
        answer = http.post("/v1/query", json={"question": BAMBOO, "turns": said}).json()
        assert "cache" not in answer["timings"]
