"""Passage measures over spans and quotes: whether the first k passages carry what answers, wherever the chunks were cut.

    evidence_recall@k = |quotes that one of the first k passages carries| / |quotes|

Several spans of a question are what several people marked for one answer, and any is enough; several quotes are all needed.
A larger chunk carries more, and costs the reader more: compare chunk sizes at the same number of tokens, not at the same k.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.datasets.evidence import Evidence, covers

Passage = tuple[str, str]
"""Document id in the judgements, and text."""


def evidence_recall(passages: Sequence[Passage], wanted: Sequence[Evidence], k: int) -> float:
    """In [0, 1]; 0 where nothing is wanted."""
    carried = [any(one.document == document and covers(text, one) for document, text in passages[:k]) for one in wanted]
    return sum(carried) / len(carried) if carried else 0.0
