"""A smaller set out of a larger one, the same every time.

Order comes from a hash of seed and id, not from a position: a question that is added moves no other, and a smaller sample is part
of a larger one of the same seed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

from eval.datasets.model import Dataset, Question
from rag.errors import BadRequest


def sample(dataset: Dataset, size: int, seed: int = 0) -> Dataset:
    """`size` questions in the order of the set, each kind in its proportion, over the whole corpus; all of them where there are no more."""
    if size < 1:
        raise BadRequest(f"The size is {size}.", "Give a number of questions from 1.")
    if size >= len(dataset.questions):
        return dataset
    kinds: dict[tuple[str, bool], list[Question]] = defaultdict(list)
    for question in sorted(dataset.questions, key=lambda question: _order(seed, question.id)):
        kinds[question.kind, question.answerable].append(question)
    # The n-th of a kind of m comes at (n - ½) / m: any beginning of this order has each kind in its share.
    ranked = sorted(
        ((n + 0.5) / len(members), _order(seed, question.id), question.id)
        for members in kinds.values()
        for n, question in enumerate(members)
    )
    kept = {id_ for _, _, id_ in ranked[:size]}
    return replace(dataset, questions=tuple(question for question in dataset.questions if question.id in kept))


def _order(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
