from __future__ import annotations

import base64
import threading
import time
from dataclasses import replace

import pytest

from rag import abandon
from rag.answers import Usage
from rag.documents import ImageData
from rag.errors import Abandoned, BadRequest, BadSetting, GeneratorBusy, GeneratorUnavailable, TuwenError
from rag.fake_generator import Reply, ScriptedServer
from rag.generators.openai import OpenAIGenerator
from rag.protocols import GenerationRequest, LabelledImage, Message, NextToken, Sampling, WarmUp

MESSAGES = (Message("system", "Be brief."), Message("user", "Hello there"))


def request(**sampling: object) -> GenerationRequest:
    return GenerationRequest("Hello there", "en", (), (), MESSAGES, Sampling(**sampling))  # type: ignore[arg-type]


def generator(server: ScriptedServer, **options: object) -> OpenAIGenerator:
    return OpenAIGenerator(server.base_url, "scripted", **{"timeout_s": 0.5} | options)  # type: ignore[arg-type]


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
        (Reply(status=429), GeneratorBusy, "429"),
        (Reply(status=503, body="warming up"), GeneratorBusy, "warming up"),
        (Reply(status=401), BadSetting, "key"),
        (Reply(status=404), BadSetting, "model"),
        (Reply(status=400, body="too long"), BadRequest, "too long"),
        (Reply(before_s=1.5), GeneratorUnavailable, "timeout_seconds"),
        (Reply(first_s=1.5), GeneratorUnavailable, "timeout_seconds"),
        (Reply(("a", "b"), between_s=1.5), GeneratorUnavailable, "timeout_seconds"),
        (Reply(("a", "b", "c"), break_after=1), GeneratorUnavailable, "broke off"),
        (Reply(raw=b"data: {bad\n\n"), GeneratorUnavailable, "no JSON"),
        (Reply(raw=b"hello"), GeneratorUnavailable, "broke off"),
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
    nobody = OpenAIGenerator("http://127.0.0.1:9/v1", "scripted")
    for attempt in (nobody.ready, lambda: list(nobody.stream(request()))):
        with pytest.raises(GeneratorUnavailable, match="base_url"):
            attempt()


def test_how_the_next_token_is_drawn_is_passed_on_and_neutral_values_are_not() -> None:
    with ScriptedServer() as server:
        chosen = {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repetition_penalty": 1.05, "presence_penalty": 0.5}
        list(generator(server).stream(request(**chosen)))
        list(generator(server).stream(request()))
    tuned, plain = server.requests
    assert {name: tuned[name] for name in chosen} == chosen
    assert not {"top_k", "repetition_penalty", "presence_penalty", "stop", "seed", "response_format"} & set(plain)


def test_a_schema_goes_along() -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    with ScriptedServer() as server:
        list(generator(server).stream(replace(request(), schema=schema)))
    sent = server.requests[0]["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"] == schema


def test_a_server_that_refuses_schemas_is_asked_without_and_not_asked_again() -> None:
    structured = replace(request(), schema={"type": "object"})
    refusal = Reply(status=400, body="response_format is not supported")
    with ScriptedServer(refusal, Reply(("one",)), Reply(("two",))) as server:
        made = generator(server)
        assert next(iter(made.stream(structured))) == "one"
        assert next(iter(made.stream(structured))) == "two"
    assert ["response_format" in body for body in server.requests] == [True, False, False]


def test_what_is_refused_for_another_reason_is_an_error_and_not_the_schemas_fault() -> None:
    structured = replace(request(), schema={"type": "object"})
    too_long = Reply(status=400, body="too long")
    with ScriptedServer(too_long, too_long, Reply(("one",))) as server:
        made = generator(server)
        with pytest.raises(BadRequest, match="too long"):
            list(made.stream(structured))
        assert next(iter(made.stream(structured))) == "one"
    assert ["response_format" in body for body in server.requests] == [True, False, True]


def test_closing_a_structured_answer_hangs_up() -> None:
    with ScriptedServer(Reply(("word ",) * 400, between_s=0.01)) as server:
        pieces = generator(server).stream(replace(request(), schema={"type": "object"}))
        assert next(pieces) == "word "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(3)


def test_pictures_stand_before_the_text_under_their_labels() -> None:
    picture = ImageData(b"not really a PNG", "image/png", 4, 4)
    message = Message("user", "What is on it?", (LabelledImage("Picture of passage [1]:", picture),))
    with ScriptedServer() as server:
        list(generator(server).stream(replace(request(), messages=(message,))))
    label, image, text = server.requests[0]["messages"][0]["content"]
    assert label == {"type": "text", "text": "Picture of passage [1]:"}
    kind, _, data = image["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == picture.data
    assert text == {"type": "text", "text": "What is on it?"}


def test_when_to_come_again_is_what_the_server_says() -> None:
    with ScriptedServer(Reply(status=429, retry_after="7")) as server, pytest.raises(GeneratorBusy) as caught:
        list(generator(server).stream(request()))
    assert caught.value.retry_after == 7


def test_the_connection_is_cut_while_the_server_still_reads_the_prompt() -> None:
    waiting = abandon.Abandonment()
    raised: list[BaseException] = []

    def ask() -> None:
        abandon.within(waiting)
        try:
            list(generator(server, timeout_s=30.0).stream(request()))
        except TuwenError as error:
            raised.append(error)

    with ScriptedServer(Reply(first_s=20.0)) as server:
        thread = threading.Thread(target=ask)
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.1)
        waiting.leave()
        thread.join(3)
        assert not thread.is_alive()
        assert server.hung_up.wait(3)
    assert isinstance(raised[0], Abandoned)


def test_a_warm_up_asks_for_one_token() -> None:
    with ScriptedServer() as server:
        made = generator(server)
        assert isinstance(made, WarmUp)
        assert isinstance(made, NextToken)
        made.warm_up()
    assert server.requests[0]["max_completion_tokens"] == 1
