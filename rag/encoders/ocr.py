"""Reads text in pictures: PP-OCRv6 small (Chinese, English, Latin scripts) through RapidOCR and ONNX Runtime.

The weights lie inside the `rapidocr` package and are checked by their sha256 before they are loaded.
Detector: Liao et al., "Real-time scene text detection with differentiable binarization", AAAI 2020.
Recogniser: Du et al., "SVTR: scene text recognition with a single visual model", IJCAI 2022.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.documents import Box, ImageData
from rag.encoders.ocr_engine import LineReader, Pixels, Read
from rag.encoders.pictures import MAX_PIXELS, open_rgb
from rag.errors import ExtraMissing, ModelCorrupt, ModelMissing
from rag.protocols import OcrLine

Piece = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
SHA256 = {
    DETECTOR: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    RECOGNISER: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}

LONG = 2.5
"""Longer side over shorter side from which a large picture is read in bands: scaled down as a whole, the letters of a
1080 x 12000 screenshot would be 7 pixels high."""

SPARSE = 0.01
"""Share of inked pixels below which a large page is read block by block: the detector misses everything on a 1400 x 2000
page whose only ink is a line or two (best probability .01 where it finds the same line at .9999 on half the page)."""
BLOCK = 700
MARGIN = 40

FLOOR = 400
"""Smaller pieces are padded to this many pixels a side. The engine enlarges a shorter side to 736, and enlarged six times
"Bottom corner of the page" came back as "Bottom", "corner", "r of the", "page": padded, it is whole at every size tried
(letters of 9 to 96 pixels)."""


class RapidOcr:
    """Satisfies `rag.protocols.Ocr`.

    `models` is the folder of the two ONNX files, by default the one inside the rapidocr package. Pictures are read with
    their longer side at `max_side` pixels at most (an A4 page at about 170 dpi). Boxes are in pixels of the upright
    picture: a photo that its EXIF data turns is turned first. `threads` bounds ONNX Runtime's threads (0: all cores).
    Raises ModelMissing, ModelCorrupt, ExtraMissing.
    """

    name = "OCR (PP-OCRv6 small)"

    def __init__(
        self,
        models: Path | None = None,
        *,
        threads: int = 0,
        max_side: int = 2000,
        max_pixels: int = MAX_PIXELS,
        min_confidence: float = 0.5,
    ) -> None:
        self._models = models if models is not None else _bundled_models()
        for file in SHA256:
            _verify(self._models / file)
        self._threads = threads
        self._max_side = max_side
        self._max_pixels = max_pixels
        self._min_confidence = min_confidence
        self._reader: LineReader | None = None
        self._lock = threading.Lock()

    def read(self, image: ImageData) -> list[OcrLine]:
        """Lines in reading order of simple pages: by row, then from the left. Raises CorruptFile, LimitExceeded."""
        picture = open_rgb(image, max_pixels=self._max_pixels, backdrop="contrast")
        full_width, full_height = picture.size
        scale = working_scale(full_width, full_height, self._max_side)
        if scale < 1:
            size = (max(1, round(full_width * scale)), max(1, round(full_height * scale)))
            picture = picture.resize(size, reducing_gap=2.0)
        pixels: Pixels = np.asarray(picture)[:, :, ::-1]
        across, down = full_width / picture.width, full_height / picture.height
        lines: list[OcrLine] = []
        for left, top, right, bottom in pieces(pixels, self._max_side):
            for text, quad, confidence in self._run(np.ascontiguousarray(pixels[top:bottom, left:right])):
                xs, ys = (quad[:, 0] + left) * across, (quad[:, 1] + top) * down
                box = Box(
                    1,
                    float(np.clip(xs.min(), 0, full_width)),
                    float(np.clip(ys.min(), 0, full_height)),
                    float(np.clip(xs.max(), 0, full_width)),
                    float(np.clip(ys.max(), 0, full_height)),
                )
                lines.append(OcrLine(text, box, confidence))
        return lines

    def _run(self, pixels: Pixels) -> list[Read]:
        return self._loaded().read(_padded(pixels)) if min(pixels.shape[:2]) >= 4 else []

    def _loaded(self) -> LineReader:
        with self._lock:
            if self._reader is None:
                if importlib.util.find_spec("rapidocr") is None:
                    raise _missing()
                self._reader = LineReader(
                    self._models,
                    DETECTOR,
                    RECOGNISER,
                    threads=self._threads,
                    max_side=self._max_side,
                    min_confidence=self._min_confidence,
                )
            return self._reader


def working_scale(width: int, height: int, max_side: int) -> float:
    """Factor (at most 1) by which a picture is read: its longer side comes to `max_side`, or, for a long picture, its
    shorter side to `max_side / LONG`."""
    longer, shorter = max(width, height), min(width, height)
    if longer <= max_side:
        return 1.0
    if longer / shorter <= LONG:
        return max_side / longer
    return min(1.0, max_side / LONG / shorter)


def pieces(pixels: Pixels, max_side: int) -> list[Piece]:
    """What is given to the detector, in reading order: the whole picture, bands of a long one, blocks of a sparse one."""
    height, width = pixels.shape[:2]
    if max(height, width) > BLOCK:
        ink = np.abs(pixels.astype(np.int16) - np.median(pixels[::7, ::7], axis=(0, 1))).max(axis=2) > 48
        if ink.mean() < SPARSE:
            return _inked_blocks(pixels, ink)
    if max(height, width) <= max_side:
        return [(0, 0, width, height)]
    if height >= width:
        return [(0, top, width, bottom) for top, bottom in itertools.pairwise(quiet_cuts(pixels, max_side))]
    columns = quiet_cuts(pixels.transpose(1, 0, 2), max_side)
    return [(left, 0, right, height) for left, right in itertools.pairwise(columns)]


def quiet_cuts(pixels: Pixels, longest: int) -> list[int]:
    """Rows from 0 to the height, at most `longest` apart, at which a picture `[height, width, 3]` is cut.

    A cut goes through the most even row of the last quarter of a piece, so that it misses lines of text.
    """
    cuts = [0]
    while len(pixels) - cuts[-1] > longest:
        stop = cuts[-1] + longest
        start = stop - longest // 4
        unevenness = pixels[start:stop].astype(np.float32).std(axis=1).mean(axis=1)
        quiet = np.flatnonzero(unevenness <= unevenness.min() + 1.0)
        cuts.append(start + int(quiet[-1]) + 1)
    return [*cuts, len(pixels)]


def _padded(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if min(height, width) >= FLOOR:
        return pixels
    wide: Pixels = np.empty((max(height, FLOOR), max(width, FLOOR), 3), dtype=np.uint8)
    wide[:] = np.median(pixels[::3, ::3], axis=(0, 1))
    wide[:height, :width] = pixels
    return wide


def _inked_blocks(pixels: Pixels, ink: npt.NDArray[np.bool_]) -> list[Piece]:
    height, width = ink.shape
    blocks: list[Piece] = []
    for top, bottom in itertools.pairwise(quiet_cuts(pixels, BLOCK)):
        rows, columns = np.flatnonzero(ink[top:bottom].any(axis=1)), np.flatnonzero(ink[top:bottom].any(axis=0))
        if rows.size:
            blocks.append(
                (
                    max(0, int(columns[0]) - MARGIN),
                    max(0, top + int(rows[0]) - MARGIN),
                    min(width, int(columns[-1]) + 1 + MARGIN),
                    min(height, top + int(rows[-1]) + 1 + MARGIN),
                )
            )
    return blocks


def _bundled_models() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise _missing()
    return Path(spec.origin).parent / "models"


def _verify(file: Path) -> None:
    if not file.is_file():
        raise ModelMissing(
            f"The OCR weights {file.name} are not in {file.parent}.",
            "Install them with `pip install --force-reinstall --no-deps rapidocr==3.10.0`.",
        )
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256[file.name]:
        raise ModelCorrupt(
            f"{file} is not the file this version was tested with (sha256 {found[:12]}…, expected {SHA256[file.name][:12]}…).",
            "Install it again with `pip install --force-reinstall --no-deps rapidocr==3.10.0`.",
        )


def _missing() -> ExtraMissing:
    return ExtraMissing("Reading text in pictures needs the package rapidocr.", "Run `pip install rapidocr==3.10.0`.")
