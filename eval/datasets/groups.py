"""Which questions of a set hang together: by a document that answers both, or by a group that the set names."""

from __future__ import annotations

from collections.abc import Iterable

from eval.datasets.model import Dataset, Question
from eval.metrics.relevance import relevant


def groups(dataset: Dataset) -> dict[str, str]:
    """The group of each question, named by its first member; questions are tied directly or by way of others."""
    parent: dict[str, str] = {}

    def find(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for question in dataset.questions:
        for tie in _ties(dataset, question):
            parent[find(tie)] = find(f"question {question.id}")
    roots = {question.id: find(f"question {question.id}") for question in dataset.questions}
    # Not the root itself, which depends on the order of the questions.
    first: dict[str, str] = {}
    for id_ in sorted(roots):
        first.setdefault(roots[id_], id_)
    return {id_: first[root] for id_, root in roots.items()}


def _ties(dataset: Dataset, question: Question) -> Iterable[str]:
    for document in relevant(dataset.documents.get(question.id, {})):
        yield f"document {document}"
    if question.group:
        # A group may be the id of a document that other questions are answered by.
        yield f"document {question.group}" if question.group in dataset.corpus.ids else f"group {question.group}"
