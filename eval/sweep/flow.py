"""A sweep from its plan to the best combination, over any systems.

Combinations over one index are asked one after the other, so that an index is opened, and made, once. Each is an ordinary run
folder: what was asked before a kill is not asked again, and a combination that halving stopped is an unfinished run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eval.bench import Options, Run, begin, fingerprint, run_config
from eval.datasets.model import Dataset, Question
from eval.environment import code_version, environment
from eval.records import RunFolder, occupied
from eval.sweep.axes import Axis, check_axes
from eval.sweep.cells import Changes, draw, grid, with_baseline
from eval.sweep.halves import split
from eval.sweep.halving import better_half, rungs
from eval.sweep.record import NAME, Cell, Table, read_sweep
from eval.system import System
from rag.errors import BadRequest, InputError, SetupError, TuwenError


class Workshop(Protocol):
    """Makes systems over one set of documents that differ in settings. Raises BadRequest for a setting that means nothing."""

    def values(self, names: Iterable[str], changes: Mapping[str, Any]) -> Changes:
        """What these settings are after the changes, as plain values. Raises BadRequest."""
        ...

    def index(self, changes: Mapping[str, Any]) -> str:
        """Equal for combinations that can be measured over one index."""
        ...

    def describe(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What `System.describe` of the system will say, without opening it."""
        ...

    def open(self, changes: Mapping[str, Any]) -> System:
        """The system that was opened before is not used any more."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Plan:
    """What is varied, how it is searched, and what decides. `share` of the questions is to choose on, the rest confirms."""

    axes: tuple[Axis, ...]
    metric: str = "ndcg@10"
    random: int | None = None
    halving: bool = False
    share: float | None = None
    seed: int = 0


def sweep(
    dataset: Dataset,
    workshop: Workshop,
    plan: Plan,
    *,
    cache: Path,
    options: Options,
    out: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Answers what `sweep.json` holds (eval/sweep/record.py), and its `"folder"`. `tell` gets a sentence for people at every step.

    Raises BadRequest for a plan that makes no sense, and what the system raises with the settings as they stand; a combination
    that cannot be run is told in its cell.
    """
    check_axes(plan.axes)
    halves = split(dataset, plan.share, plan.seed)
    train, test = halves.train, halves.test
    names = [axis.setting for axis in plan.axes]
    tried = draw(plan.axes, plan.random, plan.seed) if plan.random is not None else grid(plan.axes)
    for changes in _alone(plan.axes, tried):
        workshop.values(names, changes)
    chosen, baseline = with_baseline(tried, workshop.values(names, {}))
    steps = rungs(len(chosen), len(train)) if plan.halving else [len(train)]
    head = {
        "dataset": dataset.name,
        "metric": plan.metric,
        "seed": plan.seed,
        "axes": {axis.setting: _tried(axis, chosen) for axis in plan.axes},
        "search": {"kind": "grid" if plan.random is None else "random", "rungs": steps},
        "split": None if not test else {"share": plan.share, "by": halves.by, "train": len(train), "test": len(test)},
        "config": {"system": workshop.describe({}), **options.as_json(), "labels": dataset.digest},
        "code": code_version(),
    }
    print_ = fingerprint(head | {"cells": chosen}, "")
    folder = _folder(cache, dataset, out, print_)
    cells = [Cell(changes, folder / "runs" / f"{number:03}") for number, changes in enumerate(chosen)]
    head |= {"fingerprint": print_, "environment": environment(), "warnings": dataset.warnings}
    for cell in cells:
        try:
            cell.index = workshop.index(cell.changes)
        except (SetupError, InputError) as error:
            # Values that are right by themselves may contradict each other, as an overlap that is longer than a chunk.
            cell.error = str(error)
    table = Table(folder / NAME, head, cells, baseline)
    # Before anything else, so that what is killed at once is known for a sweep, too.
    table.write([question.id for question in train], [question.id for question in test], finished=False)
    work = _Work(dataset, workshop, table, cache, options, train, test, tell, show_progress)
    try:
        return work.run(steps) | {"folder": str(folder)}
    finally:
        workshop.close()


class _Work:
    """A sweep under way."""

    def __init__(
        self,
        dataset: Dataset,
        workshop: Workshop,
        table: Table,
        cache: Path,
        options: Options,
        train: Sequence[Question],
        test: Sequence[Question],
        tell: Callable[[str], None],
        show_progress: bool,
    ) -> None:
        self._dataset, self._workshop, self._table = dataset, workshop, table
        self._cache, self._options, self._tell, self._show_progress = cache, options, tell, show_progress
        self._train, self._test = train, test
        self._ids = [question.id for question in train], [question.id for question in test]

    def run(self, steps: Sequence[int]) -> dict[str, Any]:
        table = self._table
        alive = list(range(len(table.cells)))
        for step in steps[:-1]:
            asked = self._train[:step]
            self._ask_all(alive, asked, last=False)
            alive = [number for number in alive if not table.cells[number].error]
            ids = [question.id for question in asked]
            scores = {number: table.cells[number].score(ids, table.metric) for number in alive}
            kept = better_half(scores)
            for number in set(alive) - set(kept) - {table.baseline}:
                table.cells[number].stopped = True
            # What everything is compared with is asked everything.
            alive = sorted({*kept, table.baseline})
            table.write(*self._ids, finished=False)
        self._ask_all(alive, [*self._train, *self._test], last=True)
        return table.write(*self._ids, finished=True)

    def _ask_all(self, alive: Sequence[int], questions: Sequence[Question], *, last: bool) -> None:
        cells, baseline = self._table.cells, self._table.baseline
        # The baseline first, because when it fails nothing is worth trying, and those over its index right after it.
        order = sorted(
            (number for number in alive if not cells[number].error),
            key=lambda n: (n != baseline, cells[n].index != cells[baseline].index, cells[n].index, n),
        )
        for place, number in enumerate(order, 1):
            self._tell(f"{place} of {len(order)}, {len(questions)} questions: {shown(cells[number].changes)}")
            try:
                self._one(cells[number], questions, last=last)
            except (SetupError, InputError) as error:
                if number == baseline:
                    raise
                cells[number].error = str(error)
                self._tell(f"{shown(cells[number].changes)} cannot be run: {error}")
            self._table.write(*self._ids, finished=False)

    def _one(self, cell: Cell, questions: Sequence[Question], *, last: bool) -> None:
        if not self._done_before(cell, questions, last=last):
            began = time.perf_counter()
            system = self._workshop.open(cell.changes)
            run = begin(
                system,
                self._dataset,
                cache=self._cache,
                options=self._options,
                out=cell.run,
                show_progress=self._show_progress,
            )
            self._finish(run, cell, questions, last=last)
            cell.seconds += time.perf_counter() - began
        cell.complete = last

    def _finish(self, run: Run, cell: Cell, questions: Sequence[Question], *, last: bool) -> None:
        cell.index_seconds = max(cell.index_seconds, float(run.folder.head["index"]["seconds"]))
        run.ask(questions)
        cell.records = run.folder.done
        if last:
            run.finish()

    def _done_before(self, cell: Cell, questions: Sequence[Question], *, last: bool) -> bool:
        """Whether an earlier process asked all of this: then nothing has to be opened. Raises BadRequest for another run."""
        folder = RunFolder(cell.run)
        if not folder.there:
            return False
        folder.read()
        config = run_config(self._dataset, self._workshop.describe(cell.changes), self._options)
        index = folder.head["index"]
        if fingerprint(config, index["fingerprint"]) != folder.head["fingerprint"]:
            raise _Other(folder.path)
        if any(question.id not in folder.done for question in questions) or (last and not folder.finished):
            return False
        cell.records = folder.done
        cell.index_seconds = float(index["seconds"])
        cell.seconds = sum(folder.head.get("timings", {}).get(name, 0.0) for name in ("ingest", "questions"))
        return True


class _Other(TuwenError):
    def __init__(self, path: Path, *_: object) -> None:
        super().__init__(
            f"{path} holds a run of other questions, settings or code.",
            "Name another folder with --out, or go on with the code that began it.",
        )


def short_names(settings: Iterable[str]) -> list[str]:
    """Without the section, as long as they stay different."""
    whole = list(settings)
    short = [name.partition(".")[2] or name for name in whole]
    return short if len(set(short)) == len(short) else whole


def shown(changes: Mapping[str, Any]) -> str:
    """For people: `chunk_tokens 256, chunk_overlap 32`."""
    return ", ".join(f"{name} {value}" for name, value in zip(short_names(changes), changes.values(), strict=True))


def _alone(axes: Sequence[Axis], tried: Sequence[Changes]) -> list[Changes]:
    """Each value by itself, so that a wrong one is named before anything is measured."""
    seen: dict[str, Changes] = {}
    for changes in tried:
        for name, value in changes.items():
            seen.setdefault(f"{name}={value!r}", {name: value})
    return list(seen.values()) or [{axis.setting: None} for axis in axes]


def _tried(axis: Axis, cells: Sequence[Changes]) -> list[Any]:
    """The values in the order they were given, those of a range by size; the baseline's own value last where it is none of them."""
    found = list({repr(cell[axis.setting]): cell[axis.setting] for cell in cells}.values())
    if axis.bounds is not None:
        return sorted(found)
    return [*axis.values, *(value for value in found if value not in axis.values)]


def _folder(cache: Path, dataset: Dataset, out: Path | None, print_: str) -> Path:
    if out is None:
        base = cache / "sweeps"
        number = 1
        while True:
            out = base / f"{dataset.name.replace(' ', '-')}-{print_[:8]}-{number}"
            if not (out / NAME).is_file() or not read_sweep(out)["finished"]:
                break
            number += 1
    if (out / NAME).is_file():
        if read_sweep(out).get("fingerprint") != print_:
            raise BadRequest(
                f"{out} holds a sweep of other questions, settings or code.", "Name another folder with --out."
            )
    elif occupied(out):
        raise BadRequest(f"{out} is not empty and holds no sweep.", "Name another folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    return out
