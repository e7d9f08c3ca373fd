from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Citation
from rag.documents import Box, Document, DocumentRef, Element, Line
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.retrieval.locate import locate, standing

TEXT = "Ducks swim in ponds. They eat weed, and now and then a snail. In winter they go south."
LINES = tuple(
    Line(end, Box(2, 50, 100 + 12 * n, 300, 111 + 12 * n))
    for n, end in enumerate((TEXT.index("eat"), TEXT.index("then"), len(TEXT)))
)
PARAGRAPH = Element("paragraph", TEXT, 2, (Box(2, 50, 100, 300, 135),), lines=LINES)
BELOW = Element("paragraph", "Geese fly higher.", 2, (Box(2, 50, 200, 300, 212),))


def boxes(quote: str) -> list[int]:
    """Which lines of the paragraph are shown."""
    found = standing(quote, [PARAGRAPH, BELOW])
    return [n for n, line in enumerate(LINES) if line.box in found]


def test_a_sentence_has_the_boxes_of_its_lines() -> None:
    assert boxes("Ducks swim in ponds.") == [0]
    assert boxes("They eat weed, and now and then a snail.") == [0, 1, 2]
    assert boxes("In winter they go south.") == [2]


def test_white_space_case_and_ligatures_do_not_matter() -> None:
    element = Element("paragraph", "The ﬁrst\nof\u00ad\u200b all", 1, (Box(1, 0, 0, 9, 9),))
    assert standing("the first ofall", [element]) == element.boxes


def test_an_element_without_lines_is_shown_whole_and_a_quote_over_two_in_both() -> None:
    assert standing("Geese fly", [PARAGRAPH, BELOW]) == BELOW.boxes
    assert standing("they go south. Geese fly", [PARAGRAPH, BELOW]) == (LINES[2].box, *BELOW.boxes)


def test_what_is_not_there_has_no_place() -> None:
    assert standing("Swans sing.", [PARAGRAPH]) == ()
    assert standing("  ", [PARAGRAPH]) == ()
    assert standing("Ducks", []) == ()


def test_lines_of_another_text_are_not_used() -> None:
    stale = Element("paragraph", TEXT + " More.", 2, PARAGRAPH.boxes, lines=LINES)
    assert standing("In winter", [stale]) == PARAGRAPH.boxes


@given(st.integers(0, len(TEXT) - 1), st.integers(1, len(TEXT)))
def test_a_piece_has_the_lines_that_it_touches(start: int, length: int) -> None:
    piece = TEXT[start : start + length]
    if not piece.strip() or TEXT.find(piece) != start:
        return
    first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
    begins = [0, *(line.end for line in LINES)]
    touched = [n for n in range(3) if begins[n] < last and begins[n + 1] > first and TEXT[max(first, begins[n]):min(last, begins[n + 1])].strip()]  # fmt: skip
    found = boxes(piece)
    # The same signs may stand earlier once white space is gone.
    assert len(found) <= len(touched) + 1
    assert found


def library(*elements: Element) -> tuple[MemoryLibrary, DocumentRef]:
    made = MemoryLibrary(HashingTextEncoder())
    document = Document("d", "c", "ducks.pdf", "application/pdf", "0", 1)
    made.add(document, [], elements)
    return made, document.ref


def test_a_citation_gets_the_page_and_the_lines_of_its_quote() -> None:
    first = Element("paragraph", "A page before.", 1, (Box(1, 50, 700, 300, 712),))
    made, ref = library(first, PARAGRAPH)
    whole = (*first.boxes, *PARAGRAPH.boxes)
    cited = Citation(1, ref, "d.0", 1, whole, "In winter they go south.", True, 1.0)
    (placed,) = locate([cited], made)
    assert placed.page == 2
    assert placed.boxes == (LINES[2].box,)


def test_a_quote_that_stands_twice_is_the_one_in_the_passage() -> None:
    other = Element("paragraph", "In winter they go south.", 2, (Box(2, 50, 20, 300, 32),))
    made, ref = library(other, PARAGRAPH)
    cited = Citation(1, ref, "d.0", 2, PARAGRAPH.boxes, "In winter they go south.", True, 1.0)
    assert locate([cited], made)[0].boxes == (LINES[2].box,)


def test_without_boxes_or_a_quote_or_a_place_a_citation_stays_as_it_is() -> None:
    made, ref = library(PARAGRAPH)
    for given_boxes, quote in (((), "In winter"), (PARAGRAPH.boxes, ""), (PARAGRAPH.boxes, "Swans sing.")):
        cited = Citation(1, ref, "d.0", 2, given_boxes, quote, True, 1.0)
        assert locate([cited], made) == (cited,)
