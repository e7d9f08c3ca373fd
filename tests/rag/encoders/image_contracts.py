"""What every ImageEncoder and every ImageDescriber promises, run over the real adapters and the fakes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rag.documents import ImageData
from rag.errors import CorruptFile
from rag.protocols import ImageDescriber, ImageEncoder

NOT_PICTURES = [b"", b"plain text", b"\x89PNG\r\n\x1a\n broken"]


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (48, 32), format_: str = "PNG") -> ImageData:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format_)
    return ImageData(buffer.getvalue(), f"image/{format_.lower()}", *size)


def check_image_encoder(encoder: ImageEncoder) -> None:
    pictures = [picture((220, 30, 30)), picture((40, 80, 220), (31, 77)), picture((40, 160, 60), (200, 20), "JPEG")]
    dimension = encoder.space.dimension
    for found, count in (
        (encoder.encode_images(pictures), 3),
        (encoder.encode_texts(["a red square", "一个蓝色的方块"]), 2),
        (encoder.encode_images([]), 0),
        (encoder.encode_texts([]), 0),
    ):
        assert found.shape == (count, dimension)
        assert found.dtype == np.float32
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)
    together, backwards = encoder.encode_images(pictures), encoder.encode_images(pictures[::-1])
    assert np.allclose(together, backwards[::-1], atol=1e-4)
    assert np.allclose(together[:1], encoder.encode_images(pictures[:1]), atol=1e-4)
    assert np.array_equal(encoder.encode_texts(["same"]), encoder.encode_texts(["same"]))
    assert encoder.encode_texts(["", "word " * 500]).shape == (2, dimension)
    assert encoder.space == encoder.space
    assert len(encoder.space.weights_sha256) == 64
    for data in NOT_PICTURES:
        with pytest.raises(CorruptFile):
            encoder.encode_images([pictures[0], ImageData(data, "image/png", 1, 1)])


def check_image_describer(describer: ImageDescriber) -> None:
    assert describer.name
    assert "clip" not in describer.name.lower()
    for size in ((64, 48), (1, 1), (300, 3)):
        entries = describer.describe(picture((40, 160, 60), size))
        assert isinstance(entries, tuple)
        assert all(entry.kind in {"ocr", "label", "description"} and entry.text.strip() for entry in entries)
        assert all(entry.source for entry in entries)
        assert entries == describer.describe(picture((40, 160, 60), size))
    for data in NOT_PICTURES:
        with pytest.raises(CorruptFile):
            describer.describe(ImageData(data, "image/png", 1, 1))
