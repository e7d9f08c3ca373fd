"""Says which of ImageNet's thousand things is on a picture: EfficientNet-Lite2 in ONNX Runtime, no torch.

A classifier, not an image encoder: it knows 1,000 labels and finds nothing else (docs/pictures.md).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.documents import ImageData
from rag.encoders import efficientnet
from rag.encoders.efficientnet import LITE2_SIDE
from rag.encoders.pictures import MAX_PIXELS, open_rgb
from rag.encoders.torch_pickle import read_tensors
from rag.errors import ModelCorrupt, ModelMissing
from rag.protocols import Vectors

if TYPE_CHECKING:
    from PIL import Image

SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
BUILDER = 1
"""Part of the cached graph's name: raise it whenever the graph changes."""

CROP_MARGIN = 32
"""Training cropped: at test time the middle `side / (side + 32)` of the shorter edge is what the network expects."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a class is called; the first name of each language is the usual one."""

    en: tuple[str, ...]
    zh: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A class or a group with the probability that the network gives it."""

    name: Name
    probability: float


@dataclass(frozen=True, slots=True)
class Group:
    """What several classes have in common: 118 breeds are a dog."""

    name: Name
    classes: tuple[int, ...]


@cache
def names() -> tuple[Name, ...]:
    """The classes of ImageNet-1k (ILSVRC 2012) in the order of their WordNet ids, in English and Chinese."""
    return tuple(_name(en, zh) for _, en, zh in _rows("imagenet_labels.tsv"))


@cache
def groups() -> tuple[Group, ...]:
    """General words over the classes. Groups overlap: a sailboat is a boat."""
    found: list[Group] = []
    for en, zh, members in _rows("imagenet_groups.tsv"):
        spans = [span.partition("-") for span in members.split(",")]
        classes = [n for first, _, last in spans for n in range(int(first), int(last or first) + 1)]
        found.append(Group(_name(en, zh), tuple(classes)))
    return tuple(found)


def _rows(file: str) -> list[list[str]]:
    text = resources.files("rag.encoders").joinpath(file).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


def _name(en: str, zh: str) -> Name:
    return Name(tuple(en.split(", ")), tuple(zh.split("、")))


class LabelClassifier:
    """Probabilities of the classes for a picture.

    `weights` is `efficientnet-lite2-9656183e.pth`; its graph is written to `cache_dir` once (a second) and read from there
    afterwards. `threads` is the number of threads of one forward pass; 0 leaves it to ONNX Runtime. Raises ModelMissing,
    ModelCorrupt.
    """

    name = "labels (EfficientNet-Lite2, ImageNet-1k)"

    def __init__(self, weights: Path, cache_dir: Path, *, threads: int = 0, max_pixels: int = MAX_PIXELS) -> None:
        self._weights = weights
        self._cache_dir = cache_dir
        self._threads = threads
        self._max_pixels = max_pixels
        self._session: Any = None
        self._lock = threading.Lock()
        if not weights.is_file():
            raise ModelMissing(f"The label model's weights {weights} are not there.", "Run `tuwen models pull`.")

    def probabilities(self, image: ImageData) -> Vectors:
        """`[1000]`, by class. Raises CorruptFile, LimitExceeded."""
        picture = open_rgb(image, max_pixels=self._max_pixels, max_side=4 * LITE2_SIDE)
        (found,) = self._loaded().run(None, {"pixels": preprocess(picture)[None]})
        return np.asarray(found[0], dtype=np.float32)

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                import onnxruntime

                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = self._threads
                options.enable_cpu_mem_arena = False
                self._session = onnxruntime.InferenceSession(
                    str(ensure_graph(self._weights, self._cache_dir)), options, providers=["CPUExecutionProvider"]
                )
            return self._session


def preprocess(picture: Image.Image, side: int = LITE2_SIDE) -> Vectors:
    """Float32 `[3, side, side]`: centre crop, bicubic, `(value - 127) / 128` (the Lite variants' own constants)."""
    from PIL import Image

    width, height = picture.size
    edge = min(width, height) * side / (side + CROP_MARGIN)
    left, top = (width - edge) / 2, (height - edge) / 2
    square = picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + edge, top + edge))
    pixels = (np.asarray(square, dtype=np.float32) - 127.0) / 128.0
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def ensure_graph(weights: Path, cache_dir: Path) -> Path:
    """The ONNX file in `cache_dir`, written when it is not there. Several processes may do so at once.

    The weights are checked by their sha256 before they are read. Raises ModelCorrupt.
    """
    target = cache_dir / f"efficientnet-lite2-v{BUILDER}-{SHA256[:12]}.onnx"
    if target.is_file():
        return target
    with weights.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256:
        raise ModelCorrupt(
            f"{weights} is not EfficientNet-Lite2's file (sha256 {found[:12]}…, expected {SHA256[:12]}…).",
            "Pull the model again: `tuwen models pull`.",
        )
    model = efficientnet.build(read_tensors(weights))
    cache_dir.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=cache_dir)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(model)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target
