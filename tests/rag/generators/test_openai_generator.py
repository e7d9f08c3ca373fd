from __future__ import annotations

import pytest

from rag.answers import Usage
from rag.errors import BadRequest, BadSetting, GeneratorUnavailable, TuwenError
from rag.fake_generator import Reply, ScriptedServer
from rag.generators.openai import OpenAIGenerator
from rag.protocols import GenerationRequest, Message, Sampling

pytest.importorskip("langchain_openai", reason="the extra `openai` is not installed")

MESSAGES = (Message("system", "Be brief."), Message("user", "Hello there"))


def request(**sampling: object) -> GenerationRequest:
    return GenerationRequest("Hello there", "en", (), (), MESSAGES, Sampling(**sampling))  # type: ignore[arg-type]


def generator(server: ScriptedServer, **options: object) -> OpenAIGenerator:
    return OpenAIGenerator(server.base_url, "scripted", **{"timeout_s": 0.5, "retries": 0} | options)  # type: ignore[arg-type]


def test_pieces_come_as_they_are_sent_then_the_usage() -> None:
    with ScriptedServer(Reply(("Ducks ", "swim ", "[1]."))) as server:
        pieces = list(generator(server).stream(request(stop=("\n",), max_tokens=50)))
    assert pieces == ["Ducks ", "swim ", "[1].", Usage(4, 3)]
    (body,) = server.requests
    assert body["stop"] == ["\n"]
    assert body["max_completion_tokens"] == 50
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_a_seed_is_never_sent() -> None:
    with ScriptedServer() as server:
        list(generator(server).stream(request(extra={"seed": 7, "repetition_penalty": 1.1})))
    assert "seed" not in server.requests[0]
    assert server.requests[0]["repetition_penalty"] == 1.1


def test_a_server_that_does_not_count_gives_zeros() -> None:
    with ScriptedServer(Reply(usage=False)) as server:
        assert list(generator(server).stream(request()))[-1] == Usage(0, 0)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(status=500), GeneratorUnavailable, "500"),
        (Reply(status=429), GeneratorUnavailable, "429"),
        (Reply(status=401), BadSetting, "key"),
        (Reply(status=404), BadSetting, "model"),
        (Reply(status=400, body="too long"), BadRequest, "too long"),
        (Reply(before_s=1.5), GeneratorUnavailable, "timeout_s"),
        (Reply(("a", "b"), between_s=1.5), GeneratorUnavailable, "timeout_s"),
        (Reply(("a", "b", "c"), break_after=1), GeneratorUnavailable, "broke off"),
        (Reply(raw=b"data: {bad\n\n"), GeneratorUnavailable, "made no sense"),
        (Reply(raw=b"hello"), GeneratorUnavailable, "made no sense"),
        (Reply(raw=b'data: {"error": {"message": "boom", "code": 500}}\n\n'), GeneratorUnavailable, "boom"),
    ],
)
def test_every_failure_says_what_happened_and_what_to_do(reply: Reply, error: type[TuwenError], words: str) -> None:
    with ScriptedServer(reply) as server, pytest.raises(error, match=words) as caught:
        list(generator(server).stream(request()))
    assert caught.value.remedy


def test_closing_the_iterator_hangs_up() -> None:
    with ScriptedServer(Reply(("word ",) * 400, between_s=0.01)) as server:
        pieces = generator(server).stream(request())
        assert next(pieces) == "word "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(3)


def test_ready_asks_for_the_models() -> None:
    with ScriptedServer(models=("scripted", "other"), key="k") as server:
        generator(server, api_key="k").ready()
        with pytest.raises(BadSetting, match="key"):
            generator(server).ready()
        with pytest.raises(BadSetting, match="scripted, other"):
            OpenAIGenerator(server.base_url, "third", api_key="k").ready()
        assert server.requests == []


def test_nobody_there() -> None:
    nobody = OpenAIGenerator("http://127.0.0.1:9/v1", "scripted", retries=0)
    for attempt in (nobody.ready, lambda: list(nobody.stream(request()))):
        with pytest.raises(GeneratorUnavailable, match="base_url"):
            attempt()
