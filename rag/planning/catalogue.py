"""Models and devices by name, from the tables beside this file, or as they are given."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from rag.errors import BadRequest
from rag.planning.architecture import Architecture
from rag.planning.config import from_config, read_config


@dataclass(frozen=True, slots=True)
class Device:
    """One card, or a machine without one. `memory` in GB (10⁹ bytes), `bandwidth` in GB/s, `tflops` dense, by precision."""

    name: str
    memory: float
    bandwidth: float
    tflops: Mapping[str, float] = field(hash=False)
    source: str
    shared: bool = False
    """Whether the operating system and everything else live in the same memory: a CPU."""

    def flops(self, precision: str) -> float:
        """Operations a second in what a precision is calculated in: its own, or bf16 where the device does not calculate in it."""
        return self.tflops.get(precision, self.tflops["bf16"]) * 1e12


def find_model(given: str) -> tuple[Architecture, tuple[str, ...]]:
    """By the path of a config.json, or of the folder it is in, or by name. With what a person should know. Raises BadRequest."""
    path = Path(given)
    if path.is_dir():
        path = path / "config.json"
    if path.suffix == ".json" or path.is_file():
        return read_config(path)
    table = _table("models.toml")
    name = _named(given, table)
    if name is None:
        raise _unknown("model", given, table, "Or give the path of its config.json.")
    return from_config(table[name]["config"], name, name)


def find_device(given: str) -> Device:
    """By name, or as `MEMORY,BANDWIDTH,TFLOPS` in GB, GB/s and dense bf16 TFLOPS; `cpu:` before the numbers says that the memory is the
    machine's own. Raises BadRequest."""
    kind, _, numbers = given.strip().rpartition(":")
    if "," in numbers or kind:
        return _own(given, kind.casefold(), numbers)
    table = _table("devices.toml")
    name = _named(given, table)
    if name is None:
        remedy = "Or give its memory in GB, bandwidth in GB/s and dense bf16 TFLOPS: --gpu 48,864,362, for a CPU cpu:32,60,1.5."
        raise _unknown("device", given, table, remedy)
    values = table[name]
    return Device(name, values["memory"], values["bandwidth"], values["tflops"], values["source"])


def _own(given: str, kind: str, numbers: str) -> Device:
    try:
        memory, bandwidth, tflops = (float(part) for part in numbers.split(","))
    except ValueError:
        memory = bandwidth = tflops = 0.0
    if kind not in ("", "cpu", "custom") or min(memory, bandwidth, tflops) <= 0:
        raise BadRequest(
            f"{given!r} is no device.",
            "Give memory in GB, bandwidth in GB/s and dense bf16 TFLOPS, like 48,864,362, or cpu:32,60,1.5.",
        )
    return Device(kind or "custom", memory, bandwidth, {"bf16": tflops}, "as given", shared=kind == "cpu")


def model_names() -> list[str]:
    return sorted(_table("models.toml"))


def published(name: str) -> Mapping[str, Any]:
    """What a model's card says: `card`, `published` and, for experts, `active`, in billions of parameters."""
    return _table("models.toml")[name]


@cache
def _table(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("rag.planning").joinpath(name).read_text(encoding="utf-8"))


def _plain(name: str) -> str:
    """Without the organisation, and without what does not change the architecture: `Qwen/Qwen2.5-7B-Instruct` is `qwen2.5-7b`."""
    plain = re.sub(r"[\s_]+", "-", name.rpartition("/")[2].casefold()).removeprefix("meta-").removeprefix("nvidia-")
    plain = re.sub(r"-(?:instruct|chat|hf|base|it|sxm5?|0528|v0\.\d)(?=-|$)", "", plain)
    return re.sub(r"^qwen2\.5-coder-", "qwen2.5-", plain)


def _named(given: str, table: Mapping[str, Any]) -> str | None:
    wanted = _plain(given)
    return next((name for name in table if name == wanted or name.replace("-", "") == wanted.replace("-", "")), None)


def _unknown(what: str, given: str, table: Mapping[str, Any], remedy: str) -> BadRequest:
    near = get_close_matches(_plain(given), table, 3, 0.6)
    named = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(table)}."
    return BadRequest(f"The {what} {given!r} is not in the table.", f"{named} {remedy}")
