"""Pages as pictures: what a person sees beside an answer, and what OCR reads of a scan."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from ingest.containers import PASSWORDS
from rag.errors import CorruptFile, EncryptedFile, NotFound

PDFIUM = threading.RLock()
"""PDFium is not safe for threads: whoever calls it holds this lock."""

MAX_SIDE = 6_000
"""Pixels of the longer side of a rendered page; a poster is drawn smaller than asked instead of eating the memory."""


def render_page(path: Path, number: int, scale: float, passwords: Sequence[str] = ()) -> bytes:
    """PNG of page `number` (from 1) of a PDF or of a picture file, `scale` pixels for each point of the page.

    Boxes of parsed elements multiplied by `scale` fit the result, unless that would be more than 6,000 pixels long:
    then the picture is smaller and its width over the page's width is the factor. Raises NotFound for a page that is
    not there, CorruptFile for bytes that cannot be drawn, EncryptedFile.
    """
    if scale <= 0:
        raise ValueError(f"a scale is positive, not {scale}")
    with path.open("rb") as file:
        head = file.read(1024)
    if b"%PDF-" in head:
        with open_pdf(path, path.name, passwords) as (pdf, _), PDFIUM:
            if not 1 <= number <= len(pdf):
                raise _no_page(path, number, len(pdf))
            return png(draw(pdf[number - 1], scale))
    return png(_frame(path, number, scale))


@contextmanager
def open_pdf(path: Path, name: str, passwords: Sequence[str] = ()) -> Iterator[tuple[Any, str]]:
    """A `pypdfium2.PdfDocument` and the password that opened it, empty when it needs none; whoever uses the document holds
    the lock. Raises EncryptedFile, CorruptFile."""
    pdf, password = _opened(path, name, passwords)
    try:
        yield pdf, password
    finally:
        with PDFIUM:
            pdf.close()


def _opened(path: Path, name: str, passwords: Sequence[str]) -> tuple[Any, str]:
    import pypdfium2

    for password in ("", *passwords):
        try:
            with PDFIUM:
                return pypdfium2.PdfDocument(path, password=password or None), password
        except pypdfium2.PdfiumError as error:
            if "password" not in str(error).lower():
                raise CorruptFile(
                    f"{name} is damaged or not a PDF.", "Open it in a PDF viewer and save it again, or replace it."
                ) from error
    tried = f" None of the {len(passwords)} passwords given fits." if passwords else ""
    raise EncryptedFile(f"{name} is locked by a password.{tried}", PASSWORDS)


def draw(page: Any, scale: float) -> Image.Image:
    """A page of pypdfium2 as RGB, on white, as displayed (rotation and crop box applied)."""
    scale = min(scale, MAX_SIDE / max(page.get_size()))
    bitmap = page.render(scale=max(scale, 0.01), may_draw_forms=False)
    try:
        picture: Image.Image = bitmap.to_pil().convert("RGB")
        return picture
    finally:
        bitmap.close()


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Level 3 takes a third of the time of the default and adds a tenth to the size.
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def jpeg(picture: Image.Image, quality: int = 88) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _frame(path: Path, number: int, scale: float) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as picture:
                frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
                if not 1 <= number <= frames:
                    raise _no_page(path, number, frames)
                picture.seek(number - 1)
                scale = min(scale, MAX_SIDE / max(picture.size))
                upright = ImageOps.exif_transpose(picture).convert("RGB")
                target = (max(round(upright.width * scale), 1), max(round(upright.height * scale), 1))
                return upright if upright.size == target else upright.resize(target)
        except NotFound:
            raise
        except Exception as error:
            raise CorruptFile(f"{path.name} cannot be drawn ({error}).", "Replace the file.") from error


def _no_page(path: Path, number: int, count: int) -> NotFound:
    return NotFound(f"{path.name} has no page {number}.", f"Its pages are numbered from 1 to {count}.")
