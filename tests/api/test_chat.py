"""`tuwen chat`, in process and over a server, without weights."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.chat import COMMANDS, Chat, shown
from api.client import Client, HttpClient, LocalClient
from api.schemas import QueryBody
from api.service import Service
from rag.errors import ConversationBusy

BAMBOO = "How much bamboo does a giant panda eat a day?"
CUB = "How heavy is a newborn cub?"


@pytest.fixture(scope="module")
def url(filled: Service) -> Iterator[str]:
    import uvicorn

    from api.app import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(filled), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture(params=["in process", "over a server"])
def client(request: pytest.FixtureRequest, filled: Service, url: str) -> Client:
    return LocalClient(filled) if request.param == "in process" else HttpClient(url)


def talk(chat: Chat, *lines: str | BaseException) -> None:
    """What a person types, then the end of the input."""
    waiting = iter(lines)

    def read(_: str) -> str:
        line = next(waiting, EOFError())
        if isinstance(line, BaseException):
            raise line
        return line

    chat.run(read)


def test_a_conversation_with_follow_ups_and_citations(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    chat = Chat(client)
    talk(chat, BAMBOO, "", "And where does it live?", "/history", "/sources", "/sources 1")
    said = capsys.readouterr()
    assert "38 kilograms" in said.out
    assert "pandas.md (verified)" in said.out
    assert "searched for: And where does it live? (" in said.err
    kept = client.conversation(chat.conversation)["turns"]
    assert [turn["question"] for turn in kept] == [BAMBOO, "And where does it live?"]


def test_commands(client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat = Chat(client)
    file = tmp_path / "talk.md"
    talk(chat, BAMBOO, f"/edit {CUB}", "/again", "/title Bears", f"/export {file}", f"/export {file}")
    turns = client.conversation(chat.conversation)["turns"]
    assert [turn["question"] for turn in turns] == [CUB]
    assert len(turns[0]["versions"]) == 3
    assert file.read_text(encoding="utf-8").startswith("# Bears\n")
    assert "Give another file" in capsys.readouterr().err, "a file that is there is left alone"
    first = chat.conversation
    talk(chat, "/new", "/list", "/open 1")
    assert chat.conversation == first
    assert "Bears" in capsys.readouterr().out
    talk(chat, "/delete", "/help", "/nonsense", "/open nowhere", "/again", "/edit", "/quit", "never asked")
    said = capsys.readouterr()
    assert all(f"/{name}" in said.out for name in COMMANDS)
    assert "no command /nonsense" in said.err
    assert chat.conversation == ""
    assert first not in [item["id"] for item in client.conversations(None)]


def test_for_machines_every_line_is_one_answer(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    chat = Chat(client, as_json=True)
    talk(chat, BAMBOO, "/nonsense", CUB)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["answer", "error", "answer"]
    assert lines[0]["conversation_id"] == lines[2]["conversation_id"] == chat.conversation


class Interrupted:
    """A client whose first answer is stopped by Ctrl-C, and which is busy with it for one more request."""

    def __init__(self, client: Client) -> None:
        self._client, self.asked = client, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def answer(self, body: QueryBody) -> Iterator[tuple[str, dict[str, Any]]]:
        self.asked += 1
        if self.asked == 2:
            raise ConversationBusy("busy")
        for name, event in self._client.answer(body):
            yield name, event
            if self.asked == 1 and name == "message":
                raise KeyboardInterrupt


def test_ctrl_c_stops_an_answer_and_keeps_what_was_said(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    interrupted = Interrupted(client)
    chat = Chat(interrupted)  # type: ignore[arg-type]
    talk(chat, BAMBOO, KeyboardInterrupt(), CUB)
    assert "Stopped" in capsys.readouterr().out
    assert interrupted.asked == 3, "the next question waits for the end of the one that was stopped"
    turns = client.conversation(chat.conversation)["turns"]
    assert [turn["question"] for turn in turns][-1] == CUB
    assert turns[0]["state"] in ("incomplete", "complete")


def test_looking_around_leaves_nothing(client: Client) -> None:
    before = client.conversations(None)
    talk(Chat(client), "/list", "/new", "/history", "/title x", "/export")
    assert client.conversations(None) == before


def test_no_control_character_of_a_document_reaches_the_terminal() -> None:
    assert shown("a\x1b[2Jb\x07\r\x9bc\n\td茶") == "a[2Jbc\n\td茶"
