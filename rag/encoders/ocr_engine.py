"""PP-OCR through RapidOCR: lines are looked for on a smaller picture, and read from the whole one.

The detector's time grows with the pixels it sees, and printed text is found at half the size at which it can be read. Small print is not: where
what was found is small, or letters lie beside it, the detector looks again at the full size.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Quads = npt.NDArray[np.float32]
"""Corners of lines `[lines, 4, 2]` in pixels, from the top left one clockwise."""
Read = tuple[str, npt.NDArray[np.float32], float]
"""Text, corners, confidence."""

COARSE = 960
"""Longer side at which lines are looked for first."""
ENLARGED = 736
"""The engine enlarges what has a shorter side than this: such pictures are looked at once."""
SMALL = 10.0
"""Height of a line as the detector saw it, in pixels, below which it misses some: letters of 6 points and less on A4."""
MISSED_LINES = 2
"""So many such lines, and the detector looks again."""
MISSED = 40
"""Signs of the size of letters outside of all lines from which the detector looks again."""
LETTER = (3, 24)
"""Least and greatest height of such a sign, in pixels of the page."""


class LineReader:
    """Lines of a picture `[height, width, 3]`, BGR, in the order in which the detector sorts them: by row, then from the left.

    Safe to use from several threads. `models` has the two ONNX files of those names.
    """

    def __init__(
        self, models: Path, detector: str, recogniser: str, *, threads: int, max_side: int, min_confidence: float
    ) -> None:
        self._params = {
            "Global.log_level": "error",
            # The 180-degree classifier turns straight lines upside down: character recall .86 instead of .999.
            "Global.use_cls": False,
            "Global.max_side_len": max_side,
            "Global.model_root_dir": str(models),
            "Det.model_path": str(models / detector),
            "Rec.model_path": str(models / recogniser),
            # In a batch short lines are padded to the longest: 3.2 instead of 4.4 s of one core for a dense page, word recall the same.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads or -1,
        }
        self._min_confidence = min_confidence
        self._engines: dict[int, Any] = {}
        self._opening = threading.Lock()

    def read(self, pixels: Pixels) -> list[Read]:
        from rapidocr.main import RapidOCRError

        try:
            crops, quads = self._found(pixels)
            read = self._engine(0).recognize_txt(crops)
        except RapidOCRError:  # how it says that there is no text
            return []
        return [
            (text.strip(), quad, float(score))
            for text, quad, score in zip(read.txts, quads, read.scores, strict=True)
            if text.strip() and score >= self._min_confidence
        ]

    def _found(self, pixels: Pixels) -> tuple[list[Pixels], Quads]:
        height, width = pixels.shape[:2]
        scale = COARSE / max(height, width)
        if scale >= 1 or min(height, width) < ENLARGED:
            return self._detect(pixels, 0)
        from rapidocr.main import RapidOCRError

        try:
            crops, quads = self._detect(pixels, COARSE)
        except RapidOCRError:
            if letters_beside(pixels, np.empty((0, 4, 2), np.float32)) < MISSED:
                raise
            return self._detect(pixels, 0)
        if small_lines(quads, scale) < MISSED_LINES and letters_beside(pixels, quads) < MISSED:
            return crops, quads
        return self._detect(pixels, 0)

    def _detect(self, pixels: Pixels, side: int) -> tuple[list[Pixels], Quads]:
        """Raises RapidOCRError where there is nothing."""
        from rapidocr.utils.process_img import map_boxes_to_original

        padded: dict[str, Any] = {}
        crops, found = self._engine(side).detect_and_crop(pixels, padded)
        quads = map_boxes_to_original(found.boxes, padded, *pixels.shape[:2])
        return crops, np.asarray(quads, np.float32)

    def _engine(self, side: int) -> Any:
        """One that looks at pictures with their longer side at `side` pixels; 0: as they are, small ones enlarged."""
        with self._opening:
            if side not in self._engines:
                from rapidocr import RapidOCR

                limit = {"Det.limit_type": "max", "Det.limit_side_len": side} if side else {}
                self._engines[side] = RapidOCR(params=self._params | limit)
            return self._engines[side]


def small_lines(quads: Quads, scale: float) -> int:
    """How many lines were smaller than `SMALL` when the picture was shrunk by `scale`; marks as high as wide are none."""
    down, along = _length(quads[:, 0] - quads[:, 3]), _length(quads[:, 0] - quads[:, 1])
    heights, lengths = np.minimum(down, along), np.maximum(down, along)
    return int(((heights * scale < SMALL) & (lengths > 4 * heights)).sum())


def letters_beside(pixels: Pixels, quads: Quads) -> int:
    """How many inked signs of the size of letters lie outside of all lines."""
    import cv2

    grey = pixels[:, :, 1].astype(np.int16)
    ink = (np.abs(grey - np.median(grey[::7, ::7])) > 64).astype(np.uint8)
    for quad in quads:
        cv2.fillPoly(ink, [quad.astype(np.int32)], 0)
    _, _, signs, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    heights, widths = signs[1:, cv2.CC_STAT_HEIGHT], signs[1:, cv2.CC_STAT_WIDTH]
    least, most = LETTER
    return int(((heights >= least) & (heights <= most) & (widths >= 2) & (widths <= most)).sum())


def _length(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(vectors, axis=-1), np.float32)
