"""Generation by any server with OpenAI's chat interface (vLLM, llama.cpp's server, a hosted model), through LangChain.

`seed` is never sent: a vLLM server on CPU was killed by a request with a seed whose prompt was read in pieces.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import httpx

from rag.answers import Usage
from rag.errors import BadRequest, BadSetting, ExtraMissing, GeneratorUnavailable, TuwenError
from rag.generators.estimate import estimate_tokens
from rag.generators.next_token import next_token_body, read_next_token
from rag.protocols import GenerationRequest, Message

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from langchain_openai import ChatOpenAI

READY_TIMEOUT_S = 3.0


class OpenAIGenerator:
    """One model of one server. The server queues and batches; nothing is locked here."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "",
        timeout_s: float = 120.0,
        connect_timeout_s: float = 5.0,
        context_tokens: int = 8192,
        retries: int = 1,
    ) -> None:
        """`base_url` ends in `/v1`. `timeout_s` bounds the wait for the next piece. `context_tokens` is what the server
        was started with; it is not asked. `retries` are made only before the first piece."""
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._api_key = api_key
        self._timeout = httpx.Timeout(timeout_s, connect=connect_timeout_s)
        self._context_tokens = context_tokens
        self._retries = retries
        self._chat: ChatOpenAI | None = None

    @property
    def name(self) -> str:
        return f"openai {self._model}"

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """An upper estimate: the tokenizer is on the server."""
        return estimate_tokens(text)

    def ready(self) -> None:
        """Asks the server for its models, which no server computes for."""
        self._need_extra()
        try:
            answer = httpx.get(
                f"{self._base_url}/models",
                headers={"Authorization": f"Bearer {self._api_key}"} if self._api_key else {},
                timeout=READY_TIMEOUT_S,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        if answer.status_code in (401, 403):
            raise self._key_refused()
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

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        import openai

        chat = self._client()
        sampling = request.sampling
        options: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.stop:
            options["stop"] = list(sampling.stop)
        extra = {name: value for name, value in sampling.extra.items() if name != "seed"}
        if extra:
            options["extra_body"] = extra
        usage, finished = Usage(), False
        messages = [(message.role, message.content) for message in request.messages]
        # LangChain declares an iterator; it is a generator, which has to be closed.
        pieces = cast("Generator[AIMessageChunk, None, None]", chat.stream(messages, **options))
        try:
            for piece in pieces:
                if isinstance(piece.content, str) and piece.content:
                    yield piece.content
                finished = finished or piece.response_metadata.get("finish_reason") is not None
                if counts := piece.usage_metadata:
                    usage = Usage(int(counts["input_tokens"]), int(counts["output_tokens"]))
        except (openai.OpenAIError, httpx.HTTPError, ValueError) as error:
            raise self._explain(error) from error
        finally:
            # Closes the connection, by which the server knows that nobody waits any more.
            pieces.close()
        if not finished:
            raise GeneratorUnavailable(f"The answer of {self._base_url} broke off.", "Ask again.")
        yield usage

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        """Satisfies `rag.protocols.NextToken`; the server has to answer `logprobs`, as vLLM and llama.cpp do."""
        try:
            answer = httpx.post(
                f"{self._base_url}/chat/completions",
                json=next_token_body(messages) | {"model": self._model},
                headers={"Authorization": f"Bearer {self._api_key}"} if self._api_key else {},
                timeout=max(0.001, seconds),
            )
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        if answer.status_code in (401, 403):
            raise self._key_refused()
        if not answer.is_success:
            raise GeneratorUnavailable(
                f"{self._base_url} answers {answer.status_code}: {answer.text[:200]}",
                "Ask again later, or look at its log.",
            )
        try:
            return read_next_token(answer.json())
        except ValueError as error:  # not JSON
            raise GeneratorUnavailable(f"{self._base_url} sent what is no JSON.", "Ask again.") from error

    def close(self) -> None:
        self._chat = None

    def _client(self) -> ChatOpenAI:
        if self._chat is None:
            self._need_extra()
            from langchain_openai import ChatOpenAI
            from pydantic import SecretStr

            self._chat = ChatOpenAI(
                model=self._model,
                base_url=self._base_url,
                api_key=SecretStr(self._api_key or "none"),
                timeout=self._timeout,
                max_retries=self._retries,
                stream_usage=True,
            )
        return self._chat

    @staticmethod
    def _need_extra() -> None:
        if importlib.util.find_spec("langchain_openai") is None:
            raise ExtraMissing(
                "The package langchain-openai is not installed.",
                "Install it: pip install 'tuwen[openai]', or choose another generator (generator.kind).",
            )

    def _explain(self, error: Exception) -> TuwenError:
        import openai

        if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
            return GeneratorUnavailable(
                f"{self._base_url} did not answer within {self._timeout.read:.0f} seconds.",
                "Ask again later, or set a longer generator.timeout_s.",
            )
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return self._key_refused()
        if isinstance(error, openai.NotFoundError):
            return BadSetting(
                f"{self._base_url} knows no model {self._model}, or no /chat/completions.",
                "Check generator.model and generator.base_url (it ends in /v1).",
            )
        if isinstance(error, openai.BadRequestError):
            return BadRequest(
                f"{self._base_url} refused the request: {error.message}",
                "When it speaks of the length, set generator.context_tokens to what the server was started with.",
            )
        if isinstance(error, openai.APIStatusError):
            return GeneratorUnavailable(
                f"{self._base_url} answers {error.status_code}: {error.message}", "Ask again later, or look at its log."
            )
        if isinstance(error, openai.APIConnectionError):
            return self._unreachable(error.__cause__ or error)
        return GeneratorUnavailable(
            f"The answer of {self._base_url} broke off or made no sense ({type(error).__name__}: {error}).",
            "Ask again.",
        )

    def _unreachable(self, error: BaseException) -> GeneratorUnavailable:
        return GeneratorUnavailable(
            f"No answer from {self._base_url} ({type(error).__name__}).",
            "Start the server, check generator.base_url, or choose another generator (generator.kind).",
        )

    def _key_refused(self) -> BadSetting:
        return BadSetting(f"{self._base_url} refuses the key.", "Set generator.api_key to a key that it knows.")


def _model_ids(answer: httpx.Response) -> list[str]:
    try:
        return [str(model["id"]) for model in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
