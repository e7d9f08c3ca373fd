"""The promises of the heading-aware chunker, for any document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunkers.headings import HeadingChunker
from ingest.containers import PPTX
from ingest.protocols import ParsedPage
from rag.documents import AnyChunk, Box, Chunk, Document, Element, ImageChunk, ImageEntry, Page
from tests.ingest.chunkers.random_documents import (
    PIXELS,
    count_characters,
    count_words,
    document,
    elements,
)


def chunked(
    elements: Sequence[Element], *, max_tokens: int = 40, overlap: int = 0, title: str = "Guide"
) -> list[AnyChunk]:
    chunker = HeadingChunker(count_tokens=count_words, max_tokens=max_tokens, overlap_tokens=overlap)
    return list(chunker.chunk(document(title=title), [ParsedPage(None, tuple(elements))]))


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


_documents = st.lists(elements(), max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    _documents,
    st.sampled_from([16, 24, 40, 120]),
    st.sampled_from([0, 6]),
    st.sampled_from([count_words, count_characters]),
    st.booleans(),
)
def test_invariants(elements: list[Element], max_tokens: int, overlap: int, count: object, slides: bool) -> None:
    elements = sorted(elements, key=lambda element: element.page or 0)
    chunker = HeadingChunker(count_tokens=count, max_tokens=max_tokens, overlap_tokens=overlap)  # type: ignore[arg-type]
    pages = [ParsedPage(Page(n, 612, 792), tuple(e for e in elements if e.page == n)) for n in (1, 2, 3)]
    subject = document(PPTX if slides else "text/markdown")
    chunks = list(chunker.chunk(subject, pages))

    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.id for chunk in chunks] == [f"d1.01234567.{n}" for n in range(len(chunks))]
    assert sum(isinstance(chunk, ImageChunk) for chunk in chunks) == sum(
        element.image is not None for element in elements
    )

    everything = "".join(letters(chunk.text) for chunk in chunks)
    for element in elements:
        for sentence in re.split(r"[\s|。，]+", element.text + " " + element.caption):
            if letters(sentence) and count is count_words:
                assert letters(sentence) in everything
    have = {character for chunk in chunks for character in chunk.text}
    assert {character for element in elements for character in letters(element.text)} <= have

    for chunk in chunks:
        if isinstance(chunk, Chunk):
            assert chunk.text.strip()
            assert chunk.tokens == count([chunk.embedded_text])[0]  # type: ignore[operator]
            assert chunk.tokens <= max_tokens
            assert "\n" not in chunk.context
        of_page = {box.page for box in chunk.boxes}
        assert chunk.page == min(of_page)
        if slides:
            assert len(of_page) == 1
        for box in chunk.boxes:
            assert any(
                e.page == box.page and box.left <= e.boxes[0].left and box.right >= e.boxes[0].right for e in elements
            )
    covered = [box for chunk in chunks for box in chunk.boxes]
    for element in elements:
        if element.text.strip() and (element.kind != "figure" or element.image):
            inner = element.boxes[0]
            assert any(b.page == inner.page and b.top <= inner.top and b.bottom >= inner.bottom for b in covered)


@settings(max_examples=30, deadline=None)
@given(_documents)
def test_words_keep_their_order(elements: list[Element]) -> None:
    text = [replace_plain(element) for element in elements if element.kind in ("paragraph", "list", "heading", "code")]
    chunks = chunked(text)
    assert letters("".join(chunk.text for chunk in chunks)) == letters("".join(element.text for element in text))


def replace_plain(element: Element) -> Element:
    return Element(element.kind, element.text, level=element.level)


def test_sections_of_level_two_are_never_mixed_when_they_are_long() -> None:
    body = "one two three four five six seven eight nine ten eleven twelve."
    chunks = chunked(
        [
            Element("heading", "A", level=1),
            Element("heading", "B", level=2),
            Element("paragraph", body),
            Element("heading", "C", level=2),
            Element("paragraph", body),
        ]
    )
    assert [chunk.text for chunk in chunks] == [f"A\n\nB\n\n{body}", f"C\n\n{body}"]
    assert [chunk.headings for chunk in chunks] == [("A", "B"), ("A", "C")]  # type: ignore[union-attr]


def test_tiny_neighbours_are_merged_under_what_they_share() -> None:
    elements = [Element("heading", "FAQ", level=1)]
    for number in range(4):
        elements += [Element("heading", f"Q{number}", level=2), Element("paragraph", f"Answer {number}.")]
    chunks = chunked(elements, max_tokens=120)
    assert len(chunks) == 1
    assert chunks[0].headings == ("FAQ",)
    assert isinstance(chunks[0], Chunk)
    assert chunks[0].text.startswith("FAQ\n\nQ0\n\nAnswer 0.\n\nQ1")


def test_the_context_names_title_and_path_but_not_what_the_text_says_itself() -> None:
    sentence = "These are nine words that stand in one sentence. "
    first, second = chunked(
        [
            Element("heading", "Security", level=1),
            Element("heading", "Passwords", level=2),
            Element("paragraph", sentence * 5),
        ]
    )
    assert isinstance(first, Chunk)
    assert isinstance(second, Chunk)
    assert first.context == "Guide"
    assert first.text.startswith("Security\n\nPasswords\n\nThese")
    assert second.context == "Guide › Security › Passwords"
    assert second.embedded_text.startswith("Guide › Security › Passwords\nThese")


def test_a_title_that_is_the_first_heading_is_not_said_twice() -> None:
    chunks = chunked(
        [Element("heading", "Guide", level=1), Element("heading", "B", level=2), Element("paragraph", "word " * 70)]
    )
    contexts = [chunk.context for chunk in chunks if isinstance(chunk, Chunk)]
    assert contexts[0] == "Guide"
    assert set(contexts[1:]) == {"Guide › B"}


def test_without_a_title_the_file_name_stands_for_it() -> None:
    chunk = chunked([Element("paragraph", "Text.")], title="")[0]
    assert isinstance(chunk, Chunk)
    assert chunk.context == "guide"


def test_a_tiny_rest_is_shared_out() -> None:
    sentence = "one two three four five six seven eight nine. "
    chunks = chunked([Element("paragraph", sentence.strip()) for _ in range(5)])
    tokens = [chunk.tokens for chunk in chunks if isinstance(chunk, Chunk)]
    assert len(tokens) == 2
    assert min(tokens) >= 18


def test_tables_repeat_their_header_and_lose_no_row() -> None:
    rows = [f"| item {n} | {n * 7} | a longer remark on it |" for n in range(30)]
    table = "\n".join(["| Item | Count | Remark |", "| --- | --- | --- |", *rows])
    chunks = chunked([Element("paragraph", "Before. " * 30), Element("table", table), Element("paragraph", "After.")])
    tables = [chunk for chunk in chunks if chunk.kind == "table"]
    assert len(tables) > 3
    for chunk in tables:
        assert chunk.text.startswith("| Item | Count | Remark |\n| --- | --- | --- |\n| item ")
    assert [line for chunk in tables for line in chunk.text.split("\n")[2:]] == rows


def test_a_short_lead_in_goes_with_its_table() -> None:
    table = "| A | B |\n| --- | --- |\n| 1 | 2 |"
    chunks = chunked(
        [Element("heading", "Sizes", level=2), Element("paragraph", "All in metres:"), Element("table", table)]
    )
    assert [(chunk.kind, chunk.text) for chunk in chunks] == [("table", f"Sizes\n\nAll in metres:\n\n{table}")]


def test_a_row_longer_than_a_chunk_is_cut_under_its_header() -> None:
    table = "| Key | Text |\n| --- | --- |\n| k | " + "many words here " * 60 + "|"
    chunks = chunked([Element("table", table)])
    assert len(chunks) > 2
    assert all(chunk.text.startswith("| Key | Text |\n") for chunk in chunks)


def test_figures_carry_every_text_they_can_be_found_by() -> None:
    figure = Element(
        "figure", "red panda", image=PIXELS, caption="Figure 2: A visitor", entries=(ImageEntry("ocr", "EXIT", "ocr"),)
    )
    chunks = chunked(
        [
            Element("paragraph", "Before it. The night was cold."),
            figure,
            Element("paragraph", "After it came the rain."),
        ]
    )
    image = next(chunk for chunk in chunks if isinstance(chunk, ImageChunk))
    assert [(entry.kind, entry.text) for entry in image.entries] == [
        ("caption", "Figure 2: A visitor"),
        ("name", "red panda"),
        ("ocr", "EXIT"),
        ("nearby", "Before it. The night was cold."),
        ("nearby", "After it came the rain."),
    ]
    assert "Figure 2: A visitor" in chunks[0].text, "a caption is text as well"
    assert image.ordinal == 1
    assert image.image_sha256 == PIXELS.sha256


def test_a_caption_of_its_own_is_found_and_not_said_twice() -> None:
    figure = Element("figure", "", image=PIXELS)
    chunks = chunked([Element("paragraph", "Text."), figure, Element("caption", "Figure 1. Sales")])
    image = next(chunk for chunk in chunks if isinstance(chunk, ImageChunk))
    assert image.entries[0] == ImageEntry("caption", "Figure 1. Sales")
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)).count("Sales") == 1


def test_a_picture_file_is_found_by_its_name() -> None:
    subject = Document("d", "c", "photos/red_panda-2.jpg", "image/jpeg", "a" * 64, 3)
    page = ParsedPage(Page(1, 64, 48), (Element("figure", "", page=1, boxes=(Box(1, 0, 0, 64, 48),), image=PIXELS),))
    chunks = list(HeadingChunker(count_tokens=count_words).chunk(subject, [page]))
    assert [chunk.text for chunk in chunks] == ["name: red panda 2"]


def test_sections_go_on_across_pages() -> None:
    pages = [
        ParsedPage(
            Page(1, 612, 792),
            (
                Element("heading", "A", level=1, page=1),
                Element("paragraph", "First half,", page=1, boxes=(Box(1, 50, 700, 300, 720),)),
            ),
        ),
        ParsedPage(
            Page(2, 612, 792), (Element("paragraph", "second half.", page=2, boxes=(Box(2, 50, 50, 300, 70),)),)
        ),
    ]
    chunk = next(HeadingChunker(count_tokens=count_words).chunk(document(), pages))
    assert isinstance(chunk, Chunk)
    assert chunk.page == 1
    assert [box.page for box in chunk.boxes] == [1, 2]


def test_an_overlap_repeats_whole_sentences() -> None:
    sentences = [f"Sentence number {n} has seven words." for n in range(20)]
    chunks = chunked([Element("paragraph", " ".join(sentences))], overlap=8)
    for before, after in pairwise(chunks):
        assert before.text.endswith(after.text.split(". ")[0].rstrip(".") + ".")


def test_streams_with_few_counts() -> None:
    calls = 0

    def counting(texts: Sequence[str]) -> list[int]:
        nonlocal calls
        calls += 1
        return count_words(texts)

    read = 0

    def pages() -> Iterator[ParsedPage]:
        nonlocal read
        for number in range(1, 201):
            read += 1
            elements = tuple(Element("paragraph", f"Page {number} sentence {n}.", page=number) for n in range(30))
            yield ParsedPage(Page(number, 612, 792), elements)

    chunks = HeadingChunker(count_tokens=counting).chunk(document(), pages())
    next(chunks)
    assert read < 30, "the first chunk does not wait for the whole document"
    list(chunks)
    assert calls < 200, "tokens are counted by the batch"


@pytest.mark.parametrize(("max_tokens", "overlap"), [(5, 0), (100, 80), (100, -1)])
def test_senseless_sizes_are_refused(max_tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=r"chunk|overlap"):
        HeadingChunker(count_tokens=count_words, max_tokens=max_tokens, overlap_tokens=overlap)


def test_the_version_names_the_sizes() -> None:
    one = HeadingChunker(count_tokens=count_words, max_tokens=100)
    other = HeadingChunker(count_tokens=count_words, max_tokens=200)
    assert one.version != other.version


def test_a_caption_below_its_table_goes_with_it() -> None:
    table = "| A | B |\n| --- | --- |\n| 1 | 2 |"
    chunks = chunked([Element("table", table), Element("caption", "Table 1. Sizes"), Element("paragraph", "Text.")])
    assert [(chunk.kind, chunk.text) for chunk in chunks] == [
        ("table", f"Table 1. Sizes\n\n{table}"),
        ("text", "Text."),
    ]
