from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rag.documents import ImageData
from rag.encoders.pictures import open_rgb
from rag.errors import CorruptFile, LimitExceeded


def encoded(picture: Image.Image, format_: str = "PNG", **options: object) -> ImageData:
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)
    return ImageData(buffer.getvalue(), f"image/{format_.lower()}", *picture.size)


def test_transparent_pixels_show_white() -> None:
    picture = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    assert open_rgb(encoded(picture)).getpixel((0, 0)) == (255, 255, 255)


def test_white_drawing_on_transparency_gets_a_dark_backdrop_for_reading() -> None:
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.putpixel((1, 1), (255, 255, 255, 255))
    assert open_rgb(encoded(picture), backdrop="contrast").getpixel((0, 0)) == (0, 0, 0)
    picture.putpixel((1, 1), (40, 40, 40, 255))
    assert open_rgb(encoded(picture), backdrop="contrast").getpixel((0, 0)) == (255, 255, 255)


def test_palette_with_transparency() -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([255, 0, 0] * 256)
    assert open_rgb(encoded(picture, transparency=0)).getpixel((0, 0)) == (255, 255, 255)
    assert open_rgb(encoded(picture)).getpixel((0, 0)) == (255, 0, 0)


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_rgb(encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif))
    assert turned.size == (20, 40)


def test_sixteen_bits_are_scaled_to_their_range() -> None:
    values = np.array([[1000, 2000], [3000, 1000]], dtype=np.uint16)
    pixels = np.asarray(open_rgb(encoded(Image.fromarray(values), "TIFF")))
    assert pixels[:, :, 0].tolist() == [[0, 127], [255, 0]]


def test_longer_side_is_bounded_and_small_pictures_are_left_alone() -> None:
    assert open_rgb(encoded(Image.new("RGB", (400, 100))), max_side=200).size == (200, 50)
    assert open_rgb(encoded(Image.new("L", (40, 10))), max_side=200).size == (40, 10)


def test_pixels_beyond_the_limit_are_refused_before_decoding() -> None:
    # A PNG header that claims 20,000 x 20,000 pixels, with no pixels behind it: decoding it would be a CorruptFile.
    def part(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = (11_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", b"") + part(b"IEND", b"")
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(LimitExceeded, match="11000 x 11000"):
        open_rgb(ImageData(bomb, "image/png", 11_000, 11_000))


def test_a_large_jpeg_is_decoded_small_where_small_is_enough() -> None:
    picture = encoded(Image.new("RGB", (800, 800), (0, 128, 0)), "JPEG")
    with pytest.raises(LimitExceeded):
        open_rgb(picture, max_pixels=200_000)
    assert open_rgb(picture, max_pixels=200_000, max_side=100).size == (100, 100)


@pytest.mark.parametrize("data", [b"", b"not a picture", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptFile) as caught:
        open_rgb(ImageData(data, "image/png", 1, 1))
    assert caught.value.remedy


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]), st.data())
def test_damaged_bytes_give_a_picture_or_a_file_error(format_: str, data: st.DataObject) -> None:
    noise = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    raw = bytearray(encoded(Image.fromarray(noise), format_).data)
    cut = data.draw(st.integers(0, len(raw)))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = open_rgb(ImageData(bytes(raw[:cut]), "image/x", 16, 16), max_pixels=1_000_000)
    except (CorruptFile, LimitExceeded):
        return
    assert picture.mode == "RGB"
