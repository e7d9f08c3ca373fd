from __future__ import annotations

import importlib.util
import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image, ImageDraw

from ingest.parsers.image import ImageParser
from ingest.protocols import Limits
from rag.documents import Box, ImageData
from rag.errors import CorruptFile, LimitExceeded
from rag.protocols import OcrLine


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contract = _beside("contract")


class CornerOcr:
    """Reads two lines in the upper left quarter of any picture."""

    name = "corner"

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.seen: list[ImageData] = []

    def read(self, image: ImageData) -> list[OcrLine]:
        self.seen.append(image)
        width, height = image.width, image.height
        return [
            OcrLine(text, Box(1, 0.1 * width, (0.1 + 0.06 * i) * height, 0.5 * width, (0.15 + 0.06 * i) * height), 0.95)
            for i, text in enumerate(self.texts)
        ]


def _half_red(width: int = 60, height: int = 40) -> Image.Image:
    """Left half red, right half blue: turning it shows."""
    picture = Image.new("RGB", (width, height), "blue")
    ImageDraw.Draw(picture).rectangle((0, 0, width // 2 - 1, height), fill="red")
    return picture


def _save(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def _opened(data: ImageData) -> Image.Image:
    picture = Image.open(io.BytesIO(data.data))
    picture.load()
    assert picture.size == (data.width, data.height)
    return picture


def test_keeps_the_contract_of_parsers() -> None:
    contract.check_parser(ImageParser(ocr=None))


@pytest.mark.parametrize(
    ("suffix", "stored"),
    [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("webp", "image/webp"),
        ("bmp", "image/png"),
        ("gif", "image/png"),
        ("tiff", "image/png"),
    ],
)
def test_every_format_gives_one_figure(tmp_path: Path, suffix: str, stored: str) -> None:
    path = _save(tmp_path / f"a.{suffix}", _half_red())
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, f"image/{suffix}"))
    (figure,) = page.elements
    assert (page.page.width, page.page.height) == (60, 40)
    assert figure.boxes == (Box(1, 0, 0, 60, 40),)
    assert figure.image.media_type == stored
    assert _opened(figure.image).convert("RGB").getpixel((5, 20))[0] > 200


def test_keeps_the_bytes_of_an_ordinary_file(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.jpg", _half_red())
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, "image/jpeg"))
    assert page.elements[0].image.data == path.read_bytes()


def test_turns_a_picture_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate 90 degrees clockwise to see it upright
    path = _save(tmp_path / "turned.jpg", _half_red(), exif=exif)
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, "image/jpeg"))
    assert (page.page.width, page.page.height) == (40, 60)
    upright = _opened(page.elements[0].image).convert("RGB")
    assert upright.getpixel((20, 5))[0] > 200  # red on top
    assert upright.getpixel((20, 55))[2] > 200
    assert Image.open(io.BytesIO(page.elements[0].image.data)).getexif().get(0x0112, 1) == 1


def test_a_tiff_gives_a_page_for_each_frame(tmp_path: Path) -> None:
    path = tmp_path / "fax.tiff"
    frames = [Image.new("L", (50 + 10 * i, 70), 255 - i) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    pages = contract.parse(ImageParser(ocr=None), contract.source(path, "image/tiff"))
    assert [(page.page.number, page.page.width) for page in pages] == [(1, 50), (2, 60), (3, 70)]
    assert pages[0].page_count == 3


def test_only_the_first_frame_of_a_gif(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    _half_red().save(path, save_all=True, append_images=[Image.new("RGB", (60, 40), "green")], duration=100)
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, "image/gif"))
    picture = _opened(page.elements[0].image).convert("RGB")
    assert picture.getpixel((5, 5))[0] > 200
    assert getattr(_opened(page.elements[0].image), "n_frames", 1) == 1


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    path = _save(tmp_path / "clear.tiff", Image.new("RGBA", (40, 40), (0, 0, 0, 0)))
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, "image/tiff"))
    assert _opened(page.elements[0].image).convert("RGB").getpixel((3, 3)) == (255, 255, 255)


def test_sixteen_bit_grey_keeps_its_contrast(tmp_path: Path) -> None:
    picture = Image.new("I;16", (20, 20), 1000)
    picture.putpixel((0, 0), 3000)
    path = _save(tmp_path / "deep.tiff", picture)
    (page,) = contract.parse(ImageParser(ocr=None), contract.source(path, "image/tiff"))
    stored = _opened(page.elements[0].image)
    assert stored.getpixel((0, 0)) == 255
    assert stored.getpixel((5, 5)) == 0


def test_a_large_picture_is_stored_smaller_and_keeps_its_pixels_in_boxes(tmp_path: Path) -> None:
    path = _save(tmp_path / "large.png", Image.new("RGB", (4096, 1024), "white"))
    ocr = CornerOcr("A sign that is long enough to be", "read as the text of the picture")
    (page,) = contract.parse(ImageParser(ocr=ocr), contract.source(path, "image/png"))
    figure, paragraph = page.elements
    assert (page.page.width, page.page.height) == (4096, 1024)
    assert (figure.image.width, figure.image.height) == (2048, 512)
    assert figure.boxes == (Box(1, 0, 0, 4096, 1024),)
    assert paragraph.boxes[0].left == pytest.approx(409.6, abs=1)
    assert paragraph.boxes[0].right == pytest.approx(2048, abs=1)


def test_ocr_runs_once_and_is_kept_with_the_figure(tmp_path: Path) -> None:
    path = _save(tmp_path / "shot.png", _half_red(400, 300))
    ocr = CornerOcr("The answer to every question", "is written in this picture.")
    (page,) = contract.parse(ImageParser(ocr=ocr), contract.source(path, "image/png"))
    assert page.page.source == "ocr"
    figure, paragraph = page.elements
    assert paragraph.text == "The answer to every question is written in this picture."
    (entry,) = figure.entries
    assert (entry.kind, entry.source) == ("ocr", "corner")
    assert entry.text.splitlines() == list(ocr.texts)
    assert len(ocr.seen) == 1


def test_the_name_on_a_shop_is_an_entry_and_no_paragraph(tmp_path: Path) -> None:
    path = _save(tmp_path / "shop.png", _half_red(400, 300))
    (page,) = contract.parse(ImageParser(ocr=CornerOcr("BAKERY")), contract.source(path, "image/png"))
    assert [element.kind for element in page.elements] == ["figure"]
    assert page.elements[0].entries[0].text == "BAKERY"
    assert page.page.source == "digital"


def _huge_png(side: int) -> bytes:
    """A PNG whose header names side x side pixels; there is no such data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_refuses_too_many_pixels_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    for side in (12_000, 50_000):  # Pillow itself refuses the second
        path.write_bytes(_huge_png(side))
        error = contract.check_refused(ImageParser(ocr=None), contract.source(path, "image/png"), LimitExceeded)
        assert "100,000,000" in error.message


def test_the_limit_holds_for_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "growing.tiff"
    Image.new("L", (10, 10)).save(path, save_all=True, append_images=[Image.new("L", (300, 300))])
    item = contract.source(path, "image/tiff", limits=replace(Limits(), pixels=10_000))
    contract.check_refused(ImageParser(ocr=None), item, LimitExceeded)


def test_refuses_too_many_frames(tmp_path: Path) -> None:
    path = tmp_path / "many.tiff"
    Image.new("L", (10, 10)).save(path, save_all=True, append_images=[Image.new("L", (10, 10))] * 4)
    item = contract.source(path, "image/tiff", limits=replace(Limits(), pages=3))
    contract.check_refused(ImageParser(ocr=None), item, LimitExceeded)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0 nothing", b"plain words", _huge_png(8)])
def test_refuses_bytes_that_are_no_picture(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    error = contract.check_refused(ImageParser(ocr=None), contract.source(path, "image/png"), CorruptFile)
    assert error.__cause__ is not None


def test_refuses_a_picture_that_ends_early(tmp_path: Path) -> None:
    path = _save(tmp_path / "cut.jpg", Image.effect_noise((300, 300), 90))
    path.write_bytes(path.read_bytes()[:4000])
    contract.check_refused(ImageParser(ocr=None), contract.source(path, "image/jpeg"), CorruptFile)
