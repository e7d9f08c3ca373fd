"""`sweep.json`: what was varied, what every combination gave, which one is best and whether that was confirmed.

    {"dataset", "metric", "seed", "finished": bool,
     "axes": {setting: [values]},
     "search": {"kind": "grid" | "random", "rungs": [questions]},
     "split": {"share", "by": "documents" | "questions", "train": n, "test": n} | null,
     "cells": [{"settings": {…}, "run": folder, "questions": n, "metrics": {…}, "train": part, "test": part | null,
                "interval": [low, high] | null, "difference": …, "index_seconds", "seconds", "stopped"?, "error"?}],
     "baseline": place in cells, "best": place | null,
     "confirmed": {"on": "test" | "all", "questions", "difference", "interval", "p"} | null}

A part is `{"questions": n, "metrics": {…}, "interval": [low, high]}`: the interval is of the sweep's metric, by bootstrap. `metrics` are
of all questions, and empty for a combination that was not asked all: what it scored on fewer stands in `stopped`, as `{"questions", metric}`,
and is never compared with a figure of the whole set. `difference` and `interval` of a cell are to the baseline, paired by question, on
the test questions where the set is split. A combination that cannot be run has `error`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eval import summary
from eval.records import write_json
from eval.significance import bootstrap_interval, randomisation_test
from eval.sweep.cells import Changes
from rag.errors import BadRequest

NAME = "sweep.json"

Records = Sequence[dict[str, Any]]


@dataclass
class Cell:
    """A combination under way. `records` are those of the questions asked so far, by id."""

    changes: Changes
    run: Path
    index: str = ""
    """What `Workshop.index` says."""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    complete: bool = False
    stopped: bool = False
    index_seconds: float = 0.0
    seconds: float = 0.0
    error: str = ""

    def score(self, ids: Sequence[str], metric: str) -> float:
        """The mean over those of the questions that have the measure. Raises BadRequest where none has."""
        values = self.values(ids, metric)
        if not values:
            known = sorted({name for record in self.records.values() for name in record["metrics"]})
            raise BadRequest(
                f"No question has the measure {metric!r}.", f"Choose with --metric one of {', '.join(known)}."
            )
        return float(np.mean(list(values.values())))

    def values(self, ids: Sequence[str], metric: str) -> dict[str, float]:
        there = (self.records[id_] for id_ in ids if id_ in self.records)
        return {record["id"]: record["metrics"][metric] for record in there if metric in record["metrics"]}


class Table:
    """The sweep as it stands, written down after every step."""

    def __init__(self, path: Path, head: dict[str, Any], cells: list[Cell], baseline: int) -> None:
        self.path, self._head, self.cells, self.baseline = path, head, cells, baseline
        self.metric, self._seed = str(head["metric"]), int(head["seed"])
        self._began = time.perf_counter()

    def write(self, train: Sequence[str], test: Sequence[str], *, finished: bool) -> dict[str, Any]:
        """`train` and `test` are question ids; without a split all are in `train`."""
        reported = test or train
        shown = [self._cell(cell, train, test) for cell in self.cells]
        best = self.best(train) if finished else None
        body = self._head | {
            "finished": finished,
            "cells": shown,
            "baseline": self.baseline,
            "best": best,
            "confirmed": None if best is None else self._confirmed(best, reported, "test" if test else "all"),
            "seconds": round(time.perf_counter() - self._began, 1),
        }
        write_json(self.path, body)
        return body

    def best(self, train: Sequence[str]) -> int | None:
        """Of the combinations that were asked everything: the highest mean on `train`, the baseline before an equal one."""
        complete = {number: cell for number, cell in enumerate(self.cells) if cell.complete}
        scores = {number: cell.score(train, self.metric) for number, cell in complete.items()}
        return max(scores, key=lambda number: (scores[number], number == self.baseline, -number), default=None)

    def _cell(self, cell: Cell, train: Sequence[str], test: Sequence[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "settings": cell.changes,
            "run": str(cell.run),
            "questions": len(cell.records),
            "metrics": {},
            "train": None,
            "test": None,
            "difference": None,
            "interval": None,
            "index_seconds": round(cell.index_seconds, 2),
            "seconds": round(cell.seconds, 2),
        }
        if cell.error:
            return shown | {"error": cell.error}
        if cell.complete:
            shown["metrics"] = summary.metrics([cell.records[id_] for id_ in (*train, *test)])
            shown["train"] = self._part(cell, train)
            shown["test"] = self._part(cell, test) if test else None
            differences = self._differences(cell, test or train)
            if differences and cell is not self.cells[self.baseline]:
                shown["difference"] = round(float(np.mean(differences)), 6)
                shown["interval"] = self._interval(differences)
        elif cell.stopped and cell.records:
            asked = list(cell.records)
            shown["stopped"] = {"questions": len(asked), self.metric: round(cell.score(asked, self.metric), 6)}
        return shown

    def _part(self, cell: Cell, ids: Sequence[str]) -> dict[str, Any]:
        values = list(cell.values(ids, self.metric).values())
        return {
            "questions": len(ids),
            "metrics": summary.metrics([cell.records[id_] for id_ in ids]),
            "interval": self._interval(values) if values else None,
        }

    def _differences(self, cell: Cell, ids: Sequence[str]) -> list[float]:
        base = self.cells[self.baseline].values(ids, self.metric)
        return [value - base[id_] for id_, value in cell.values(ids, self.metric).items() if id_ in base]

    def _confirmed(self, best: int, ids: Sequence[str], on: str) -> dict[str, Any] | None:
        differences = self._differences(self.cells[best], ids)
        if best == self.baseline or not differences:
            return None
        return {
            "on": on,
            "questions": len(differences),
            "difference": round(float(np.mean(differences)), 6),
            "interval": self._interval(differences),
            "p": round(randomisation_test(differences, seed=self._seed), 6),
        }

    def _interval(self, values: Sequence[float]) -> list[float]:
        return [round(bound, 6) for bound in bootstrap_interval(values, seed=self._seed)]


def read_sweep(folder: Path) -> dict[str, Any]:
    """Raises BadRequest for a folder that holds no sweep."""
    try:
        found: Mapping[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return dict(found) | {"cells": list(found["cells"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRequest(
            f"{folder} holds no sweep: {error}.", "Name the --out folder of `tuwen eval sweep`."
        ) from error
