"""Generators, and how they sample."""

from __future__ import annotations

from collections.abc import Callable

from api.settings import Settings
from rag.protocols import Generator, Sampling


def _llamacpp(settings: Settings) -> Generator:
    from rag.generators.llamacpp import LlamaCppGenerator
    from rag.weights.pull import locate

    chosen = settings.generator
    weights = locate(chosen.model, settings.models.dir)
    return LlamaCppGenerator(weights, threads=chosen.threads, context_tokens=chosen.context_tokens)


def _extractive(_: Settings) -> Generator:
    from rag.generators.extractive import ExtractiveGenerator

    return ExtractiveGenerator()


def _openai(settings: Settings) -> Generator:
    from rag.generators.openai import OpenAIGenerator
    from rag.generators.pool import ServerPool

    chosen = settings.generator
    servers = [
        OpenAIGenerator(
            url,
            chosen.model,
            api_key=chosen.api_key,
            timeout_s=chosen.timeout_seconds,
            context_tokens=chosen.context_tokens,
        )
        for url in dict.fromkeys((chosen.base_url, *chosen.servers))
    ]
    return ServerPool(servers, retries=chosen.retries)


def _langchain_chat(settings: Settings) -> Generator:
    from rag.generators.langchain_chat import LangChainGenerator, load_chat_model

    chosen = settings.generator
    given = {"api_key": chosen.api_key} if chosen.api_key else {}
    if "base_url" in chosen.model_fields_set:
        given["base_url"] = chosen.base_url
    chat = load_chat_model(chosen.chat_class, {"model": chosen.model, **given})
    return LangChainGenerator(chat, chosen.model, context_tokens=chosen.context_tokens)


GENERATORS: dict[str, Callable[[Settings], Generator]] = {
    "llamacpp": _llamacpp,
    "extractive": _extractive,
    "openai": _openai,
    "langchain": _langchain_chat,
}


def generator(settings: Settings) -> Generator:
    """Raises ModelMissing, ExtraMissing."""
    return GENERATORS[settings.generator.kind](settings)


def sampling(settings: Settings) -> Sampling:
    chosen = settings.generator
    return Sampling(
        chosen.temperature,
        chosen.top_p,
        chosen.max_tokens,
        chosen.stop,
        top_k=chosen.top_k,
        repetition_penalty=chosen.repetition_penalty,
        presence_penalty=chosen.presence_penalty,
    )
