"""What abstaining is worth, and how well a system knows when to.

Here, and nowhere else, stands what an unanswerable question scores: CONVENTION, by `credit`.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.roc import auroc

CONVENTION = "squad-2.0"
"""Rajpurkar, Jia and Liang, "Know What You Don't Know: Unanswerable Questions for SQuAD" (ACL 2018): a question without an answer
scores 1 for abstaining and 0 for any answer; abstaining from a question with an answer scores 0. In every measure of answers; ranking
measures leave unanswerable questions out, because no document is relevant to them."""


def credit(value: float, *, answerable: bool, abstained: bool) -> float:
    """What a question scores under CONVENTION, where an answer to it measures `value`."""
    if abstained:
        return float(not answerable)
    return value if answerable else 0.0


def abstention_precision(abstained: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the abstentions that were right: |abstained ∩ unanswerable| / |abstained|. None without an abstention."""
    right, made, _ = _counts(abstained, answerable)
    return right / made if made else None


def abstention_recall(abstained: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the unanswerable questions abstained from: |abstained ∩ unanswerable| / |unanswerable|. None without such
    a question."""
    right, _, due = _counts(abstained, answerable)
    return right / due if due else None


def abstention_f1(abstained: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Harmonic mean of both: 2 · |abstained ∩ unanswerable| / (|abstained| + |unanswerable|). None where neither is defined."""
    right, made, due = _counts(abstained, answerable)
    return 2 * right / (made + due) if made + due else None


def abstention_auroc(evidence: Sequence[float], answerable: Sequence[bool]) -> float | None:
    """Chance that an answerable question has more evidence than an unanswerable one (`roc.auroc`): how good a threshold could
    be, whichever is set. None where all questions are of one kind."""
    return auroc(evidence, answerable)


def _counts(abstained: Sequence[bool], answerable: Sequence[bool]) -> tuple[int, int, int]:
    """Right abstentions, abstentions, unanswerable questions."""
    pairs = list(zip(abstained, answerable, strict=True))
    right = sum(gave_up and not could for gave_up, could in pairs)
    return right, sum(abstained), sum(not could for could in answerable)
