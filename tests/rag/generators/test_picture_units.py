from __future__ import annotations

from rag.answers import Hit, Passage
from rag.documents import DocumentRef, ImageChunk, ImageEntry
from rag.generators.units import PICTURE_CHARACTERS, units_of
from rag.retrieval.cite import resolve


def picture(text: str) -> Passage:
    chunk = ImageChunk("i", "d", 0, "0" * 64, "image/png", 4, 3, (ImageEntry("ocr", text),))
    return Passage(1, Hit(chunk, DocumentRef("d", "menu.png", "image/png", "default"), 1.0), chunk.text)


def test_long_text_of_a_picture_is_cut_between_words_and_stays_verifiable() -> None:
    passage = picture("Settings automatically add invitations to calendar " * 12)
    (unit,) = units_of(passage)
    assert unit.text.endswith("…")
    assert unit.text.removesuffix("…").rpartition(" ")[2] in passage.text.split()
    (citation,) = resolve(f"{unit.text} [1].", [passage]).citations
    assert citation.verified


def test_text_without_spaces_is_cut_all_the_same() -> None:
    (unit,) = units_of(picture("图" * 2 * PICTURE_CHARACTERS))
    assert unit.text == "menu.png: " + "图" * PICTURE_CHARACTERS + "…"
