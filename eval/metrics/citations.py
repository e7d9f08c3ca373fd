"""Citations against labels: do they point where the answer is, do they point at all of it, and is the system's own check right?

Places are whatever a label names: a document, a page of a document (`page_hit.PageKey`), or a region on it. Precision counts
every citation, recall every labelled place once. Where several labelled places say the same thing, citing one is enough for a
reader, and recall is too strict: read `citation_hit` beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

from eval.metrics.regions import cover, iou
from rag.documents import Box

VOC_THRESHOLD = 0.5
"""IoU from which PASCAL VOC counts two boxes as the same."""


@dataclass(frozen=True, slots=True)
class Region:
    """Boxes in one document, by the document's id or name."""

    document: str
    boxes: tuple[Box, ...]


def citation_precision(cited: Sequence[Hashable], labelled: Collection[Hashable]) -> float | None:
    """|citations of a labelled place| / |citations|, in [0, 1]; None without a citation. A citation without a place is None."""
    return sum(place in labelled for place in cited) / len(cited) if cited else None


def citation_recall(cited: Sequence[Hashable], labelled: Collection[Hashable]) -> float | None:
    """|labelled places that are cited| / |labelled places|, in [0, 1]; None without a label."""
    return len(set(cited) & set(labelled)) / len(set(labelled)) if labelled else None


def citation_hit(cited: Sequence[Hashable], labelled: Collection[Hashable]) -> float | None:
    """1 if any labelled place is cited, else 0; None without a label."""
    return float(any(place in labelled for place in cited)) if labelled else None


def box_precision(
    cited: Sequence[Region], labelled: Sequence[Region], threshold: float = VOC_THRESHOLD
) -> float | None:
    """Share of the citations whose region is that of a label: IoU ≥ `threshold`. None without a citation.

    Unlike in VOC, two citations of one region are both right: each stands behind a sentence of its own.
    """
    if not cited:
        return None
    return sum(any(_iou(one, label) >= threshold for label in labelled) for one in cited) / len(cited)


def box_recall(cited: Sequence[Region], labelled: Sequence[Region], threshold: float = VOC_THRESHOLD) -> float | None:
    """Share of the labelled regions that are that of a citation: IoU ≥ `threshold`. None without a label."""
    if not labelled:
        return None
    return sum(any(_iou(one, label) >= threshold for one in cited) for label in labelled) / len(labelled)


def mean_iou(cited: Sequence[Region], labelled: Sequence[Region]) -> float | None:
    """Mean over the labelled regions of the best IoU that a citation has with it; 0 for one that none touches."""
    if not labelled:
        return None
    return sum(max((_iou(one, label) for one in cited), default=0.0) for label in labelled) / len(labelled)


def mean_cover(cited: Sequence[Region], labelled: Sequence[Region]) -> float | None:
    """Mean over the labelled regions of the share of it that all citations together show."""
    if not labelled:
        return None
    shown: dict[str, list[Box]] = {}
    for one in cited:
        shown.setdefault(one.document, []).extend(one.boxes)
    return sum(cover(shown.get(label.document, []), label.boxes) for label in labelled) / len(labelled)


def support_rate(verified: Sequence[bool]) -> float | None:
    """Share of the citations that the system's own check found supported; None without one. No label is needed, and the check
    may be wrong: `verified_precision` says how often."""
    return sum(verified) / len(verified) if verified else None


def verified_precision(verified: Sequence[bool], supports: Sequence[bool]) -> float | None:
    """Of the citations that the check let pass, the share that a person found to support the claim. None without one."""
    passed = [right for said, right in zip(verified, supports, strict=True) if said]
    return sum(passed) / len(passed) if passed else None


def _iou(first: Region, second: Region) -> float:
    return iou(first.boxes, second.boxes) if first.document == second.document else 0.0
