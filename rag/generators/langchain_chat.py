"""Generation by any chat model that LangChain has a class for: hosted models with an interface of their own.

A server with OpenAI's interface is spoken to directly instead (openai.py), which is faster and can be cut off while it reads.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from rag.answers import Usage
from rag.errors import BadSetting, ExtraMissing, GeneratorUnavailable, TuwenError
from rag.generators.chat_body import written
from rag.generators.estimate import estimate_tokens
from rag.protocols import GenerationRequest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk


class LangChainGenerator:
    """One chat model. Retries and timeouts are the model's own. `seed` is never passed on."""

    def __init__(self, chat: BaseChatModel, name: str, *, context_tokens: int = 8192) -> None:
        self._chat, self._name, self._context_tokens = chat, name, context_tokens

    @property
    def name(self) -> str:
        return f"langchain {self._name}"

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """An upper estimate: the tokenizer is with the provider."""
        return estimate_tokens(text)

    def ready(self) -> None:
        """Nothing is asked: a hosted model costs money for every word."""

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        sampling = request.sampling
        options: dict[str, Any] = {name: value for name, value in sampling.extra.items() if name != "seed"}
        options |= {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens}
        if sampling.top_p != 1.0:
            options["top_p"] = sampling.top_p
        if sampling.stop:
            options["stop"] = list(sampling.stop)
        read = written_tokens = 0
        messages = [written(message) for message in request.messages]
        try:
            # LangChain declares an iterator; it is a generator, which has to be closed to end the model's work.
            pieces = cast("Generator[AIMessageChunk, None, None]", self._chat.stream(messages, **options))
            with closing(pieces):
                for piece in pieces:
                    if text := _text(piece.content):
                        yield text
                    if counts := piece.usage_metadata:
                        read, written_tokens = read + counts["input_tokens"], written_tokens + counts["output_tokens"]
        except TuwenError:
            raise
        except Exception as error:
            # Every provider has an error tree of its own.
            raise GeneratorUnavailable(
                f"{self._name} failed ({type(error).__name__}: {str(error)[:300]}).",
                "Ask again, or check generator.model, its key and its options.",
            ) from error
        yield Usage(read, written_tokens)

    def close(self) -> None:
        """Nothing is held."""


def load_chat_model(reference: str, arguments: Mapping[str, Any]) -> BaseChatModel:
    """The chat model of a class named `package.module:Class`. Raises BadSetting, ExtraMissing."""
    module, _, name = reference.partition(":")
    try:
        made: BaseChatModel = getattr(importlib.import_module(module), name)(**arguments)
    except ImportError as error:
        raise ExtraMissing(
            f"{module} cannot be imported ({error}).",
            f"Install the package of the chat model: pip install {module.partition('.')[0].replace('_', '-')}",
        ) from error
    except AttributeError as error:
        raise BadSetting(
            f"{module} has no {name or 'class named'}.", "Write generator.chat_class as package.module:Class."
        ) from error
    except Exception as error:
        raise BadSetting(
            f"{reference} cannot be made: {str(error)[:300]}",
            "Check generator.model, generator.api_key and generator.base_url.",
        ) from error
    return made


def _text(content: Any) -> str:
    """Of a piece: providers send a string, or a list of blocks."""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") if isinstance(block, dict) else str(block) for block in content)
