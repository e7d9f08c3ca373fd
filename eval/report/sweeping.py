"""A sweep as a report shows it: every combination with its figure and interval, the best one, and what that is worth.

The figures are those of the questions that the choice was not made on, where the sweep split them: on the others the best of many
looks better than it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.report.names import label, signed
from eval.report.reading import listed, number
from eval.sweep.record import NAME
from eval.sweep.record import read_sweep as read_record
from rag.errors import BadRequest

Cell = dict[str, Any]


def read_sweep(path: Path) -> dict[str, Any]:
    """`{"dataset", "metric", "axes", "on", "questions", "cells", "baseline", "best", "confirmed", "verdict", "warnings", "path"}`.

    A cell is `{"settings", "run", "value", "interval", "train", "difference", "difference_interval", "stopped", "error",
    "index_seconds", "seconds"}`: `value` and `interval` are of the questions `on` (`test` or `all`) and None where not all were asked.
    Raises BadRequest.
    """
    folder = path.parent if path.name == NAME else path
    given = read_record(folder)
    try:
        metric = str(given["metric"])
        split = given.get("split")
        on = "test" if split else "all"
        cells = [_cell(cell, metric, on) for cell in given["cells"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadRequest(
            f"{folder / NAME} is no sweep: {error!r}.", "Name the --out folder of `tuwen eval sweep`."
        ) from error
    if not cells:
        raise BadRequest(f"{folder / NAME} has no combination.", "Give the command of the sweep again: it goes on.")
    found: dict[str, Any] = {
        "dataset": str(given.get("dataset", "")),
        "metric": metric,
        "axes": _axes(given.get("axes"), cells),
        "on": on,
        "questions": _questions(given, split),
        "cells": cells,
        "baseline": _place(given.get("baseline"), cells),
        "best": _best(given, cells),
        "confirmed": given.get("confirmed"),
        "warnings": [str(warning) for warning in listed(given.get("warnings"))],
        "path": str(folder),
    }
    if not given.get("finished", True):
        found["warnings"].append("The sweep is not finished. Give its command again, and it goes on.")
    return found | {"verdict": _verdict(found)}


def run_of(sweep: Mapping[str, Any], which: str) -> Path | None:
    """The run folder of the best combination or the baseline, where it is still there."""
    place = sweep[which]
    told = sweep["cells"][place]["run"] if place is not None else ""
    if not told:
        return None
    # A sweep that was moved has its runs below it, by the last two parts of their names.
    moved = Path(sweep["path"], *Path(told).parts[-2:])
    return next((one for one in (Path(told), moved) if (one / "run.json").is_file()), None)


def ordered(values: Sequence[Any]) -> list[Any]:
    """Numbers ascending; anything else in the order given."""
    return sorted(values) if is_numeric(values) else list(values)


def is_numeric(values: Sequence[Any]) -> bool:
    return len(values) > 1 and all(number(value) is not None for value in values)


def _cell(given: Mapping[str, Any], metric: str, on: str) -> Cell:
    part = given.get("test") if on == "test" else given.get("train")
    part = part if isinstance(part, Mapping) else {}
    whole = given.get("metrics") or {}
    train = given.get("train")
    return {
        "settings": dict(given["settings"]),
        "run": str(given.get("run") or ""),
        "value": number((part.get("metrics") or whole).get(metric)),
        "interval": _interval(part.get("interval")),
        "train": number((train.get("metrics") or {}).get(metric)) if isinstance(train, Mapping) else None,
        "difference": number(given.get("difference")),
        "difference_interval": _interval(given.get("interval")) if given.get("difference") is not None else None,
        "stopped": given.get("stopped"),
        "error": str(given.get("error") or ""),
        "index_seconds": number(given.get("index_seconds")),
        "seconds": number(given.get("seconds")),
    }


def _interval(given: Any) -> list[float] | None:
    return [float(bound) for bound in given] if isinstance(given, list | tuple) and len(given) == 2 else None


def _axes(given: Any, cells: Sequence[Cell]) -> dict[str, list[Any]]:
    """The settings that vary, with their values: those that the sweep names, and what the baseline has besides."""
    axes: dict[str, list[Any]] = {str(name): listed(values) for name, values in (given or {}).items()}
    for cell in cells:
        for name, value in cell["settings"].items():
            values = axes.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: ordered(values) for name, values in axes.items()}


def _questions(given: Mapping[str, Any], split: Any) -> int | None:
    if isinstance(split, Mapping):
        return int(number(split.get("test")) or 0) or None
    counts = [cell.get("questions") for cell in given["cells"] if isinstance(cell.get("questions"), int)]
    return max(counts, default=None)


def _place(given: Any, cells: Sequence[Cell]) -> int | None:
    return given if isinstance(given, int) and 0 <= given < len(cells) else None


def _best(given: Mapping[str, Any], cells: Sequence[Cell]) -> int | None:
    """As the sweep chose it; of one that does not tell, nothing is best."""
    place = _place(given.get("best"), cells)
    return place if place is not None and cells[place]["value"] is not None else None


def _verdict(sweep: Mapping[str, Any]) -> str:
    """Whether the best combination was confirmed to be better than the settings as they stand."""
    if sweep["best"] is None:
        return "No combination was chosen."
    if sweep["best"] == sweep["baseline"]:
        return "The settings as they stand are the best of these combinations."
    found = sweep["confirmed"]
    if not isinstance(found, Mapping) or _interval(found.get("interval")) is None:
        return "Whether the best combination is better than the settings as they stand was not confirmed."
    low, high = found["interval"]
    change = f"{label(sweep['metric'])} {signed(found['difference'])} (95 % interval {signed(low)} to {signed(high)}, p = {found['p']:.3f})"
    where = (
        "the questions that the choice was not made on"
        if found.get("on") == "test"
        else "the same questions that the choice was made on"
    )
    clear = "is better than" if low > 0 else "is not clearly better than"
    return (
        f"The best combination {clear} the settings as they stand: {change} on {found['questions']} questions, {where}."
    )
