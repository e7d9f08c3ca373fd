from __future__ import annotations

import io
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from rag.documents import ImageData
from rag.encoders.ocr import DETECTOR, RapidOcr, pieces, quiet_cuts, working_scale
from rag.errors import CorruptFile, ModelCorrupt, ModelMissing

SHARED = Path(os.environ.get("TUWEN_SHARED", Path(__file__).parents[4] / "shared"))


def png(picture: Image.Image) -> ImageData:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return ImageData(buffer.getvalue(), "image/png", *picture.size)


def page(lines: list[tuple[int, int, str]], size: tuple[int, int] = (900, 400), letters: int = 32) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for left, top, text in lines:
        draw.text((left, top), text, fill="black", font=ImageFont.load_default(letters))
    return picture


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(8, 300), st.integers(0, 2**32 - 1))
def test_pieces_cover_every_pixel_once(width: int, height: int, max_side: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    seen = np.zeros((height, width), dtype=int)
    for left, top, right, bottom in pieces(pixels, max_side):
        assert right > left
        assert bottom > top
        if height >= width:
            assert bottom - top <= max_side
        else:
            assert right - left <= max_side
        seen[top:bottom, left:right] += 1
    assert (seen == 1).all()


def test_a_cut_misses_the_line_of_text() -> None:
    pixels = np.full((300, 20, 3), 255, dtype=np.uint8)
    pixels[80:97, ::2] = 0  # a "line of text" that ends 3 rows before a cut at 100
    assert quiet_cuts(pixels, 100)[1] == 100
    pixels[97:103, ::2] = 0  # … and one that lies across it
    assert quiet_cuts(pixels, 100)[1] == 80


def test_a_nearly_blank_page_is_read_by_its_inked_blocks() -> None:
    pixels = np.full((2000, 1400, 3), 250, dtype=np.uint8)
    assert pieces(pixels, 2000) == []
    pixels[300:320, 500:700:3] = 0
    pixels[1900:1990, 100:200:3] = 0
    assert pieces(pixels, 2000) == [(460, 260, 739, 360), (60, 1860, 240, 2000)]


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_working_scale_never_enlarges_and_keeps_long_pictures_readable(width: int, height: int) -> None:
    scale = working_scale(width, height, 2000)
    assert 0 < scale <= 1
    assert min(width, height) * scale >= min(800, min(width, height)) - 1e-6


def test_missing_and_wrong_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=DETECTOR):
        RapidOcr(tmp_path)
    (tmp_path / DETECTOR).write_bytes(b"something else")
    with pytest.raises(ModelCorrupt, match="sha256") as caught:
        RapidOcr(tmp_path)
    assert "pip install" in caught.value.remedy


@pytest.fixture(scope="module")
def ocr() -> RapidOcr:
    return RapidOcr(threads=2)


@pytest.mark.model
def test_reads_lines_with_their_boxes(ocr: RapidOcr) -> None:
    found = ocr.read(png(page([(40, 60, "Quarterly revenue 2026"), (40, 200, "Total: 1,234.50")])))
    assert [line.text.replace(" ", "") for line in found] == ["Quarterlyrevenue2026", "Total:1,234.50"]
    assert all(line.confidence > 0.9 for line in found)
    first = found[0].box
    assert 20 <= first.left <= 45
    assert 45 <= first.top <= 75
    assert first.bottom <= 120


@pytest.mark.model
@pytest.mark.parametrize("letters", [9, 24, 64])
def test_a_line_in_a_small_picture_stays_one_line(ocr: RapidOcr, letters: int) -> None:
    strip = page([(10, 10, "Bottom corner of the page")], size=(letters * 16 + 20, letters * 2 + 20), letters=letters)
    (line,) = ocr.read(png(strip))
    assert line.text.replace(" ", "") == "Bottomcornerofthepage"
    assert line.box.right <= strip.width
    assert line.box.bottom <= strip.height


@pytest.mark.model
def test_large_page_gives_boxes_in_its_own_pixels(ocr: RapidOcr) -> None:
    found = ocr.read(png(page([(2000, 3000, "Bottom corner")], size=(2480, 3508), letters=64)))
    (line,) = found
    assert line.text.replace(" ", "") == "Bottomcorner"
    assert abs(line.box.left - 2000) < 30
    assert abs(line.box.top - 3010) < 40


@pytest.mark.model
@pytest.mark.parametrize("letters", [40, 64])
def test_header_and_footer_of_an_empty_page(ocr: RapidOcr, letters: int) -> None:
    found = ocr.read(png(page([(200, 200, "Total 42"), (1900, 3300, "Page 7")], size=(2480, 3508), letters=letters)))
    assert [line.text.replace(" ", "") for line in found] == ["Total42", "Page7"]


@pytest.mark.model
def test_long_screenshot_is_read_to_its_end(ocr: RapidOcr) -> None:
    lines = [(30, top, f"Message number {top}") for top in range(40, 8900, 400)]
    found = ocr.read(png(page(lines, size=(1000, 9000), letters=28)))
    assert [line.text.replace(" ", "") for line in found] == [text.replace(" ", "") for _, _, text in lines]
    assert all(abs(line.box.top - top) < 20 for line, (_, top, _) in zip(found, lines, strict=True))


@pytest.mark.model
def test_empty_and_tiny_pictures_have_no_text(ocr: RapidOcr) -> None:
    assert ocr.read(png(Image.new("RGB", (300, 200), "white"))) == []
    assert ocr.read(png(Image.new("RGB", (1, 1)))) == []
    assert ocr.read(png(Image.new("RGB", (3000, 2)))) == []


@pytest.mark.model
def test_bytes_that_are_no_picture(ocr: RapidOcr) -> None:
    with pytest.raises(CorruptFile):
        ocr.read(ImageData(b"GIF89a but no more", "image/gif", 1, 1))


@pytest.mark.model
def test_threads_share_one_engine(ocr: RapidOcr) -> None:
    picture = png(page([(40, 60, "Shared engine")]))
    texts: list[list[str]] = []
    readers = [threading.Thread(target=lambda: texts.append([x.text for x in ocr.read(picture)])) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(texts) == 4
    assert all(text == texts[0] and len(text) == 1 for text in texts)


@pytest.mark.model
def test_a_copied_folder_of_weights_works(tmp_path: Path, ocr: RapidOcr) -> None:
    shutil.copytree(ocr._models, tmp_path / "models")
    found = RapidOcr(tmp_path / "models", threads=1).read(png(page([(40, 60, "Copied")])))
    assert [line.text for line in found] == ["Copied"]


@pytest.mark.model
@pytest.mark.skipif(not SHARED.is_dir(), reason="the development corpora are not on this machine")
def test_labels_of_a_real_diagram(ocr: RapidOcr) -> None:
    file = SHARED / "demo-corpus/zh/tidb/tidb-architecture-v6.png"
    texts = {line.text for line in ocr.read(ImageData(file.read_bytes(), "image/png", 1, 1))}
    assert {"PD cluster", "TSO/Data location", "Storage cluster"} <= texts
