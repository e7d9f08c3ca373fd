"""One model of one server with OpenAI's chat interface (vLLM, llama.cpp's server, a hosted model), spoken to directly.

Through LangChain the first token came 5 ms later and each further one 0.9 ms, and a connection could not be cut by another thread
than the one that reads it (docs/decisions/0008-generator-over-http.md). Several servers: rag/generators/pool.py.
"""

from __future__ import annotations

from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

import httpx

from rag.answers import Usage
from rag.errors import BadRequest, BadSetting, GeneratorUnavailable
from rag.generators.chat_body import chat_body
from rag.generators.chat_stream import read_events
from rag.generators.estimate import estimate_tokens
from rag.generators.hang_up import hung_up_when_abandoned
from rag.generators.next_token import ask_next_token, next_token_body
from rag.generators.openai_errors import key_refused, lost, refused, unreachable
from rag.protocols import GenerationRequest, Message, Sampling

READY_TIMEOUT_S = 3.0


class OpenAIGenerator:
    """The server queues and batches; nothing is locked here, and nothing is tried twice: the pool does that."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "",
        timeout_s: float = 120.0,
        connect_timeout_s: float = 5.0,
        context_tokens: int = 8192,
    ) -> None:
        """`base_url` ends in `/v1`. `model` is the name that the server knows, or that of a LoRA it was started with. `timeout_s` bounds
        the wait for the next piece. `context_tokens` is what the server was started with; it is not asked."""
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._timeout = httpx.Timeout(timeout_s, connect=connect_timeout_s)
        self._context_tokens = context_tokens
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
        self._refuses_schemas = False
        self._client = httpx.Client(headers=headers, timeout=self._timeout, limits=limits)

    @property
    def name(self) -> str:
        return f"openai {self._model}"

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """An upper estimate: the tokenizer is on the server."""
        return estimate_tokens(text)

    def ready(self) -> None:
        """Asks the server for its models, which no server computes for."""
        try:
            answer = self._client.get(f"{self._base_url}/models", timeout=READY_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self._base_url, error) from error
        if answer.status_code in (401, 403):
            raise key_refused(self._base_url)
        if answer.status_code >= 500:
            raise GeneratorUnavailable(f"{self._base_url} answers {answer.status_code}.", "Look at the server's log.")
        if answer.status_code != httpx.codes.OK:
            # Some gateways serve chat completions only.
            return
        served = _model_ids(answer)
        if served and self._model not in served:
            raise BadSetting(
                f"{self._base_url} does not serve {self._model}.",
                f"Set generator.model to one of: {', '.join(served[:8])}.",
            )

    def warm_up(self) -> None:
        """Satisfies `rag.protocols.WarmUp`: opens a connection, and has the server compute once."""
        greeting = (Message("user", "Hello"),)
        for _ in self.stream(GenerationRequest("", "en", (), (), greeting, Sampling(max_tokens=1))):
            pass

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        """Leaving early, from here or by `rag.abandon`, closes the connection, by which the server knows that nobody waits. A server that
        refuses a JSON schema is asked without one, this time and from then on."""
        if request.schema is None:
            yield from self._stream(request)
        else:
            yield from self._stream_structured(request)

    def _stream_structured(self, request: GenerationRequest) -> Iterator[str | Usage]:
        if not self._refuses_schemas:
            pieces = self._stream(request)
            with closing(pieces), suppress(BadRequest):
                yield next(pieces)
                yield from pieces
                return
        with closing(self._stream(replace(request, schema=None))) as plain:
            first = next(plain)
            # The same request is taken without the schema: that is what was refused.
            self._refuses_schemas = True
            yield first
            yield from plain

    def _stream(self, request: GenerationRequest) -> Pieces[str | Usage, None, None]:
        url, body = f"{self._base_url}/chat/completions", chat_body(self._model, request)
        try:
            with self._client.stream("POST", url, json=body) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise refused(self._base_url, self._model, response)
                with hung_up_when_abandoned(response), closing(read_events(response.iter_lines())) as events:
                    yield from events
        except httpx.HTTPError as error:
            raise lost(self._base_url, error, self._timeout) from error
        except httpx.InvalidURL as error:
            raise unreachable(self._base_url, error) from error

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        """Satisfies `rag.protocols.NextToken`; the server has to answer `logprobs`, as vLLM and llama.cpp do."""
        url, body = f"{self._base_url}/chat/completions", next_token_body(messages) | {"model": self._model}
        try:
            return ask_next_token(self._client, url, body, seconds, partial(refused, self._base_url, self._model))
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self._base_url, error) from error

    def close(self) -> None:
        self._client.close()


def _model_ids(answer: httpx.Response) -> list[str]:
    try:
        return [str(model["id"]) for model in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
