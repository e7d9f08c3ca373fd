"""The probabilities of a reply's first token, in the shape of OpenAI's `logprobs` (also llama.cpp's and vLLM's).

They are asked for as a stream: its head comes while the server still reads the prompt, and with it the connection that is cut when nobody
waits any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx

from rag.errors import GeneratorUnavailable
from rag.generators.chat_stream import json_of
from rag.generators.hang_up import hung_up_when_abandoned
from rag.protocols import Message

LIKELIEST = 20
"""The most that OpenAI's interface gives, and vLLM's by default."""


def next_token_body(messages: Sequence[Message]) -> dict[str, Any]:
    return {
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": LIKELIEST,
    }


def ask_next_token(
    client: httpx.Client,
    url: str,
    body: Mapping[str, Any],
    seconds: float,
    refused: Callable[[httpx.Response], Exception],
) -> dict[str, float]:
    """Natural logarithms by token. Raises what `refused` makes of an answer that is no success, TimeoutError, Abandoned, httpx's errors, and
    GeneratorUnavailable for an answer without probabilities."""
    asked = client.stream("POST", url, json={**body, "stream": True}, timeout=max(0.001, seconds))
    with asked as response, hung_up_when_abandoned(response, seconds):
        if not response.is_success:
            response.read()
            raise refused(response)
        return _first_of(response.iter_lines())


def _first_of(lines: Iterable[str]) -> dict[str, float]:
    """Of the first event with probabilities. A server that knows no streams sends one line that is no event."""
    said = ""
    for line in lines:
        data = line.removeprefix("data:").strip()
        if not data or data.startswith(":") or data == "[DONE]":
            continue
        said = data
        event = json_of(data)
        if isinstance(event, dict) and "error" in event:
            raise GeneratorUnavailable(f"The generator reported an error: {data[:300]}", "Ask again.")
        try:
            if event["choices"][0]["logprobs"]["content"]:
                return read_next_token(event)
        except (KeyError, IndexError, TypeError):
            continue
    return read_next_token(said)


def read_next_token(answer: Any) -> dict[str, float]:
    """Natural logarithms by token, of the likeliest. Raises GeneratorUnavailable for an answer without them."""
    try:
        rows = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {str(row["token"]): float(row["logprob"]) for row in rows}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise GeneratorUnavailable(
            f"The generator's server tells no probabilities of tokens ({str(answer)[:120]}).",
            "Choose a server that answers `logprobs`, or do without what asks for them: retrieval.reranker = llm, answer.verifier = generator, "
            "answer.self_check.",
        ) from error
