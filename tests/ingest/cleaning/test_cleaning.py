from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunkers.headings import HeadingChunker
from ingest.cleaning.hyphens import whole_words
from ingest.cleaning.invisible import visible
from ingest.parsers.text import TextParser
from ingest.protocols import ParsedPage, Source
from rag.documents import Chunk, Document, Element
from rag.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The inter-\nnational office", "The international\noffice"),
        ("A long-\nterm plan for the long-term", "A long-term\nplan for the long-term"),
        ("long and short term: a long-\nterm, plan", "long and short term: a long-term,\nplan"),
        ("com-\npany, and the company", "company,\nand the company"),
        ("the A-\nlevel", "the A-\nlevel"),
        ("Smith-\nJones", "Smith-\nJones"),
        ("pages 3-\n4", "pages 3-\n4"),
        ("- one\n-\n- two", "- one\n-\n- two"),
        ("x\n-----\ny", "x\n-----\ny"),
        ("Für-  \n  sorge der Stadt", "Fürsorge\nder Stadt"),
    ],
)
def test_broken_words_are_put_together(text: str, expected: str) -> None:
    assert whole_words(text) == expected


@given(st.text(alphabet="ab-\n .A中", max_size=60))
def test_letters_and_their_order_stay(text: str) -> None:
    def letters(text: str) -> str:
        return "".join(character for character in text if character.isalnum())

    assert letters(whole_words(text)) == letters(text)
    assert whole_words("no hyphens " + text.replace("-", "")) == "no hyphens " + text.replace("-", "")


def test_a_text_file_is_read_without_its_line_ends(tmp_path: Path) -> None:
    lines = [
        "The handbook of the office for inter-",
        "national co-operation is about forty pages and of-",
        "fers a long view.",
    ]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    source = Source(tmp_path / "a.txt", "a.txt", "text/plain")
    (element,) = next(TextParser().parse(source)).elements
    assert "international co-operation" in element.text.replace("\n", " ")
    assert "offers a long view." in element.text.replace("\n", " ")


def test_invisible_characters_split_no_word() -> None:
    assert visible("inter\u00adnational ﬁnance\u200bd, of\u00ad\n  fice") == "international financed, office"
    assert words(visible("inter\u00adnational")) == ["international"]
    assert visible("safe\u202etxt.exe \U000e0041\U000e0042.") == "safetxt.exe ."


@pytest.mark.parametrize("text", ["plain text - with hyphens\n", "全角１２３，ｋｇ。", "👩\u200d💻 and می\u200cخواهم"])
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_chunks_are_visible_and_their_headings_too() -> None:
    chunker = HeadingChunker(count_tokens=lambda texts: [len(text.split()) for text in texts])
    found = (
        Element("heading", "Of\u00adfice", level=1),
        Element("paragraph", "An inter\u00adnational one. " * 300),
    )
    document = Document("d", "c", "a.html", "text/html", "0" * 64, 1, title="T")
    chunks = [chunk for chunk in chunker.chunk(document, [ParsedPage(None, found)]) if isinstance(chunk, Chunk)]
    assert len(chunks) > 1
    assert not any("\u00ad" in chunk.embedded_text for chunk in chunks)
    assert chunks[1].headings == ("Office",)
