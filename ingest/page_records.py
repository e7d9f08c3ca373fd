"""Parsed pages as records of a file: a kind, a length and a body, JSON for a page and bytes for a picture or a file inside.

Nothing in it is ever executed. Used by the cache of parsed files and by the checkpoints of files under way.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest.protocols import Member, ParsedPage
from rag.documents import Box, Element, ImageData, ImageEntry, Line, Page

_RECORD = struct.Struct(">cI")

PICTURE, MEMBER, PAGE = b"B", b"M", b"P"


def write(file: Any, kind: bytes, body: bytes) -> None:
    file.write(_RECORD.pack(kind, len(body)))
    file.write(body)


def read(file: Any) -> tuple[bytes, bytes] | None:
    """Kind and body of the next record; None at the end. Raises EOFError where it ends within one."""
    head = file.read(_RECORD.size)
    if not head:
        return None
    if len(head) != _RECORD.size:
        raise EOFError("it ends early")
    kind, length = _RECORD.unpack(head)
    body = file.read(length)
    if len(body) != length:
        raise EOFError("it ends early")
    return kind, body


def write_page(file: Any, parsed: ParsedPage) -> None:
    """The pictures of a page stand before it, in the order of its elements, and the files inside it before those."""
    for member in parsed.members:
        write(file, MEMBER, member.path.read_bytes())
    elements = []
    for element in parsed.elements:
        image = element.image
        shown = {
            "kind": element.kind,
            "text": element.text,
            "page": element.page,
            "boxes": [[box.page, box.left, box.top, box.right, box.bottom] for box in element.boxes],
            "lines": [
                [line.end, line.box.page, line.box.left, line.box.top, line.box.right, line.box.bottom, line.cells]
                for line in element.lines
            ],
            "level": element.level,
            "caption": element.caption,
            "entries": [[entry.kind, entry.text, entry.source] for entry in element.entries],
            "image": None if image is None else [image.media_type, image.width, image.height],
        }
        if image is not None:
            write(file, PICTURE, image.data)
        elements.append(shown)
    page = parsed.page
    body = {
        "page": None if page is None else [page.number, page.width, page.height, page.source],
        "elements": elements,
        "title": parsed.title,
        "metadata": dict(parsed.metadata),
        "page_count": parsed.page_count,
        "warnings": list(parsed.warnings),
        "members": [member.name for member in parsed.members],
        "remember": None if parsed.remember is None else list(parsed.remember),
    }
    # Text of a damaged file may hold lone surrogates, which JSON writes as escapes.
    write(file, PAGE, json.dumps(body, ensure_ascii=True).encode())


def page_from(
    body: bytes, pictures: Iterable[bytes], members: Iterable[bytes] = (), folder: Path | None = None
) -> ParsedPage:
    """A page from its record and those before it. Files inside are written into `folder`, or left out where there is none."""
    found: dict[str, Any] = json.loads(body)
    left = iter(pictures)
    page = found["page"]
    remember = found["remember"]
    return ParsedPage(
        page=None if page is None else Page(*page),
        elements=tuple(_element(element, left) for element in found["elements"]),
        title=found["title"],
        metadata=found["metadata"],
        page_count=found["page_count"],
        warnings=tuple(found["warnings"]),
        members=() if folder is None else tuple(_unpacked(found["members"], members, folder)),
        remember=None if remember is None else tuple(remember),
    )


def _unpacked(names: Iterable[str], members: Iterable[bytes], folder: Path) -> Iterator[Member]:
    for name, data in zip(names, members, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield Member(path, name)


def _element(shown: dict[str, Any], pictures: Iterator[bytes]) -> Element:
    image = shown["image"]
    return Element(
        kind=shown["kind"],
        text=shown["text"],
        page=shown["page"],
        boxes=tuple(Box(*box) for box in shown["boxes"]),
        level=shown["level"],
        image=None if image is None else ImageData(next(pictures), *image),
        caption=shown["caption"],
        entries=tuple(ImageEntry(*entry) for entry in shown["entries"]),
        lines=tuple(Line.from_list(values) for values in shown.get("lines", ())),
    )
