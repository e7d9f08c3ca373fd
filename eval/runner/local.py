"""Systems in this process, each over an index of the bench's own, kept in the cache: a second run finds its index there."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from api import wiring
from api.client import LocalClient
from api.service import Service, open_service
from api.settings import Settings, public
from api.wiring import Reuse
from eval.runner.changes import changed, check_name, value_of
from eval.runner.served import ServedSystem

SPEED_ONLY = {
    "encoder": ("threads", "api_key"),
}
"""Settings that change nothing in an index. Of `ingest`, the limits and the chunker's own version decide: a strategy that knows no
overlap has one index for all overlaps."""


_NO_TOOLS = wiring.TextTools(lambda texts: [0] * len(texts), lambda texts: np.zeros((len(texts), 1), np.float32))
"""For a chunker that is only asked for its version."""


def cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir("tuwen")) / "eval"


def index_key(settings: Settings, corpus_digest: str) -> str:
    """Changes with every setting that what is in an index depends on: what texts are made of the documents, and what vectors of
    the texts."""
    shown = public(settings)
    parts: dict[str, Any] = {
        name: {field: value for field, value in shown[name].items() if field not in SPEED_ONLY.get(name, ())}
        for name in ("encoder", "pictures", "index")
    }
    if settings.vision.model:
        parts["vision"] = {name: shown["vision"][name] for name in ("model", "languages", "pixels")}
    parts["limits"] = shown["ingest"]["limits"]
    locked = [password.get_secret_value() for password in settings.ingest.passwords]
    parts["chunker"] = wiring.chunker(settings, _NO_TOOLS).version
    hashed = json.dumps([corpus_digest, parts, locked], sort_keys=True)
    return hashlib.sha256(hashed.encode()).hexdigest()[:16]


def open_index(settings: Settings, cache: Path, corpus_digest: str, key: str) -> Service:
    own = settings.model_copy(update={"data": cache / "indexes" / key})
    return open_service(own, "tuwen eval", Reuse(cache / "reused", corpus_digest))


def described(settings: Settings, key: str) -> dict[str, Any]:
    shown = public(settings)
    for name in ("data", "http", "models"):
        shown.pop(name, None)
    return {"settings": shown, "index": key}


def local_system(settings: Settings, cache: Path, corpus_digest: str) -> ServedSystem:
    """The service in this process, over an index of the bench's own."""
    key = index_key(settings, corpus_digest)
    client = LocalClient(open_index(settings, cache, corpus_digest, key))
    return ServedSystem(client, f"eval-{corpus_digest}", described(settings, key))


class LocalWorkshop:
    """Systems in this process that differ in settings, one open at a time (eval.sweep.flow.Workshop)."""

    def __init__(self, base: Settings, cache: Path, corpus_digest: str) -> None:
        self._base, self._cache, self._digest = base, cache, corpus_digest
        self._open: tuple[str, Service] | None = None

    def values(self, names: Iterable[str], changes: Mapping[str, Any]) -> dict[str, Any]:
        settings = changed(self._base, changes)
        found = {}
        for name in names:
            check_name(name)
            found[name] = value_of(settings, name)
        return found

    def index(self, changes: Mapping[str, Any]) -> str:
        return index_key(changed(self._base, changes), self._digest)

    def describe(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        return described(changed(self._base, changes), self.index(changes))

    def open(self, changes: Mapping[str, Any]) -> ServedSystem:
        settings, key = changed(self._base, changes), self.index(changes)
        if self._open is not None and self._open[0] == key:
            self._open[1].retune(settings)
        else:
            self.close()
            self._open = key, open_index(settings, self._cache, self._digest, key)
        return ServedSystem(LocalClient(self._open[1]), f"eval-{self._digest}", self.describe(changes))

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def default_settings(profile: str) -> dict[str, Any]:
    """The settings of a profile as `System.describe` tells them, where nobody has set anything."""
    file = resources.files("api").joinpath("profiles", f"{profile}.toml")
    given = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return dict(described(Settings.model_validate(given | {"profile": profile}), "")["settings"])
