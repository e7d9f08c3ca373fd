"""SVG drawings: their words, and themselves as a picture (resvg draws them)."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

from ingest.parsers.prose import source_bytes
from ingest.protocols import Limits, ParsedPage, Source
from rag.documents import Box, Element, ImageData, ImageEntry, Page
from rag.errors import CorruptFile, EmptyFile

_LENGTH = re.compile(r"^\s*([0-9.]+(?:e[+-]?\d+)?)\s*(px|pt|pc|mm|cm|in|em|ex)?\s*$", re.IGNORECASE)
_PIXELS = {
    "": 1.0,
    "px": 1.0,
    "pt": 96 / 72,
    "pc": 16.0,
    "mm": 96 / 25.4,
    "cm": 96 / 2.54,
    "in": 96.0,
    "em": 16.0,
    "ex": 8.0,
}
_RASTER = re.compile(r"^data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s*(?!['\"]?#)[^)]*\)|@import[^;]*;?", re.IGNORECASE)

LONG_SIDE = 1_200
"""Pixels of the longer side of a drawing: enough to read its labels by OCR."""
MAX_BYTES = 20_000_000
MAX_ASPECT = 50.0


class SvgParser:
    """`image/svg+xml`: one page with one figure; the text elements of the drawing are its `ocr` entry."""

    media_types = frozenset({"image/svg+xml"})
    version = "svg-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        data = source_bytes(source)
        root = _root(data)
        if root is None:
            raise CorruptFile(
                f"{source.name} is not a well-formed SVG drawing.",
                "Export it again, or save it as PNG and ingest that.",
            )
        title, description, words = _words(root)
        image = rasterise(data, source.limits)
        said = " ".join(part for part in (title, description) if part)
        if image is not None:
            page = Page(1, image.width, image.height)
            entries = (ImageEntry("ocr", words, "svg"),) if words else ()
            box = Box(1, 0, 0, image.width, image.height)
            yield ParsedPage(
                page,
                (Element("figure", said, page=1, boxes=(box,), image=image, entries=entries),),
                title=title,
                page_count=1,
            )
            return
        text = "\n".join(part for part in (said, words) if part)
        if not text:
            raise EmptyFile(
                f"{source.name} is a drawing without words that cannot be drawn.", "Save it as PNG and ingest that."
            )
        yield ParsedPage(
            None,
            (Element("paragraph", text),),
            title=title,
            warnings=("The drawing cannot be drawn; only its words are read.",),
        )


def rasterise(data: bytes, limits: Limits) -> ImageData | None:
    """The drawing as a PNG of at most LONG_SIDE pixels, or None when it cannot be drawn.

    Links to anything outside the drawing are removed first: resvg would read the files they name.
    """
    from PIL import Image

    root = _root(data) if len(data) <= MAX_BYTES else None
    if root is None:
        return None
    width, height = _size(root)
    if not width or not height or not 1 / MAX_ASPECT <= width / height <= MAX_ASPECT:
        return None
    scale = LONG_SIDE / max(width, height)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    if width * height > limits.pixels:
        return None
    from lxml import etree

    try:
        import resvg_py

        has_text = any(etree.QName(node).localname == "text" for node in root.iter(etree.Element))
        _close(root, limits)
        png = resvg_py.svg_to_bytes(
            svg_string=etree.tostring(root, encoding="unicode"),
            width=width,
            height=height,
            dpi=96.0,
            background="white",
            skip_system_fonts=not has_text,
        )
        with Image.open(io.BytesIO(png)) as image:
            return ImageData(png, "image/png", image.width, image.height)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # a panic of the renderer is no Exception
        return None


def _root(data: bytes) -> Any:
    from lxml import etree

    # No entities, no DTD, no network: "billion laughs" stays a few lines, and file:// entities stay unread.
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or etree.QName(root).localname.lower() != "svg":
        return None
    etree.strip_elements(root, etree.Entity, with_tail=False)
    # An internal DTD would come out again, entities included, when the tree is written.
    return etree.fromstring(
        etree.tostring(root, with_tail=False), etree.XMLParser(resolve_entities=False, recover=True)
    )


def _words(root: Any) -> tuple[str, str, str]:
    """Title, description, and the text elements one a line."""
    from lxml import etree

    title, description, words = "", "", []
    for node in root.iter(etree.Element):
        kind = etree.QName(node).localname
        if kind in ("text", "title", "desc") or (kind == "foreignObject"):
            text = " ".join(" ".join(node.itertext()).split())
            if kind == "title" and node.getparent() is root:
                title = title or text
            elif kind == "desc" and node.getparent() is root:
                description = description or text
            elif text and text not in words:
                words.append(text)
    return title, description, "\n".join(words)


def _size(root: Any) -> tuple[float, float]:
    box = [
        float(value) for value in re.findall(r"-?[0-9.]+(?:e[+-]?\d+)?", root.get("viewBox", "")) if value.strip("-.")
    ]
    sides = []
    for index, side in enumerate(("width", "height")):
        match = _LENGTH.match(root.get(side, ""))
        if match:
            sides.append(float(match.group(1)) * _PIXELS[(match.group(2) or "").lower()])
        else:
            sides.append(box[2 + index] if len(box) == 4 else 0.0)
    return sides[0], sides[1]


def _close(root: Any, limits: Limits) -> None:
    """Removes every way out of the drawing."""
    from lxml import etree

    for node in list(root.iter(etree.Element)):
        kind = etree.QName(node).localname
        if kind in ("script", "foreignObject"):
            node.getparent().remove(node) if node.getparent() is not None else None
            continue
        if kind == "style" and node.text:
            node.text = _CSS_URL.sub("", node.text)
        for name, value in list(node.attrib.items()):
            if etree.QName(name).localname == "href":
                if not (value.startswith("#") or (_RASTER.match(value) and _bounded(value, limits))):
                    del node.attrib[name]
            elif "url(" in value.lower():
                node.set(name, _CSS_URL.sub("none", value))


def _bounded(uri: str, limits: Limits) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))) as image:
            return image.width * image.height <= limits.pixels
    except Exception:  # Pillow's decoders raise whatever their format suggests
        return False
