"""The probabilities of a reply's first token, in the shape of OpenAI's `logprobs` (also llama.cpp's and vLLM's)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.errors import GeneratorUnavailable
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
        "stream": False,
    }


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
