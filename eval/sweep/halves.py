"""Which questions a choice is made on, and which it is confirmed on.

The best of many combinations looks better than it is on the questions that made it the best. On the other side it has no such
advantage, if that side is about other documents: what chunks suit a document suits all the questions about it. The beginnings of the
first side that successive halving asks first come from one order of the questions, by a hash of seed and id: it does not
depend on the order of the file, nor on which other questions there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from eval.datasets.groups import groups
from eval.datasets.model import Dataset, Question
from eval.sides import By, two_sides
from rag.errors import BadRequest

LEAST = 2
"""Questions that each side needs."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Questions to choose on and those to confirm on; `by` is what was divided."""

    train: list[Question]
    test: list[Question]
    by: By = "questions"


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    return sorted(questions, key=lambda question: hashlib.sha256(f"{seed}\0{question.id}".encode()).digest())


def split(dataset: Dataset, share: float | None, seed: int) -> Halves:
    """About a `share` of the questions to choose on, the rest to confirm; all to choose on without a share.

    Questions about one document are on one side, except where most of them hang together. Raises BadRequest.
    """
    order = shuffled(dataset.questions, seed)
    if share is None:
        return Halves(order, [])
    if not 0 < share < 1:
        raise BadRequest(f"--split is {share}.", "Give the share of the questions to choose on, between 0 and 1.")
    chosen, _, by = two_sides(groups(dataset), share, seed)
    train = set(chosen)
    halves = Halves([one for one in order if one.id in train], [one for one in order if one.id not in train], by)
    if min(len(halves.train), len(halves.test)) < LEAST:
        raise BadRequest(
            f"{len(order)} questions split at {share:g} leave fewer than {LEAST} on one side.",
            "Leave --split out, or take more questions.",
        )
    return halves
