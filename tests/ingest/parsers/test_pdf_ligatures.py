from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ingest.parsers.pdf import PdfParser
from ingest.protocols import Source

SHARED = Path(os.environ.get("TUWEN_SHARED", Path(__file__).parents[4] / "shared"))


def _font_with(path: Path, ligature: str, sign: str) -> str:
    """Bitstream Vera with the sign drawn as the ligature, as wide and as high as its letters."""
    import reportlab
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import TTFont

    font = TTFont(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    pen, width = TTGlyphPen(glyphs), 0
    for letter in ligature:
        name = names[ord(letter)]
        pen.addComponent(name, (1, 0, 0, 1, width, 0))
        width += font["hmtx"][name][0]
    name = names[ord(sign)]
    font["glyf"][name] = pen.glyph()
    font["hmtx"][name] = (width, font["hmtx"][names[ord(ligature[0])]][1])
    for record in font["name"].names:  # reportlab knows a font by its name
        record.string = f"{path.stem}-font"
    font.save(path)
    return str(path)


def _words(path: Path) -> list[str]:
    source: Any = Source(path, path.name, "application/pdf")
    return [word for page in PdfParser(ocr=None).parse(source) for e in page.elements for word in e.text.split()]


def _drawn(path: Path, font: str, lines: list[str]) -> Path:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    if font.endswith(".ttf"):
        pdfmetrics.registerFont(TTFont(path.stem, font))
        font = path.stem
    canvas = Canvas(str(path))
    for number, line in enumerate(lines):
        canvas.setFont(font, 11)
        canvas.drawString(72, 700 - 30 * number, line)
    canvas.save()
    return path


@pytest.mark.parametrize(
    ("ligature", "sign", "drawn", "meant"),
    [
        ("ff", "@", "A home o@ice for its sta@ and a fine title.", ["office", "staff"]),
        ("ffi", "#", "An e#cient o#ce for a fine title.", ["efficient", "office"]),
        ("tt", "$", "A le$er in a bo$le for a fine title.", ["letter", "bottle"]),
    ],
)
def test_a_sign_that_is_a_ligature_is_read_as_one(
    tmp_path: Path, ligature: str, sign: str, drawn: str, meant: list[str]
) -> None:
    pytest.importorskip("fontTools")
    font = _font_with(tmp_path / f"{ligature}.ttf", ligature, sign)
    words = _words(_drawn(tmp_path / f"{ligature}.pdf", font, [drawn]))
    assert set(meant) <= set(words)


@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman", "Courier"])
def test_signs_stay_signs(tmp_path: Path, font: str) -> None:
    signs = '!"#$%()*+;<=>?@[\\]^`{|}~'
    lines = [" ".join(f"lef{sign}tti" for sign in signs[start : start + 6]) for start in range(0, len(signs), 6)]
    lines.append("joe@example.com snake_case half-life it's a fine title of files fffiflttfti")
    found = _words(_drawn(tmp_path / "signs.pdf", font, lines))
    assert [word for line in lines for word in line.split()] == found


def test_of_a_real_document() -> None:
    path = SHARED / "data" / "nv-ingest-formats" / "multimodal_test.pdf"
    if not path.is_file():
        pytest.skip("the shared documents are not here")
    text = " ".join(_words(path))
    assert "Giraffe" in text
    assert "office" in text
    assert "@" not in text
