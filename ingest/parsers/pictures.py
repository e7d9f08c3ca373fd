"""Pictures that belong to a document: checked by their header, in a format that every browser shows."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from PIL import Image

from ingest.protocols import Limits, Source
from rag.documents import ImageData

_SHOWN = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
_CONVERTED = frozenset({"BMP", "TIFF", "DIB", "PPM", "ICO", "MPO", "JPEG2000"})
_DATA_URI = re.compile(r"data:([\w.+/-]*)((?:;[\w=.+-]+)*),", re.IGNORECASE)

_MADE_UP = re.compile(
    r"^(?:\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)|[A-Za-z_]*\d{4,}\S*|(?:picture|image|graphic|图片|圖片|图像|grafik|bild) ?\d*)$",
    re.IGNORECASE,
)

FindPicture = Callable[[str], ImageData | str]
"""From a link to its picture, or to the reason why it is left out (empty for one that nobody misses)."""

MIN_SIDE = 16
"""Pixels; smaller pictures are bullets, spacers and tracking dots."""


def image_data(data: bytes, limits: Limits) -> ImageData | str:
    """The picture, or why it is left out. Reads the header only, unless the format has to be converted."""
    if _looks_like_svg(data):
        from ingest.parsers.svg import rasterise

        return rasterise(data, limits) or "is an SVG drawing that cannot be drawn"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                width, height, kind = image.width, image.height, image.format or ""
                if width * height > limits.pixels:
                    return (
                        f"has {width * height / 1e6:,.0f} megapixels, more than the {limits.pixels / 1e6:,.0f} allowed"
                    )
                if min(width, height) < MIN_SIDE:
                    return ""
                if kind in _SHOWN:
                    return ImageData(data, _SHOWN[kind], width, height)
                if kind not in _CONVERTED:
                    return f"is in the format {kind}, which is not shown"
                out = io.BytesIO()
                image.convert("RGB").save(out, "PNG")
                return ImageData(out.getvalue(), "image/png", width, height)
    except Image.DecompressionBombError:
        return f"has more than the {limits.pixels / 1e6:,.0f} megapixels allowed"
    except Exception as error:  # Pillow's decoders raise whatever their format suggests
        return f"cannot be read ({type(error).__name__})"


def alternative_text(text: str | None) -> str:
    """An author's description of a picture; names that programs made up ("image3.png", "MPj0309[1]") are none."""
    text = " ".join((text or "").split())
    return "" if _MADE_UP.match(text) else text


def linked_picture(source: Source, link: str) -> ImageData | str:
    """The picture behind a link, from a `data:` URI, from a file inside `source.root`, or from what was fetched with the
    document; otherwise why not. No network."""
    link = link.strip()
    if link[:5].lower() == "data:":
        data = _data_uri(link)
        return image_data(data, source.limits) if data else "has an unreadable data: address"
    try:
        parts = urlsplit(link)
    except ValueError:
        return "has an unreadable address"
    if parts.scheme or parts.netloc:
        return "is on the network, and nothing is fetched"
    fetched = source.pictures.get(unquote(link))
    if fetched is not None:
        return fetched if isinstance(fetched, str) else image_data(fetched.read_bytes(), source.limits)
    if source.root is None:
        return "is a separate file, and the document came without its folder"
    path = _inside(source, unquote(parts.path))
    if path is None:
        return "is not in the folder of the document"
    if path.stat().st_size > source.limits.bytes:
        return "is larger than the limit bytes"
    return image_data(path.read_bytes(), source.limits)


def _inside(source: Source, link: str) -> Path | None:
    """The file a link names, if it is inside the root, whatever `..` and symbolic links say on the way."""
    assert source.root is not None
    root = source.root.resolve()
    here = source.path.resolve().parent
    if not here.is_relative_to(root):
        here = root / PurePosixPath(source.name).parent
    if not link or "\0" in link:
        return None
    candidates = [root / link.lstrip("/")] if link.startswith("/") else [here / link]
    # Documentation names pictures by their place on the site ("/media/a.png"); a copy of it keeps them beside the text.
    candidates.append(here / PurePosixPath(link).name)
    for candidate in candidates:
        try:
            resolved = candidate.resolve()
            if resolved.is_relative_to(root) and resolved.is_file():
                return resolved
        except (OSError, RuntimeError, ValueError):
            continue
    return None


def _data_uri(link: str) -> bytes:
    match = _DATA_URI.match(link)
    if not match:
        return b""
    payload = link[match.end() :]
    if ";base64" not in match.group(2).lower():
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode(re.sub(r"\s+", "", unquote(payload)) + "==")
    except (binascii.Error, ValueError):
        return b""


def _looks_like_svg(data: bytes) -> bool:
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    return (
        head.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg", b"<!doctype svg")) and b"<svg" in data[:10_000]
    )
