from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.documents import Box, ImageData, ImageEntry
from rag.encoders.describe import BundledDescriber, clean_lines, label_text, likely, pieces_of
from rag.protocols import OcrLine, Vectors


def line(text: str, confidence: float = 0.95) -> OcrLine:
    return OcrLine(text, Box(1, 0, 0, 10, 10), confidence)


class OneOcr:
    name = "OCR (fake)"

    def __init__(self, *lines: OcrLine) -> None:
        self._lines = list(lines)

    def read(self, image: ImageData) -> list[OcrLine]:
        return self._lines


class OneClassifier:
    name = "labels (fake)"

    def __init__(self, **by_class: float) -> None:
        self._found = np.zeros(1000, dtype=np.float32)
        for key, value in by_class.items():
            self._found[int(key[1:])] = value

    def probabilities(self, image: ImageData) -> Vectors:
        return self._found


PICTURE = ImageData(b"", "image/png", 1, 1)


def test_labels_are_bilingual_and_carry_their_groups_and_probability() -> None:
    describer = BundledDescriber(OneOcr(), OneClassifier(c528=0.4, c954=0.2, c1=0.01))  # type: ignore[arg-type]
    first, second = describer.describe(PICTURE)
    assert first.kind == "label"
    assert first.text == "dial telephone, dial phone, telephone; 拨号电话、电话"
    assert first.source == "labels (fake), p=0.40"
    assert second.text == "banana, fruit; 香蕉、水果"


def test_text_in_the_picture_follows_the_labels() -> None:
    describer = BundledDescriber(OneOcr(line("TSO  Data"), line("3"), line("PD 集群")), OneClassifier(c285=0.9))  # type: ignore[arg-type]
    assert [(entry.kind, entry.text) for entry in describer.describe(PICTURE)] == [
        ("label", "Egyptian cat, cat; 埃及猫、猫"),
        ("ocr", "TSO Data\nPD 集群"),
    ]


def test_the_name_says_what_it_is() -> None:
    assert BundledDescriber(OneOcr(), None).name == "OCR (fake)"
    both = BundledDescriber(OneOcr(), OneClassifier()).name  # type: ignore[arg-type]
    assert both == "labels (fake) + OCR (fake)"
    assert "clip" not in both.lower()


def test_what_a_detector_sees_in_shadows_is_dropped() -> None:
    seen = [line("0", 0.73), line("++"), line("三", 0.57), line("Ris", 0.55), line("出", 0.97), line("OK"), line("  ")]
    assert clean_lines(seen) == ["出", "OK"]


def test_repeated_boxes_of_a_diagram_stand_once() -> None:
    assert clean_lines([line("TiKV"), line("PD"), line("TiKV"), line("TiDB")]) == ["TiKV", "PD", "TiDB"]


@given(
    st.dictionaries(st.integers(0, 999), st.floats(0, 1, width=32), max_size=20),
    st.floats(0.01, 0.5),
    st.integers(0, 8),
)
def test_labels_are_few_likely_and_in_order(values: dict[int, float], least: float, most: int) -> None:
    probabilities = np.zeros(1000, dtype=np.float32)
    probabilities[list(values)] = list(values.values())
    found = likely(probabilities, least, most)
    assert len(found) <= most
    assert all(label.probability >= least - 1e-6 for label in found)
    assert [label.probability for label in found] == sorted((label.probability for label in found), reverse=True)
    assert all(";" in label_text(label.name) for label in found)


@given(
    st.lists(st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=60), max_size=40), st.integers(5, 200)
)
def test_pieces_hold_every_line_once_in_order(lines: list[str], characters: int) -> None:
    pieces = list(pieces_of(lines, characters))
    assert [part for piece in pieces for part in piece.split("\n")] == lines
    assert all(len(piece) <= characters or "\n" not in piece for piece in pieces)


def test_what_is_known_is_not_looked_for_again() -> None:
    class Tired(OneOcr):
        def read(self, image: ImageData) -> list[OcrLine]:
            raise AssertionError("the picture was read before")

    describer = BundledDescriber(Tired(), OneClassifier(c285=0.9))  # type: ignore[arg-type]
    assert [entry.kind for entry in describer.describe(PICTURE, [ImageEntry("ocr", "STOP")])] == ["label"]
    assert BundledDescriber(None, None).describe(PICTURE) == ()


def test_a_page_of_text_gets_no_labels() -> None:
    page = [line("A whole sentence of recognised text stands"), line("in the middle of this screenshot.")]
    describer = BundledDescriber(OneOcr(*page), OneClassifier(c285=0.9))  # type: ignore[arg-type]
    assert [entry.kind for entry in describer.describe(PICTURE)] == ["ocr"]
    assert (
        describer.describe(
            PICTURE, [ImageEntry("ocr", "A diagram with boxes and arrows, and in each box a name of a part.")]
        )
        == ()
    )
    assert describer.describe(PICTURE, [ImageEntry("ocr", "STOP")]) != ()
