"""Answers that are data: JSON schemas to ask with, and what was answered read back.

A server that can holds the model to the schema (`GenerationRequest.schema`); others, and those that refuse it, answer in plain text. So prompts
say what is wanted in words, too, and what reads an answer takes JSON, whole or cut off in the middle, and leaves everything else to the
reader of plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

Schema = Mapping[str, object]
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"(?=\s*[,\]])')


def texts_schema(name: str, most: int) -> Schema:
    """An object with a list of one to `most` texts."""
    listed = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": most}
    return {"type": "object", "properties": {name: listed}, "required": [name], "additionalProperties": False}


def read_texts(said: str, name: str) -> list[str] | None:
    """The list under `name`, or a bare one; of one that is cut off, the texts that are complete. None where there is no JSON."""
    start = re.search(r"[\[{]", said)
    if start is None:
        return None
    try:
        value: Any = json.JSONDecoder().raw_decode(said, start.start())[0]
    except ValueError:
        opened = re.search(rf'"{re.escape(name)}"\s*:\s*\[', said)
        value = list(_complete(said[opened.end() :])) if opened else None
    if isinstance(value, Mapping):
        value = value.get(name)
    # A marker, [1] for example, is a list, too, and none of texts.
    return [one for one in value if isinstance(one, str)] or None if isinstance(value, list) else None


def _complete(said: str) -> Iterator[str]:
    for text in _STRING.findall(said):
        with suppress(ValueError):
            yield json.loads(text)
