from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rag.answers import Usage
from rag.errors import BadSetting, ExtraMissing, GeneratorUnavailable
from rag.fake_generator import Reply, ScriptedServer
from rag.generators.langchain_chat import LangChainGenerator, load_chat_model
from rag.protocols import GenerationRequest, Message, Sampling

pytest.importorskip("langchain_openai", reason="the extra `openai` is not installed")

MESSAGES = (Message("system", "Be brief."), Message("user", "Hello there"))


def request(**sampling: Any) -> GenerationRequest:
    return GenerationRequest("Hello there", "en", (), (), MESSAGES, Sampling(**sampling))


def over(server: ScriptedServer) -> LangChainGenerator:
    arguments = {
        "model": "scripted",
        "base_url": server.base_url,
        "api_key": "k",
        "max_retries": 0,
        "stream_usage": True,
    }
    return LangChainGenerator(load_chat_model("langchain_openai:ChatOpenAI", arguments), "scripted")


def test_pieces_then_the_usage() -> None:
    with ScriptedServer(Reply(("Ducks ", "swim ", "[1]."))) as server:
        made = over(server)
        made.ready()
        said = list(made.stream(request(stop=("\n",), max_tokens=50, extra={"seed": 7})))
    assert said == ["Ducks ", "swim ", "[1].", Usage(4, 3)]
    (body,) = server.requests
    assert body["max_completion_tokens"] == 50
    assert body["stop"] == ["\n"]
    assert "seed" not in body


def test_blocks_of_a_provider_are_read_as_text() -> None:
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    chat = GenericFakeChatModel(messages=iter([AIMessage(content="Ducks swim.")]))
    said = [piece for piece in LangChainGenerator(chat, "fake").stream(request()) if isinstance(piece, str)]
    assert "".join(said) == "Ducks swim."


def test_whatever_a_provider_raises_is_one_error() -> None:
    with (
        ScriptedServer(Reply(status=500)) as server,
        pytest.raises(GeneratorUnavailable, match="scripted failed") as caught,
    ):
        list(over(server).stream(request()))
    assert caught.value.remedy


def test_closing_the_iterator_hangs_up() -> None:
    with ScriptedServer(Reply(("word ",) * 400, between_s=0.01)) as server:
        pieces: Iterator[Any] = over(server).stream(request())
        assert next(pieces) == "word "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(3)


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("langchain_nowhere:Chat", ExtraMissing, "langchain-nowhere"),
        ("langchain_openai:Nothing", BadSetting, "chat_class"),
        ("langchain_openai", BadSetting, "chat_class"),
        ("langchain_openai:ChatOpenAI", BadSetting, "generator.model"),
    ],
)
def test_a_class_that_cannot_be_had_says_why(reference: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load_chat_model(reference, {"temperature": "not a number"})
