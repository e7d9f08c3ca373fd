"""In which order the generator reads the passages.

Language models use what stands at the beginning and at the end of a long context better than what stands in its middle (Liu et al. 2023,
"Lost in the Middle", arXiv:2307.03172). A server that keeps the state of a prefix reads anew from the first passage that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answers import Passage


def at_both_ends(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The best passage first, the second best last, the third best second, and so on: the least one stands in the middle. Their numbers
    stay those of their rank."""
    return (*passages[::2], *reversed(passages[1::2]))


def as_in_documents(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """In the order of the documents, numbered in it: questions that find the same passages make the same prompt up to the question."""
    placed = sorted(passages, key=lambda passage: (passage.hit.document.id, passage.hit.chunk.ordinal, passage.number))
    return tuple(replace(passage, number=number) for number, passage in enumerate(placed, start=1))
