"""Page hit: whether one of the first k hits lies on a page that answers the question.

    PH@k = 1 if any of the first k hits is of a judged document and on a judged page of it, else 0

Counted over hits (chunks and pictures as they are shown), not over documents: it says whether the reader who looks at k
hits sees the right page. A hit that spans pages counts for each of them. Defined for questions with judged pages only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

PageKey = tuple[str, int]
"""Document id and page number, from 1."""


def page_hit(hits: Sequence[Collection[PageKey]], judged: Collection[PageKey], k: int) -> float:
    """0 or 1. `hits` holds, per hit in order, the pages it lies on (none for formats without pages)."""
    return float(any(page in judged for pages in hits[:k] for page in pages))
