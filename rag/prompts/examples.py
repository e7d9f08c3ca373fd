"""Answered examples that may stand in the prompt before the question (few-shot prompting): Brown et al. 2020, arXiv:2005.14165.

A file of them is TOML (`[[example]]` tables) or JSON Lines; each has `question`, `passages` and `answer`, whose markers name the passages by
their place, from 1. A passage is a text, or a table of `source` and `text`. The built-in ones (examples.toml) were written for Tuwen.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from rag.errors import BadSetting
from rag.language import language_of
from rag.prompts.fencing import defuse, fenced
from rag.prompts.templates import BUILT_IN, Prompts
from rag.protocols import Message

OWN = "built-in"
"""What `answer.examples` calls those that Tuwen brings."""


@dataclass(frozen=True, slots=True)
class Example:
    question: str
    passages: tuple[tuple[str, str], ...]
    """Source and text of each."""
    answer: str

    @property
    def language(self) -> str:
        return language_of(self.question)


@dataclass(frozen=True, slots=True)
class Examples:
    """A file of examples. `sha256` is of what they say: answers after other examples are other answers."""

    source: str = ""
    all: tuple[Example, ...] = ()
    sha256: str = ""

    @property
    def version(self) -> str:
        return f"{self.source}, {self.sha256[:8]}" if self.all else ""


NONE = Examples()


def example_messages(examples: Sequence[Example], prompts: Prompts = BUILT_IN) -> tuple[Message, ...]:
    """Each as a message of the user, with its passages, and the answer to it."""
    made: list[Message] = []
    for example in examples:
        language = example.language
        shown = [
            fenced(number, source, text, language, prompts) for number, (source, text) in enumerate(example.passages, 1)
        ]
        asked = prompts.text(language, "answer.question", question=defuse(example.question))
        made += [Message("user", "\n\n".join([*shown, asked])), Message("assistant", example.answer)]
    return tuple(made)


def load_examples(given: str | Path) -> Examples:
    """Those of a file, the built-in ones, or none for an empty name. Raises BadSetting, which names file and example."""
    if not str(given):
        return NONE
    if str(given) == OWN:
        return _own()
    path = Path(given)
    try:
        text = path.read_text(encoding="utf-8")
        rows = _rows(text, path.suffix)
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"The examples of {path} cannot be read: {error}.", "Correct the file, or unset answer.examples."
        ) from error
    return _made(path.name, rows)


@lru_cache(maxsize=1)
def _own() -> Examples:
    text = resources.files("rag.prompts").joinpath("examples.toml").read_text(encoding="utf-8")
    return _made(OWN, _rows(text, ".toml"))


def _rows(text: str, suffix: str) -> list[Any]:
    """Raises ValueError for what is neither."""
    if suffix.lower() in {".jsonl", ".ndjson", ".json"}:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    rows = tomllib.loads(text).get("example", [])
    return rows if isinstance(rows, list) else [rows]


def _made(name: str, rows: Sequence[Any]) -> Examples:
    if not rows:
        raise BadSetting(f"{name} has no example.", "Write [[example]] tables, or one JSON object a line.")
    made = tuple(_example(name, place, row) for place, row in enumerate(rows, 1))
    told = json.dumps([[one.question, one.passages, one.answer] for one in made], ensure_ascii=False)
    return Examples(name, made, hashlib.sha256(told.encode()).hexdigest())


def _example(name: str, place: int, row: Any) -> Example:
    row = row if isinstance(row, Mapping) else {}
    texts = {key: row.get(key) for key in ("question", "answer")}
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise _wrong(name, place, f"has no {key}")
    passages = row.get("passages")
    if not isinstance(passages, list) or not passages:
        raise _wrong(name, place, "has no passages")
    made = tuple(_passage(name, place, number, passage) for number, passage in enumerate(passages, 1))
    return Example(" ".join(str(texts["question"]).split()), made, str(texts["answer"]).strip())


def _passage(name: str, place: int, number: int, passage: Any) -> tuple[str, str]:
    if isinstance(passage, str):
        return f"example {number}", passage.strip()
    if isinstance(passage, Mapping) and isinstance(passage.get("text"), str):
        return str(passage.get("source") or f"example {number}"), passage["text"].strip()
    raise _wrong(name, place, f"has a passage {number} without a text")


def _wrong(name: str, place: int, what: str) -> BadSetting:
    return BadSetting(
        f"{name}: example {place} {what}.",
        'An example has question = "…", answer = "… [1]." and passages = ["…"] or [{ source = "…", text = "…" }].',
    )
