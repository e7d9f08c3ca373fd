"""A request in the shape of OpenAI's chat completions, as vLLM takes it.

`seed` is never sent: a vLLM server on CPU was killed by a request with a seed whose prompt was read in pieces.
"""

from __future__ import annotations

import base64
from typing import Any

from rag.protocols import GenerationRequest, Message, Sampling


def chat_body(model: str, request: GenerationRequest) -> dict[str, Any]:
    """Streamed, with its tokens counted. What is at its neutral value is left out: not every server knows every name."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [written(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampled(request.sampling),
    }
    if request.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": dict(request.schema), "strict": True},
        }
    return body


def sampled(sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {name: value for name, value in sampling.extra.items() if name != "seed"}
    body |= {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_completion_tokens": sampling.max_tokens,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0:
        body["repetition_penalty"] = sampling.repetition_penalty
    if sampling.presence_penalty:
        body["presence_penalty"] = sampling.presence_penalty
    return body


def written(message: Message) -> dict[str, Any]:
    """With pictures, the content is a list of parts: each picture behind its label, the text last."""
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[dict[str, Any]] = []
    for item in message.images:
        data = base64.b64encode(item.image.data).decode("ascii")
        parts.append({"type": "text", "text": item.label})
        parts.append({"type": "image_url", "image_url": {"url": f"data:{item.image.media_type};base64,{data}"}})
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.content}]}
