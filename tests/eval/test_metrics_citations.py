from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.citations import (
    Region,
    box_precision,
    box_recall,
    citation_hit,
    citation_precision,
    citation_recall,
    mean_cover,
    mean_iou,
    support_rate,
    verified_precision,
)
from eval.metrics.regions import cover, iou
from rag.documents import Box

SIDE = 8


@st.composite
def boxes(draw: st.DrawFn) -> list[Box]:
    """Boxes on a grid of whole points, on two pages."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        left, right = sorted(draw(st.tuples(st.integers(0, SIDE), st.integers(0, SIDE))))
        top, bottom = sorted(draw(st.tuples(st.integers(0, SIDE), st.integers(0, SIDE))))
        found.append(Box(draw(st.integers(1, 2)), left, top, right, bottom))
    return found


def painted(region: list[Box]) -> np.ndarray:
    squares = np.zeros((3, SIDE, SIDE), dtype=bool)
    for box in region:
        squares[box.page, int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = True
    return squares


@given(boxes(), boxes())
def test_area_of_overlapping_boxes_equals_painted_squares(first: list[Box], second: list[Box]) -> None:
    a, b = painted(first), painted(second)
    both, either = (a & b).sum(), (a | b).sum()
    assert iou(first, second) == pytest.approx(both / either if either else 0.0, abs=1e-9)
    assert cover(first, second) == pytest.approx(both / b.sum() if b.any() else 0.0, abs=1e-9)
    assert iou(first, second) == pytest.approx(iou(second, first), abs=1e-12)


def test_iou_by_hand() -> None:
    # 10 × 10 and the same moved by 5: common 50, together 150.
    assert iou([Box(1, 0, 0, 10, 10)], [Box(1, 5, 0, 15, 10)]) == pytest.approx(1 / 3)
    assert iou([Box(1, 0, 0, 10, 10)], [Box(2, 0, 0, 10, 10)]) == 0.0
    assert cover([Box(1, 0, 0, 100, 100)], [Box(1, 5, 5, 15, 15)]) == 1.0


def test_places_by_hand() -> None:
    labelled = {("a", 1), ("a", 2)}
    cited = [("a", 1), ("a", 1), ("b", 7), None]
    assert citation_precision(cited, labelled) == 0.5
    assert citation_recall(cited, labelled) == 0.5
    assert citation_hit(cited, labelled) == 1.0
    assert citation_hit([("b", 7)], labelled) == 0.0
    assert citation_precision([], labelled) is None
    assert citation_recall([], labelled) == 0.0
    assert citation_recall(cited, set()) is None
    assert citation_hit(cited, set()) is None
    # Documents alone are places, too.
    assert citation_precision(["a", "b"], {"a"}) == 0.5


def test_regions_by_hand() -> None:
    table = Region("a", (Box(3, 0, 0, 10, 10),))
    note = Region("a", (Box(4, 0, 0, 10, 10),))
    near = Region("a", (Box(3, 0, 0, 10, 8),))  # IoU .8
    far = Region("a", (Box(3, 0, 0, 10, 4),))  # IoU .4
    other = Region("b", (Box(3, 0, 0, 10, 10),))
    assert box_precision([near, near, far, other], [table, note]) == 0.5
    assert box_precision([near, far], [table, note], threshold=0.4) == 1.0
    assert box_recall([near, far], [table, note]) == 0.5
    assert mean_iou([near, far, other], [table, note]) == pytest.approx((0.8 + 0) / 2)
    assert mean_cover([far, Region("a", (Box(3, 0, 4, 10, 9),))], [table]) == pytest.approx(0.9)
    assert mean_cover([other], [table]) == 0.0
    assert box_precision([], [table]) is None
    assert box_recall([near], []) is mean_iou([near], []) is mean_cover([near], []) is None


def test_support_and_the_check_itself() -> None:
    assert support_rate([True, False, True, True]) == 0.75
    assert support_rate([]) is None
    verified, supports = [True, True, False, False, False], [True, False, True, True, False]
    assert verified_precision(verified, supports) == 0.5
    assert verified_precision([False], [True]) is None


@given(st.lists(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_hit_recall_and_precision_agree(cited: list[str], labelled: set[str]) -> None:
    values = [citation_precision(cited, labelled), citation_recall(cited, labelled), citation_hit(cited, labelled)]
    if cited and labelled:
        assert len({value == 0 for value in values}) == 1
    assert all(value is None or 0 <= value <= 1 for value in values)
