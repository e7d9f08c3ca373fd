"""Back-pressure and clients that leave, over a real server whose generator is scripted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.admission import Admission, Ticket
from api.app import create_app
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag import abandon
from rag.errors import Abandoned, GeneratorUnavailable, Overloaded
from rag.fake_generator import Reply, ScriptedServer
from tests.support.light import LIGHT

QUESTION = {"question": "How much bamboo does a giant panda eat a day?"}
FOREVER = Reply(("A panda ", "eats ", "38 kilograms ", "of bamboo ", "a day [1]."), between_s=20.0)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


# --- the queue ---------------------------------------------------------------------------------------------------------


def in_turn(admission: Admission, ticket: Ticket, entered: list[int], number: int, go: threading.Event) -> None:
    with admission.turn(ticket):
        entered.append(number)
        go.wait(5)


def test_first_come_first_served_within_the_limits() -> None:
    admission, entered = Admission(2, 3), list[int]()
    goes = [threading.Event() for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        for number, go in enumerate(goes):
            pool.submit(in_turn, admission, admission.admit(), entered, number, go)
            until(lambda number=number: len(entered) == min(number + 1, 2))  # type: ignore[misc]
        assert (admission.under_way, admission.waiting) == (2, 3)
        with pytest.raises(Overloaded) as caught:
            admission.admit()
        assert caught.value.retry_after >= 1
        for number, go in enumerate(goes):
            go.set()
            until(lambda number=number: len(entered) == min(number + 3, 5))  # type: ignore[misc]
    assert entered == [0, 1, 2, 3, 4]
    assert (admission.under_way, admission.waiting) == (0, 0)


def test_when_to_come_again_follows_how_long_answers_take() -> None:
    times = iter([0.0, 60.0] * 40)
    admission = Admission(1, 0, now=lambda: next(times))
    for _ in range(40):
        with admission.turn(admission.admit()):
            pass
    kept = admission.admit()
    with pytest.raises(Overloaded) as caught:
        admission.admit()
    assert 55 <= caught.value.retry_after <= 60
    admission.leave(kept)
    admission.leave(kept)
    admission.admit()


def test_who_leaves_while_waiting_gives_the_place_back() -> None:
    admission, waiting = Admission(1, 1), abandon.Abandonment()
    admission.admit()
    second, raised = admission.admit(), list[BaseException]()

    def wait() -> None:
        abandon.within(waiting)
        try:
            with admission.turn(second):
                raise AssertionError("it was not its turn")
        except Abandoned as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    waiting.leave()
    thread.join(3)
    assert raised
    assert (admission.under_way, admission.waiting) == (1, 0)


# --- over HTTP ---------------------------------------------------------------------------------------------------------


@contextmanager
def serving(service: Service) -> Iterator[tuple[httpx.Client, Admission]]:
    """A real server: the one that the test client stands for never tells that a client left."""
    app = create_app(service)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
        until(lambda: client.get("/readyz").status_code == 200)
        yield client, app.state.tuwen.admission
    server.should_exit = True
    thread.join(10)


def _openai(scripted: ScriptedServer) -> dict[str, Any]:
    return LIGHT | {"generator": {"kind": "openai", "base_url": scripted.base_url, "model": "scripted"}}


@contextmanager
def asked(
    tmp_path: Path, folder: Path, scripted: ScriptedServer, *, self_check: bool = False, **http: int
) -> Iterator[tuple[httpx.Client, Any]]:
    answer = {"cache": 0, "abstain": False, "self_check": self_check}
    overrides = _openai(scripted) | {"http": http, "answer": answer}
    with open_service(load(tmp_path / "data", overrides), "a test") as service:
        service.ingest(find([folder]))
        with serving(service) as (client, admission):
            yield client, admission


@contextmanager
def streaming(client: httpx.Client) -> Iterator[Iterator[str]]:
    """An answer under way: its first words have come."""
    with client.stream("POST", "/v1/query", json=QUESTION | {"stream": True}) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        assert any(line == "event: message" for line in lines)
        yield lines


def test_beyond_the_limits_the_answer_is_429(tmp_path: Path, folder: Path) -> None:
    with (
        ScriptedServer(Reply(), FOREVER) as scripted,
        asked(tmp_path, folder, scripted, answers_at_once=1, answers_waiting=0) as (client, admission),
    ):
        with streaming(client):
            for stream in (True, False):
                refused = client.post("/v1/query", json=QUESTION | {"stream": stream})
                assert refused.status_code == 429
                assert int(refused.headers["Retry-After"]) >= 1
                assert refused.json()["error"]["type"] == "Overloaded"
                assert "http.answers_at_once" in refused.json()["error"]["remedy"]
            assert client.get("/healthz").status_code == 200
        until(lambda: admission.under_way == 0)
        with streaming(client):
            pass


def test_a_waiting_question_is_answered_in_its_turn(tmp_path: Path, folder: Path) -> None:
    short = Reply(("A panda eats 38 kilograms of bamboo a day [1].",), before_s=0.3)
    with (
        ScriptedServer(Reply(), short) as scripted,
        asked(tmp_path, folder, scripted, answers_at_once=1, answers_waiting=2) as (client, _),
        ThreadPoolExecutor(4) as pool,
    ):
        done = list(pool.map(lambda _: client.post("/v1/query", json=QUESTION), range(4)))
    assert sorted(answer.status_code for answer in done) == [200, 200, 200, 429]


@pytest.mark.parametrize("reply", [FOREVER, Reply(first_s=30.0)], ids=["writing", "reading the prompt"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_ends_the_generators_work(
    tmp_path: Path, folder: Path, reply: Reply, stream: bool
) -> None:
    with (
        ScriptedServer(Reply(), reply) as scripted,
        asked(tmp_path, folder, scripted) as (client, admission),
    ):
        # Somebody who loses patience: the connection is closed while nothing comes.
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/query", json=QUESTION | {"stream": stream}, timeout=httpx.Timeout(20, read=1.5))
        assert len(scripted.requests) == 2
        assert scripted.hung_up.wait(2)
        until(lambda: admission.under_way == 0, 2)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_ends_the_self_check(tmp_path: Path, folder: Path, stream: bool) -> None:
    with (
        ScriptedServer(Reply(), Reply(first_s=30.0)) as scripted,
        asked(tmp_path, folder, scripted, self_check=True) as (client, admission),
    ):
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/query", json=QUESTION | {"stream": stream}, timeout=httpx.Timeout(20, read=1.5))
        assert scripted.requests[1]["logprobs"] is True
        assert scripted.hung_up.wait(2)
        until(lambda: admission.under_way == 0, 2)
        assert len(scripted.requests) == 2, "no answer was asked for"


def test_a_stopped_turn_is_kept_as_incomplete_without_an_error(tmp_path: Path, folder: Path) -> None:
    with (
        ScriptedServer(Reply(), FOREVER) as scripted,
        asked(tmp_path, folder, scripted) as (client, admission),
    ):
        id_ = client.post("/v1/conversations", json={}).json()["id"]
        body = QUESTION | {"stream": True, "conversation_id": id_}
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/query", json=body, timeout=httpx.Timeout(20, read=1.5))
        until(lambda: admission.under_way == 0, 2)
        (turn,) = client.get(f"/v1/conversations/{id_}").json()["turns"]
    assert (turn["state"], turn["answer"].split()[:2], turn["error"]) == ("incomplete", ["A", "panda"], "")


def test_a_generator_that_dies_is_an_error_event_at_once_and_the_next_question_is_answered(
    tmp_path: Path, folder: Path
) -> None:
    dies = Reply(("A panda eats ", "38 kilograms "), break_after=1)
    well = Reply(("A panda eats 38 kilograms of bamboo a day [1].",))
    with (
        ScriptedServer(Reply(), dies, well) as scripted,
        asked(tmp_path, folder, scripted) as (client, _),
    ):
        body = client.post("/v1/query", json=QUESTION | {"stream": True}).text
        events = [line.removeprefix("event: ") for line in body.splitlines() if line.startswith("event: ")]
        assert events[-1] == "error"
        data = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
        assert json.loads(data[-1])["error"]["type"] == "GeneratorUnavailable"
        assert "38 kilograms" in client.post("/v1/query", json=QUESTION).json()["answer"]


def test_a_generator_that_starts_later_is_waited_for(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.app.GENERATOR_AGAIN_S", 0.1)
    away = [True]
    with ScriptedServer() as scripted, open_service(load(tmp_path / "data", _openai(scripted)), "a test") as service:
        ready = service.generator.ready
        monkeypatch.setattr(service.generator, "ready", lambda: _away() if away[0] else ready())
        app = create_app(service)
        with TestClient(app) as client:
            until(lambda: client.get("/readyz").json().get("error", {}).get("type") == "GeneratorUnavailable")
            assert client.get("/readyz").status_code == 503
            away[0] = False
            until(lambda: client.get("/readyz").status_code == 200)
            assert "generator_error" not in client.get("/readyz").json()
            away[0] = True
            later = client.get("/readyz")
            assert (later.status_code, later.json()["generator_error"]["type"]) == (200, "GeneratorUnavailable")
        assert scripted.requests[0]["max_completion_tokens"] == 1, "it was warmed up"


def _away() -> None:
    raise GeneratorUnavailable("It is not there yet.")
