"""In which order the generator reads the passages; their numbers stay those of their rank.

Language models use what stands at the beginning and at the end of a long context better than what stands in its middle (Liu et al. 2023,
"Lost in the Middle", arXiv:2307.03172).
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answers import Passage


def at_both_ends(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The best passage first, the second best last, the third best second, and so on: the least one stands in the middle."""
    return (*passages[::2], *reversed(passages[1::2]))
