"""Citation page precision: the share of an answer's citations that point at a page that answers the question.

    CP = |citations on a judged page of a judged document| / |citations|

Defined for answers that cite, to questions with judged pages. A citation beside the judged page may still be right where
the judges named one page of several: the measure is a lower bound.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from eval.metrics.page_hit import PageKey


def citation_page_precision(citations: Sequence[PageKey | None], judged: Collection[PageKey]) -> float | None:
    """In [0, 1]; None without citations. A citation without a page (None) is on no judged page."""
    if not citations:
        return None
    return sum(citation in judged for citation in citations if citation is not None) / len(citations)
