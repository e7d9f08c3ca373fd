"""Area under the ROC curve of a ranked list: how often a relevant document stands before one that is not.

    AUC@k = Σ over returned relevant documents of (irrelevant documents returned after it) / (|relevant| · |irrelevant returned|)

The Mann–Whitney form of Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic curve"
(1982), over the first k documents. A relevant document that was not returned stands behind everything; where nothing irrelevant was
returned, it is the share of the relevant documents that was. Documents without a judgement are not relevant. The area hardly
sees the top of a list, which is all that a reader sees: nDCG is the measure for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics.relevance import relevant


def ranking_auc(ranked: Sequence[str], judged: Mapping[str, int], k: int | None = None) -> float:
    """In [0, 1]; 0 where nothing is relevant or nothing was returned."""
    wanted = relevant(judged)
    if not wanted:
        return 0.0
    hits = [document in wanted for document in ranked[:k]]
    irrelevant = len(hits) - sum(hits)
    if not irrelevant:
        return len(hits) / len(wanted)
    after, ahead = irrelevant, 0
    for hit in hits:
        if hit:
            ahead += after
        else:
            after -= 1
    return ahead / (len(wanted) * irrelevant)
