"""A JSON file that holds one nested value, read so that a mistake deep inside it is reported with its line.

Positions are looked for when there is something to report, not while reading: a file without mistakes costs one `json.loads`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.datasets.lines import Place, bad_json, check_characters, whole_text
from rag.errors import BadRequest

_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class JsonPlace:
    """A value of a JSON file and the way to it, a key or an index a step."""

    path: Path
    text: str
    value: Any
    steps: tuple[str | int, ...] = ()

    @cached_property
    def line(self) -> int:
        return self.text.count("\n", 0, _position(self.text, self.steps)) + 1

    def __str__(self) -> str:
        return f"{self.path}, line {self.line} ({_written(self.steps)})" if self.steps else f"{self.path}, line 1"

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def child(self, key: str) -> JsonPlace:
        """Raises BadRequest where there is none."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"an object with {key!r} is expected")
        if key not in self.value:
            raise self.wrong(f"{key!r} is missing (there is: {', '.join(self.value) or 'nothing'})")
        return JsonPlace(self.path, self.text, self.value[key], (*self.steps, key))

    def items(self, key: str) -> Iterator[JsonPlace]:
        """What is in the list under `key`."""
        found = self.child(key) if key else self
        if not isinstance(found.value, list):
            raise found.wrong("a list is expected")
        for number, value in enumerate(found.value):
            yield JsonPlace(found.path, found.text, value, (*found.steps, number))

    def string(self, key: str, *, required: bool = True) -> str:
        """Numbers count as text, because ids often are numbers."""
        if not required and (not self.has(key) or self.value[key] is None):
            return ""
        found = self.child(key)
        if isinstance(found.value, bool) or not isinstance(found.value, str | int | float):
            raise found.wrong("a text is expected")
        return str(found.value)

    def wrong(self, what: str) -> BadRequest:
        return BadRequest(f"{self}: {what}.", "Correct the file, or remove this entry.")


def read_json(path: Path) -> JsonPlace:
    """Raises BadRequest naming file and line."""
    text = whole_text(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_json(Place(path, 1), error) from error
    check_characters(Place(path, 1), text, value)
    return JsonPlace(path, text, value)


def _position(text: str, steps: tuple[str | int, ...]) -> int:
    decoder = json.JSONDecoder()

    def skip(at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at

    at = skip(0)
    for step in steps:
        at = skip(at + 1)
        number: int = 0
        while True:
            key: str | int = number
            if isinstance(step, str):
                key, at = decoder.raw_decode(text, at)
                at = skip(skip(at) + 1)
            if key == step:
                break
            _, at = decoder.raw_decode(text, at)
            at, number = skip(skip(at) + 1), number + 1
    return at


def _written(steps: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
