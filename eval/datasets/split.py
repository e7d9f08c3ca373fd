"""Questions divided or sampled the same way every time, so that what is fitted on some is tested on others.

Questions about one document stay together: a threshold or a model that has seen a document's questions has seen the document.
Order comes from a hash of seed and name, not from a position: a question that is added moves no other, and a smaller sample is part
of a larger one of the same seed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from eval.datasets.model import Dataset, Question
from eval.metrics.relevance import relevant
from rag.errors import BadRequest

TOLERANCE = 0.1


def split(dataset: Dataset, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
    """About `share` of the questions, and the others, over the same documents. Raises BadRequest where every question hangs
    together with every other. A division further than 0.1 from `share` is told in the warnings of both."""
    if not 0 < share < 1:
        raise BadRequest(f"The share is {share}.", "Give a number between 0 and 1, such as 0.5.")
    parts = sorted(groups(dataset), key=lambda part: _order(seed, min(question.id for question in part)))
    if len(parts) < 2:
        raise BadRequest(
            f"The {len(dataset.questions)} questions of {dataset.name} all hang together by the documents that answer them.",
            "Take a set with more documents, or another set to test on.",
        )
    wanted = share * len(dataset.questions)
    taken: list[list[Question]] = []
    count = 0
    for part in parts:
        if abs(count + len(part) - wanted) < abs(count - wanted) and len(taken) + 1 < len(parts):
            taken.append(part)
            count += len(part)
    if not taken:
        taken = [min(parts, key=len)]
    ids = {question.id for part in taken for question in part}
    actual = len(ids) / len(dataset.questions)
    warnings = dataset.warnings
    if abs(actual - share) > TOLERANCE:
        warnings = (
            *warnings,
            f"Questions of one document stay together: the first part is {actual:.0%} of them, not {share:.0%}.",
        )
    first = tuple(question for question in dataset.questions if question.id in ids)
    second = tuple(question for question in dataset.questions if question.id not in ids)
    return replace(dataset, questions=first, warnings=warnings), replace(dataset, questions=second, warnings=warnings)


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


def groups(dataset: Dataset) -> list[list[Question]]:
    """Questions that share a document that answers them, or a group that the set names, directly or by way of others."""
    parent: dict[str, str] = {}

    def find(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for question in dataset.questions:
        for tie in _ties(dataset, question):
            parent[find(tie)] = find(f"question {question.id}")
    found: dict[str, list[Question]] = defaultdict(list)
    for question in dataset.questions:
        found[find(f"question {question.id}")].append(question)
    return list(found.values())


def _ties(dataset: Dataset, question: Question) -> Iterable[str]:
    for document in relevant(dataset.documents.get(question.id, {})):
        yield f"document {document}"
    if question.group:
        # A group may be the id of a document that other questions are answered by.
        yield f"document {question.group}" if question.group in dataset.corpus.ids else f"group {question.group}"


def _order(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
