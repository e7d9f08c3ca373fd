"""What a sweep varies: `retrieval.rrf_k=5,10,20`, `ingest.chunk_tokens=128..512`, `retrieval.retrievers=["dense"],["lexical"]`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import BadRequest

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")
_HOW = "Write setting=value,value,… or setting=low..high, for example retrieval.rrf_k=5,10,20."


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting with the values to try, or with the bounds between which a random search draws."""

    setting: str
    values: tuple[Any, ...] = ()
    bounds: tuple[float, float] | None = None

    @property
    def whole(self) -> bool:
        """Whether numbers between the bounds are whole ones."""
        return self.bounds is not None and all(isinstance(bound, int) for bound in self.bounds)


def parse_axis(text: str) -> Axis:
    """A value is JSON where it reads as JSON, a word otherwise. Raises BadRequest."""
    setting, equals, given = text.partition("=")
    if not equals or not setting.strip() or not given.strip():
        raise BadRequest(f"{text!r} names no setting with its values.", _HOW)
    return _axis(setting.strip(), given.strip())


def read_axes(path: Path) -> tuple[list[Axis], dict[str, Any]]:
    """The axes of a file, and what else is in it (`metric`, `split`, `seed`, `random`, `halving`).

        metric = "ndcg@10"
        split = 0.5
        [set]
        "retrieval.rrf_k" = [5, 10, 20]
        ingest.chunk_tokens = "128..512"

    Raises BadRequest.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "It is a TOML file with a table [set].") from error
    table = given.pop("set", None)
    if not isinstance(table, dict) or not table:
        raise BadRequest(f"{path} has no table [set].", 'Write [set] and lines such as "retrieval.rrf_k" = [5, 10].')
    known = {"metric", "split", "seed", "random", "halving"}
    if strange := sorted(set(given) - known):
        raise BadRequest(f"{path}: nobody knows {', '.join(strange)}.", f"It may have {', '.join(sorted(known))}.")
    axes = []
    for setting, values in _flat(table):
        if isinstance(values, str):
            axes.append(_axis(setting, values))
        elif isinstance(values, list) and values:
            axes.append(Axis(setting, _each_once(values)))
        else:
            raise BadRequest(f"{path}: {setting} has no list of values.", f'Write "{setting}" = [value, value].')
    return axes, given


def check_axes(axes: Sequence[Axis]) -> None:
    """Raises BadRequest when there is none, or one twice."""
    if not axes:
        raise BadRequest("There is no setting to vary.", f"Name some with --set. {_HOW}")
    names = [axis.setting for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"The setting {name} is given twice.", "Put all of its values into one --set.")


def _axis(setting: str, given: str) -> Axis:
    if found := _RANGE.fullmatch(given):
        low, high = (_value(bound) for bound in found.groups())
        if low >= high:
            raise BadRequest(f"{setting}={given}: the first bound is not below the second.", _HOW)
        return Axis(setting, bounds=(low, high))
    return Axis(setting, _each_once([_value(piece) for piece in _pieces(given)]))


def _each_once(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple({json.dumps(value, sort_keys=True): value for value in values}.values())


def _pieces(text: str) -> Iterator[str]:
    """Parts between commas that stand in no bracket and no quotes."""
    depth, quoted, start = 0, False, 0
    for place, character in enumerate(text):
        quoted ^= character == '"'
        if not quoted:
            depth += (character in "[{") - (character in "]}")
            if character == "," and depth == 0:
                yield text[start:place].strip()
                start = place + 1
    yield text[start:].strip()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
