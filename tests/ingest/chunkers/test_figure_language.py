"""Which language a picture is of: what the document says of it decides, not what was seen on it."""

from __future__ import annotations

import pytest

from ingest.chunkers.figures import image_chunk
from rag.documents import Document, Element, ImageData, ImageEntry

PIXELS = ImageData(b"pixels", "image/png", 9, 9)
LABELS = (
    ImageEntry("label", "giant panda, panda, bear; 大熊猫、熊猫、熊", "labels, p=0.9"),
    ImageEntry("label", "tree; 树", "labels, p=0.1"),
)
READ = ImageEntry("ocr", "EXIT THROUGH THE GIFT SHOP", "ocr")


@pytest.mark.parametrize(
    ("caption", "entries", "language"),
    [
        ("A visitor at the gate of the reserve", (), "en"),
        ("A visitor at the gate of the reserve", LABELS, "mul"),
        ("保护区门口的一位游客", LABELS, "zh"),
        ("保护区门口的一位游客", (*LABELS, READ), "zh"),
        ("", LABELS, "zh"),
        ("", (READ,), "en"),
        ("12", LABELS, "zh"),
    ],
)
def test_labels_in_two_languages_make_no_picture_chinese(
    caption: str, entries: tuple[ImageEntry, ...], language: str
) -> None:
    document = Document("d", "default", "a.html", "text/html", "a" * 64, 9)
    figure = Element("figure", "", image=PIXELS, caption=caption, entries=entries)
    assert image_chunk(document, 0, figure, (), "", "").language == language
