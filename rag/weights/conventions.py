"""How models of known families want to be used, from conventions.toml: data, so that a further model is an entry, not code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar


@dataclass(frozen=True, slots=True)
class EncoderConvention:
    """What stands before a question and a passage, and which states become the vector."""

    match: str
    pooling: Literal["mean", "cls", "last"]
    source: str
    checked: str
    query_prefix: str = ""
    passage_prefix: str = ""


@dataclass(frozen=True, slots=True)
class RerankerConvention:
    """`platt` makes the score a probability (None: it is left a logit); the templates are for models that read a prompt."""

    match: str
    source: str
    checked: str
    kind: Literal["logit", "yes-no"] = "logit"
    platt: tuple[float, float] | None = None
    instruction: str = ""
    query_template: str = "{query}"
    document_template: str = "{document}"
    unsupported: str = ""
    """Why its weights cannot be run here; empty where they can."""

    @property
    def asked(self) -> str:
        """The query's template with the instruction in it."""
        return self.query_template.replace("{instruction}", self.instruction)


Convention = TypeVar("Convention", EncoderConvention, RerankerConvention)


def encoder_convention(model: str) -> EncoderConvention | None:
    """Of a model's name or directory; None for a family that is not known."""
    return _first(_encoders(), model)


def reranker_convention(model: str) -> RerankerConvention | None:
    return _first(_rerankers(), model)


def _first(known: tuple[Convention, ...], model: str) -> Convention | None:
    name = _plain(model)
    return next((entry for entry in known if _plain(entry.match) in name), None)


def _plain(name: str) -> str:
    return re.sub(r"[-_.\s]+", "-", Path(name).name.casefold() if name else "")


@cache
def _read() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(Path(__file__).with_name("conventions.toml").read_text(encoding="utf-8"))


@cache
def _encoders() -> tuple[EncoderConvention, ...]:
    return tuple(EncoderConvention(**entry) for entry in _read()["encoder"])


@cache
def _rerankers() -> tuple[RerankerConvention, ...]:
    entries = (
        {**entry, "platt": tuple(entry["platt"])} if "platt" in entry else entry for entry in _read()["reranker"]
    )
    return tuple(RerankerConvention(**entry) for entry in entries)
