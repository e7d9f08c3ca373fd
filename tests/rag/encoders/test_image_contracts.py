from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rag.encoders.describe import BundledDescriber
from rag.encoders.labels import LabelClassifier
from rag.encoders.ocr import RapidOcr
from rag.fake_images import FakeDescriber, FakeImageEncoder, colour_shares
from tests.rag.encoders.image_contracts import check_image_describer, check_image_encoder, picture


def test_fake_image_encoder() -> None:
    check_image_encoder(FakeImageEncoder())


def test_fake_describers() -> None:
    check_image_describer(FakeDescriber())
    check_image_describer(FakeDescriber("some text"))


def test_the_fake_finds_a_picture_by_its_colour_in_both_languages() -> None:
    encoder = FakeImageEncoder()
    images = encoder.encode_images([picture((220, 30, 30)), picture((40, 80, 220)), picture((250, 230, 40))])
    for text, expected in (("the red one", 0), ("蓝色的图", 1), ("yellow or 黄", 2)):
        assert int(np.argmax(images @ encoder.encode_texts([text])[0])) == expected
    assert abs(sum(colour_shares(picture((1, 2, 3))).values()) - 1) < 1e-6
    assert FakeDescriber("x").describe(picture((220, 30, 30)))[0].text == "red; 红色"


@pytest.mark.model
def test_ocr_alone_describes() -> None:
    check_image_describer(BundledDescriber(RapidOcr(threads=1), None))


@pytest.mark.model
def test_labels_and_ocr_describe(tmp_path: Path) -> None:
    weights = Path(os.environ.get("TUWEN_LABEL_WEIGHTS", "/nowhere"))
    if not weights.is_file():
        pytest.skip("TUWEN_LABEL_WEIGHTS does not name efficientnet-lite2-9656183e.pth")
    check_image_describer(BundledDescriber(RapidOcr(threads=1), LabelClassifier(weights, tmp_path, threads=1)))
