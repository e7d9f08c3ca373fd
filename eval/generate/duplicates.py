"""Near-identical questions: the same words about the same thing."""

from __future__ import annotations

from eval.generate.candidate import Candidate

ALIKE = 0.8
"""Jaccard similarity of the content words from which two questions with one answer are the same question."""
IDENTICAL = 0.95


class Seen:
    """Questions that are in the set already."""

    def __init__(self) -> None:
        self._kept: list[Candidate] = []

    def __len__(self) -> int:
        return len(self._kept)

    def is_new(self, candidate: Candidate) -> bool:
        return not any(_same(candidate, other) for other in self._kept)

    def add(self, candidate: Candidate) -> None:
        self._kept.append(candidate)


def _same(one: Candidate, other: Candidate) -> bool:
    a, b = one.stems, other.stems
    alike = len(a & b) / len(a | b) if a | b else 1.0
    if one.question.casefold() == other.question.casefold() or alike >= IDENTICAL:
        return True
    here = one.passage.id == other.passage.id and one.span == other.span
    return (alike >= ALIKE and one.answer.casefold() == other.answer.casefold()) or (
        here and one.answer.casefold() == other.answer.casefold() and one.answerable == other.answerable
    )
