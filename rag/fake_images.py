"""Deterministic adapters for pictures that need no weights, for tests and dry runs, under the contracts of the real ones."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from rag.documents import ImageData, ImageEntry
from rag.errors import CorruptFile
from rag.protocols import Space, Vectors
from rag.words import words

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (220, 30, 30),
    "orange": (250, 140, 20),
    "yellow": (250, 230, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 220),
    "purple": (140, 50, 180),
    "brown": (120, 75, 40),
}
CHINESE = dict(zip("黑 白 灰 红 橙 黄 绿 蓝 紫 棕".split(), COLOURS, strict=True))


def colour_shares(image: ImageData) -> dict[str, float]:
    """Share of the pixels of a 16 x 16 thumbnail that are nearest to each colour; sums to 1. Raises CorruptFile."""
    from PIL import Image

    try:
        small = Image.open(io.BytesIO(image.data)).convert("RGB").resize((16, 16))
    except Exception as error:  # whatever a decoder stumbles over
        raise CorruptFile(f"A picture ({image.media_type}) cannot be decoded: {error}.", "Save it again.") from error
    pixels = np.asarray(small, dtype=np.float32).reshape(-1, 1, 3)
    nearest = ((pixels - np.array(list(COLOURS.values()), dtype=np.float32)) ** 2).sum(axis=2).argmin(axis=1)
    return {name: float((nearest == n).mean()) for n, name in enumerate(COLOURS)}


class FakeImageEncoder:
    """A picture and a text are near each other when the text names (in English or Chinese) the colours of the picture."""

    def __init__(self) -> None:
        self._space = Space("fake-colours", "0" * 64, len(COLOURS) + 1, "shares of named colours, v1")

    @property
    def space(self) -> Space:
        return self._space

    def encode_images(self, images: Sequence[ImageData]) -> Vectors:
        return self._unit([list(colour_shares(image).values()) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._unit([[float(name in named) for name in COLOURS] for named in map(_colours_named, texts)])

    def _unit(self, rows: list[list[float]]) -> Vectors:
        # The last dimension keeps a text without colours at unit length.
        vectors = np.array([[*row, 0.05] for row in rows], dtype=np.float32).reshape(-1, len(COLOURS) + 1)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class FakeDescriber:
    """Labels a picture by its main colours. `text` stands for what an OCR engine would read."""

    name = "fake: colours"

    def __init__(self, text: str = "") -> None:
        self._text = text

    def describe(self, image: ImageData, known: Sequence[ImageEntry] = ()) -> tuple[ImageEntry, ...]:
        shares = sorted(colour_shares(image).items(), key=lambda item: -item[1])
        chinese = {name: sign for sign, name in CHINESE.items()}
        found = [
            ImageEntry("label", f"{name}; {chinese[name]}色", self.name) for name, share in shares[:3] if share > 0.2
        ]
        if self._text:
            found.append(ImageEntry("ocr", self._text, self.name))
        return tuple(entry for entry in found if entry.kind not in {k.kind for k in known})


def _colours_named(text: str) -> set[str]:
    named = {word for word in words(text) if word in COLOURS}
    return named | {name for sign, name in CHINESE.items() if sign in text}
