"""Settings of the service with some of them changed, by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from api.settings import Settings
from rag.errors import BadRequest


def changed(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some of them (`retrieval.rrf_k`) changed. Raises BadRequest that names the setting."""
    values = base.model_dump()
    for name, value in changes.items():
        check_name(name)
        *sections, last = name.split(".")
        place = values
        for section in sections:
            place = place[section]
        place[last] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        named = [name for name in changes if where.startswith(name)] or [
            name for name in changes if name.startswith(where)
        ]
        given = ", ".join(f"{name}={changes[name]!r}" for name in named[:3])
        raise BadRequest(
            f"The setting `{where}` cannot be swept over {given}: {first['msg'].removeprefix('Value error, ')}.",
            "Correct the value; api/settings.py has each setting with its bounds.",
        ) from error


def value_of(settings: Settings, name: str) -> Any:
    """The value of a setting by its name, None for what a table of a setting does not hold."""
    place: Any = settings
    for part in name.split("."):
        place = place.get(part) if isinstance(place, dict) else getattr(place, part)
    return list(place) if isinstance(place, tuple) else place


def check_name(name: str) -> None:
    names = {
        f"{section}.{field}": isinstance(getattr(part, field), dict)
        for section, part in Settings()
        if isinstance(part, BaseModel) and section not in ("http", "models")
        for field in type(part).model_fields
    }
    limits = {f"ingest.limits.{field}" for field in type(Settings().ingest.limits).model_fields}
    parent = name.rpartition(".")[0]
    if name in limits or (name in names and name != "ingest.limits") or names.get(parent):
        return
    near = get_close_matches(name, sorted({*names, *limits}), 3, 0.6)
    raise BadRequest(
        f"There is no setting `{name}` to vary.",
        f"Perhaps {' or '.join(near)}?" if near else "docs/evaluation.md says how settings are named.",
    )
