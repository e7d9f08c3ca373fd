"""Which questions a choice is made on, and which it is confirmed on.

The best of many combinations looks better than it is on the questions that made it the best. On the other half it has no such
advantage. Both halves, and the beginnings of the first one that successive halving asks first, come from one order of the
questions, by a hash of seed and id: it does not depend on the order of the file, nor on which other questions there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from eval.datasets.model import Question
from rag.errors import BadRequest

LEAST = 2
"""Questions that each side needs."""


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    return sorted(questions, key=lambda question: hashlib.sha256(f"{seed}\0{question.id}".encode()).digest())


def split(questions: Sequence[Question], share: float | None, seed: int) -> tuple[list[Question], list[Question]]:
    """Questions to choose on, a `share` of all, and those to confirm on: none without a share. Raises BadRequest."""
    order = shuffled(questions, seed)
    if share is None:
        return order, []
    if not 0 < share < 1:
        raise BadRequest(f"--split is {share}.", "Give the share of the questions to choose on, between 0 and 1.")
    chosen = round(len(order) * share)
    if min(chosen, len(order) - chosen) < LEAST:
        raise BadRequest(
            f"{len(order)} questions split at {share:g} leave fewer than {LEAST} on one side.",
            "Leave --split out, or take more questions.",
        )
    return order[:chosen], order[chosen:]
