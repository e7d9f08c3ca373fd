"""Two sides of a set, so that nothing is judged by what it was fitted on.

Questions about one document are alike: they find the same passages and fail for the same reasons. So documents are split, not
questions, in an order that depends on their names and the seed only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Literal

By = Literal["documents", "questions"]

LARGEST = 0.5
"""Share of the questions about one document above which a split by documents is no split: then questions are split."""


def group_split(groups: Mapping[str, Hashable], share: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """Question ids of the train side, about `share` of them, and of the test side, each in the order given.

    `groups` names the group of each question; a group is on one side only. Raises ValueError for a share outside (0, 1).
    """
    if not 0 < share < 1:
        raise ValueError("a share lies between 0 and 1")
    sizes = Counter(groups.values())
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}\0{group!r}".encode()).digest())
    train: set[Hashable] = set()
    taken, wanted = 0, share * len(groups)
    for group in order:
        # A group goes where it brings the share nearer.
        if abs(taken + sizes[group] - wanted) <= abs(taken - wanted):
            train.add(group)
            taken += sizes[group]
    return [id_ for id_, group in groups.items() if group in train], [
        id_ for id_, group in groups.items() if group not in train
    ]


def two_sides(groups: Mapping[str, Hashable], share: float = 0.5, seed: int = 0) -> tuple[list[str], list[str], By]:
    """As `group_split`, and what was divided: questions, where too many are of one group to divide the groups."""
    by: By = "documents"
    if too_few_groups(groups):
        groups, by = {id_: id_ for id_ in groups}, "questions"
    return *group_split(groups, share, seed), by


def too_few_groups(groups: Mapping[str, Hashable]) -> bool:
    """Whether one group holds more than LARGEST of the questions."""
    return bool(groups) and max(Counter(groups.values()).values()) > LARGEST * len(groups)
