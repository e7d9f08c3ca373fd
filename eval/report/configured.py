"""The settings of a run: all of them, flat, and those that differ from the defaults or from another run's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"retrieval.depth": 100, …}`; lists, and mappings without a key, are values."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`{"setting", "before", "after"}`; a setting that one side does not have is None there. An empty side differs in nothing:
    it does not tell its settings."""
    if not before or not after:
        return []
    first, second = flat(before), flat(after)
    return [
        {"setting": name, "before": first.get(name), "after": second.get(name)}
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]


def brief(value: Any) -> str:
    """As a label of a plot: `dense + lexical`."""
    if isinstance(value, list | tuple):
        return " + ".join(str(one) for one in value) or "none"
    return shown(value)


def shown(value: Any) -> str:
    """A setting's value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value or "“”"
    return json.dumps(value, ensure_ascii=False)
