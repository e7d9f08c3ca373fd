"""Reads the server-sent events of an OpenAI-shaped chat completion."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from typing import Any, cast

from rag.answers import Usage
from rag.errors import GeneratorUnavailable


def read_events(lines: Iterable[str]) -> Generator[str | Usage, None, None]:
    """Pieces of text as they come, then one Usage (zeros when the server sent none). Comments and blank lines are passed
    over. Raises GeneratorUnavailable for an error event, for what is no JSON, and for a stream that breaks off."""
    usage, ended = Usage(), False
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            ended = True
            break
        event = _parse(data)
        if isinstance(event.get("usage"), dict):
            counts = event["usage"]
            usage = Usage(int(counts.get("prompt_tokens", 0)), int(counts.get("completion_tokens", 0)))
        for choice in event.get("choices") or []:
            if piece := (choice.get("delta") or {}).get("content"):
                yield piece
            ended = ended or choice.get("finish_reason") is not None
    if not ended:
        raise GeneratorUnavailable("The generator's answer broke off.", "Ask again.")
    yield usage


def json_of(data: str) -> Any:
    """Raises GeneratorUnavailable for what is none."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise GeneratorUnavailable(f"The generator sent what is no JSON: {data[:100]}", "Ask again.") from error


def _parse(data: str) -> dict[str, Any]:
    event = json_of(data)
    if not isinstance(event, dict) or "error" in event:
        raise GeneratorUnavailable(f"The generator reported an error: {data[:300]}", "Ask again.")
    return cast("dict[str, Any]", event)
