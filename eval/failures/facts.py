"""What a class is decided from: where the gold passages stood after each step, what the generator got, what it said.

Facts are kept with every question of a run, so that the question can be classed again under another rule without asking it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from eval.failures.gold import State

FUSE, FOLD, RERANK, HITS, PACK = "fuse", "fold", "rerank", "hits", "pack"
RETRIEVERS = frozenset({"dense", "lexical", "entries", "pixels"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step left: how many chunks, and the best rank (from 1) of a gold one among them."""

    size: int
    gold: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """`stages` in the order of the flow. Of an answer: whether it was refused, is right (None: cannot be told), cites a gold
    passage, cites anything that the labels allow."""

    state: State
    stages: Mapping[str, Seen] = field(default_factory=dict)
    why: str = ""
    grain: str = ""
    lacks: bool = False
    """The judged text carries no expected answer, and should."""
    folded: int | None = None
    """The rank after folding of the passage for whose repeat the gold one was taken."""
    together: bool = False
    """The parts of a split quote were read together."""
    in_prompt: bool | None = None
    """Whether the words that answer stood in the prompt, where that can be told."""
    answered: bool = False
    """Whether an answer was asked for at all."""
    abstained: bool = False
    right: bool | None = None
    cites_gold: bool = False
    cites_labelled: bool = False
    citations: int = 0

    @property
    def counts(self) -> bool:
        """Whether the run says anything of the question: without an answer, one that nothing is judged for cannot be right or wrong."""
        return self.answered or self.state not in ("unanswerable", "unjudged")

    @property
    def retrievers(self) -> tuple[str, ...]:
        """The steps before fusion; without fusion, those that are known to be retrievers, or else the first step."""
        names = list(self.stages)
        if FUSE in names:
            return tuple(names[: names.index(FUSE)])
        known = tuple(name for name in names if name in RETRIEVERS)
        return known or tuple(names[:1])

    @property
    def later(self) -> tuple[str, ...]:
        """The steps after the retrievers that order or drop hits."""
        return tuple(name for name in self.stages if name not in (*self.retrievers, PACK))

    def as_json(self) -> dict[str, Any]:
        """Without the stages, which stand beside them in a record."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if name != "stages"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], stages: Mapping[str, Mapping[str, Any]]) -> Facts:
        return cls(**{**value, "stages": {name: Seen(**seen) for name, seen in stages.items()}})


def seen(stages: Mapping[str, Sequence[str]], gold: frozenset[str]) -> dict[str, Seen]:
    """Sizes and best ranks, in the order of the flow."""
    found: dict[str, Seen] = {}
    for name, ranking in stages.items():
        rank = next((place for place, chunk in enumerate(ranking, 1) if chunk in gold), None)
        found[name] = Seen(len(ranking), rank)
    return found
