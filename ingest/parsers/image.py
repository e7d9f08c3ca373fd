"""Picture files: PNG, JPEG, WebP, BMP, the first frame of a GIF, every frame of a TIFF. One frame is one page.

A figure carries the picture; where OCR reads a text in it, paragraphs with their places follow.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.layout.ocr import is_substantial, lay_out_lines
from ingest.layout.paragraphs import Block, element_lines
from ingest.parsers.picture_tables import picture_tables
from ingest.protocols import ParsedPage, Source
from ingest.render import jpeg, png
from rag.documents import Box, Element, ImageData, ImageEntry, Page
from rag.errors import CorruptFile, FileError, LimitExceeded
from rag.protocols import Ocr, OcrLine

MAX_SIDE = 2_048
"""Pixels of the longer side of the stored picture; boxes stay in pixels of the original."""
ENOUGH_CONFIDENCE = 0.6
_KEPT = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_ORIENTATION = 0x0112
_REMEDY = "Open it in a picture viewer and save it again, or replace it."


class ImageParser:
    """`ocr` reads text in pictures; without it they are found by what describers say of them."""

    def __init__(self, *, ocr: Ocr | None) -> None:
        self._ocr = ocr

    @property
    def media_types(self) -> frozenset[str]:
        return frozenset({"image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp", "image/gif"})

    @property
    def version(self) -> str:
        return f"image-3+{self._ocr.name if self._ocr else 'no-ocr'}"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Frames in order. Raises CorruptFile, LimitExceeded (before a pixel is decoded)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit below is ours
            try:
                yield from self._parse(source)
            except FileError:
                raise
            except Image.DecompressionBombError as error:
                raise LimitExceeded(
                    f"{source.name} has far more pixels than the {source.limits.pixels:,} that are decoded.",
                    "Save a smaller copy.",
                ) from error
            except UnidentifiedImageError as error:
                raise CorruptFile(f"{source.name} is not a picture that can be read.", _REMEDY) from error
            except Exception as error:  # Pillow's decoders raise many types on broken bytes
                raise CorruptFile(f"{source.name} is damaged: {error}.", _REMEDY) from error

    def _parse(self, source: Source) -> Iterator[ParsedPage]:
        with Image.open(source.path) as picture:
            many = picture.format == "TIFF"
            _check_pixels(source, picture)
            frames = getattr(picture, "n_frames", 1) if many else 1
            if frames > source.limits.pages:
                raise LimitExceeded(
                    f"{source.name} has {frames:,} frames; at most {source.limits.pages:,} are read.",
                    "Split it, or raise the limit of pages in the settings.",
                )
            for number in range(1, frames + 1):
                if number > 1:
                    picture.seek(number - 1)
                    _check_pixels(source, picture)
                yield self._frame(source, picture, number, frames)

    def _frame(self, source: Source, picture: Image.Image, number: int, frames: int) -> ParsedPage:
        picture.load()
        turned = picture.getexif().get(_ORIENTATION, 1) not in (0, 1)
        upright = ImageOps.exif_transpose(picture) if turned else picture
        width, height = upright.size
        stored = _stored(source, picture, upright, turned=turned)
        lines = self._ocr.read(stored) if self._ocr is not None else []
        lines = _scaled(lines, width / stored.width)
        entries: tuple[ImageEntry, ...] = ()
        blocks: list[Block] = []
        if self._ocr is not None:
            text = "\n".join(line.text for line in lines if line.confidence >= ENOUGH_CONFIDENCE)
            # An empty entry says that OCR ran and read nothing, so that no describer runs it again.
            entries = (ImageEntry("ocr", text, self._ocr.name),)
            if is_substantial(lines):
                tables, rest = picture_tables(lines, upright, width, height)
                blocks = _in_order(lay_out_lines(rest, width, height), tables)
        figure = Element("figure", "", number, (Box(number, 0, 0, width, height),), image=stored, entries=entries)
        read: Literal["digital", "ocr"] = "ocr" if blocks else "digital"
        return ParsedPage(
            Page(number, width, height, read),
            (figure, *(_element(block, number, width, height) for block in blocks)),
            page_count=frames,
        )


def _in_order(blocks: list[Block], tables: list[Block]) -> list[Block]:
    """Each table before the first text below its middle that stands over or under it."""
    made = list(blocks)
    for table in tables:
        middle = (table.top + table.bottom) / 2
        below = (i for i, b in enumerate(made) if b.top >= middle and b.left < table.right and b.right > table.left)
        made.insert(next(below, len(made)), table)
    return made


def _check_pixels(source: Source, picture: Image.Image) -> None:
    """Reads the size that the header names; nothing is decoded yet."""
    width, height = picture.size
    if width * height > source.limits.pixels:
        raise LimitExceeded(
            f"{source.name} has {width:,} x {height:,} pixels; at most {source.limits.pixels:,} are decoded.",
            "Save a smaller copy, or raise the limit of pixels in the settings.",
        )
    if width < 1 or height < 1:
        raise CorruptFile(f"{source.name} has no pixels.", _REMEDY)


def _stored(source: Source, picture: Image.Image, upright: Image.Image, *, turned: bool) -> ImageData:
    """The file's own bytes where a browser shows them upright and they are not too large."""
    kind = _KEPT.get(picture.format or "")
    if kind and not turned and max(upright.size) <= MAX_SIDE and getattr(picture, "n_frames", 1) == 1:
        return ImageData(source.path.read_bytes(), kind, *upright.size)
    plain = _flat(upright)
    plain.thumbnail((MAX_SIDE, MAX_SIDE))
    drawn = plain.mode in ("1", "L") or plain.getcolors(4096) is not None
    if drawn or picture.format not in ("JPEG", "WEBP"):
        data = png(plain)
        if len(data) <= 2_000_000 or drawn:
            return ImageData(data, "image/png", *plain.size)
    return ImageData(jpeg(plain), "image/jpeg", *plain.size)


def _flat(picture: Image.Image) -> Image.Image:
    """RGB or grey on white: what any reader of the picture understands. Always a copy."""
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        low, high = picture.convert("F").getextrema()
        low, high = float(low), float(high)  # type: ignore[arg-type]
        spread = (high - low) or 1.0
        return picture.convert("F").point(lambda value: (value - low) * (255 / spread)).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _scaled(lines: list[OcrLine], factor: float) -> list[OcrLine]:
    if factor == 1.0:
        return lines
    return [
        OcrLine(
            line.text,
            Box(1, line.box.left * factor, line.box.top * factor, line.box.right * factor, line.box.bottom * factor),
            line.confidence,
        )
        for line in lines
    ]


def _element(block: Block, number: int, width: int, height: int) -> Element:
    boxes = tuple(
        Box(number, placed.left, placed.top, placed.right, placed.bottom)
        for placed in (box.clipped(width, height) for box in block.boxes)
    )
    lines = element_lines(block, number, width, height)
    return Element(block.kind, block.text, number, boxes, level=block.level, lines=lines)
