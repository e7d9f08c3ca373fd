"""The combinations that a sweep tries: all of them, or some drawn at random.

Random search finds as good a combination as a grid with far fewer runs where only some of the settings matter: Bergstra and Bengio,
"Random search for hyper-parameter optimization" (JMLR 2012).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from eval.sweep.axes import Axis
from rag.errors import BadRequest

MOST = 10_000
"""Combinations of a grid beyond which somebody has made a mistake."""

Changes = dict[str, Any]
"""Values by setting (`retrieval.rrf_k`)."""


def grid(axes: Sequence[Axis]) -> list[Changes]:
    """Every combination, the last setting varying fastest. Raises BadRequest for bounds, and for far too many."""
    count = 1
    for axis in axes:
        if axis.bounds is not None:
            raise BadRequest(f"{axis.setting} has bounds and no values.", "Name values, or add --random N.")
        count *= len(axis.values)
    if count > MOST:
        raise BadRequest(f"The grid has {count:,} combinations.", "Name fewer values, or add --random N.")
    return [
        dict(zip((axis.setting for axis in axes), values, strict=True))
        for values in product(*(axis.values for axis in axes))
    ]


def draw(axes: Sequence[Axis], count: int, seed: int) -> list[Changes]:
    """`count` different combinations, or all there are where they are fewer; evenly between bounds."""
    if count < 1:
        raise BadRequest(f"--random is {count}.", "Give a number of combinations from 1.")
    if all(axis.bounds is None for axis in axes):
        every = grid(axes)
        order = np.random.default_rng(seed).permutation(len(every))
        return [every[number] for number in sorted(order[:count])]
    random = np.random.default_rng(seed)
    found: dict[str, Changes] = {}
    for _ in range(100 * count):
        changes = {axis.setting: _one(axis, random) for axis in axes}
        found.setdefault(json.dumps(changes, sort_keys=True), changes)
        if len(found) == count:
            break
    return list(found.values())


def with_baseline(cells: Sequence[Changes], baseline: Mapping[str, Any]) -> tuple[list[Changes], int]:
    """The cells and the place of the one with the settings as they stand, which is put first where it is not among them."""
    for number, cell in enumerate(cells):
        if _same(cell, baseline):
            return list(cells), number
    return [dict(baseline), *cells], 0


def _same(cell: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # 60 and 60.0 are one value of a setting; true and 1 are not.
    return all(
        cell[name] == other[name] and isinstance(cell[name], bool) == isinstance(other[name], bool) for name in cell
    )


def _one(axis: Axis, random: np.random.Generator) -> Any:
    if axis.bounds is None:
        return axis.values[int(random.integers(len(axis.values)))]
    low, high = axis.bounds
    if axis.whole:
        return int(random.integers(int(low), int(high) + 1))
    return round(float(random.uniform(low, high)), 6)
