"""Tokens and what they cost, by prices that the user gives: Tuwen knows none, because prices change and differ by contract.

cost = prompt tokens · prompt price / 10⁶ + completion tokens · completion price / 10⁶
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answers import Usage
from rag.errors import BadRequest

EXAMPLE = '["my-model"]\nprompt = 0.15\ncompletion = 0.60\ncurrency = "USD"'


@dataclass(frozen=True, slots=True)
class Price:
    """Per million tokens."""

    prompt: float
    completion: float
    currency: str = ""


def tokens(usages: Iterable[Usage]) -> Usage:
    """All of them together."""
    given = list(usages)
    return Usage(sum(one.prompt_tokens for one in given), sum(one.completion_tokens for one in given))


def cost(usage: Usage, price: Price) -> float:
    """In the currency of the price."""
    return (usage.prompt_tokens * price.prompt + usage.completion_tokens * price.completion) / 1e6


def load_prices(path: Path) -> dict[str, Price]:
    """Prices by model from a TOML file, a table per model, as in EXAMPLE. Raises BadRequest."""
    remedy = f"Write a table per model, prices per million tokens:\n{EXAMPLE}"
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest(f"The prices in {path} cannot be read: {error}.", remedy) from error
    return {model: _price(path, model, values, remedy) for model, values in given.items()}


def price_of(generator: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of the model of a generator, whose name is its kind and the model (`openai my-model`)."""
    return prices.get(generator) or prices.get(generator.partition(" ")[2])


def _price(path: Path, model: str, values: Any, remedy: str) -> Price:
    if not isinstance(values, dict) or not {"prompt", "completion"} <= set(values) <= {
        "prompt",
        "completion",
        "currency",
    }:
        raise BadRequest(
            f"{path}: the table {model!r} does not hold prompt and completion, and perhaps currency.", remedy
        )
    for name in ("prompt", "completion"):
        value = values[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise BadRequest(f"{path}: the {name} price of {model!r} is {value!r}, which is no price.", remedy)
    return Price(float(values["prompt"]), float(values["completion"]), str(values.get("currency", "")))
