"""Merging boxes keeps what they cover."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.chunkers.boxes import MAX_PER_PAGE, merged_boxes
from rag.documents import Box

_boxes = st.builds(
    lambda page, left, top, width, height: Box(page, left, top, left + width, top + height),
    st.integers(1, 3),
    st.integers(0, 500),
    st.integers(0, 700),
    st.integers(0, 300),
    st.integers(0, 200),
)


@given(st.lists(_boxes, max_size=25))
def test_every_box_is_covered_on_its_page(boxes: list[Box]) -> None:
    merged = merged_boxes(boxes)
    for box in boxes:
        assert any(
            m.page == box.page
            and m.left <= box.left
            and m.top <= box.top
            and m.right >= box.right
            and m.bottom >= box.bottom
            for m in merged
        )
    for page in {box.page for box in merged}:
        assert sum(box.page == page for box in merged) <= MAX_PER_PAGE


def test_paragraphs_under_each_other_are_one_box_and_columns_are_two() -> None:
    left = [Box(1, 50, 100, 290, 150), Box(1, 50, 160, 290, 400)]
    right = [Box(1, 320, 100, 560, 300)]
    assert merged_boxes([*left, *right]) == (Box(1, 50, 100, 290, 400), Box(1, 320, 100, 560, 300))


def test_pages_stay_apart() -> None:
    assert merged_boxes([Box(2, 0, 0, 10, 10), Box(1, 0, 0, 10, 10)]) == (Box(1, 0, 0, 10, 10), Box(2, 0, 0, 10, 10))
