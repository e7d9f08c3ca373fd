"""How well the best passage fits the question, and by how much better than the next: what vectors know about whether there is an answer.

A cosine says little between encoders, so these are read only by what was fitted for the encoder that made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.answers import Likeness

NEXT = 4
"""Passages that the best is held against."""


def likeness(rankings: Mapping[str, Sequence[tuple[str, float]]]) -> Likeness | None:
    """Of what `dense` and `entries` recalled, whose cosines are of one space; None where neither found anything."""
    first = [score for name in ("dense", "entries") for _, score in rankings.get(name, ())[: NEXT + 1]]
    if not first:
        return None
    best, *others = sorted(first, reverse=True)[: NEXT + 1]
    return Likeness(best, best - sum(others) / len(others) if others else 0.0)
