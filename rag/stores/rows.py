"""Rows of the library as the engine's types, and back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from rag.documents import AnyChunk, Box, Chunk, Document, DocumentRef, Element, ImageChunk, ImageEntry, Line

DOCUMENT_COLUMNS = (
    "d.id, d.collection, d.name, d.media_type, d.sha256, d.size, d.title, d.language, d.page_count, d.metadata"
)
CHUNK_COLUMNS = (
    "c.rowid, c.id, c.document_id, c.ordinal, c.kind, c.text, c.context, c.headings, c.page, c.boxes, c.tokens, "
    "c.language, c.window_first, c.window_last, c.image_sha256, c.media_type, c.width, c.height"
)
_CHUNK_WIDTH = 18


def digest(text: str) -> str:
    """What a vector is stored under: a hash of the text it was made from."""
    return hashlib.sha256(text.encode()).hexdigest()


def boxes_to_json(boxes: Sequence[Box]) -> str:
    return json.dumps([box.as_list() for box in boxes], separators=(",", ":"))


def boxes_from_json(text: str) -> tuple[Box, ...]:
    return tuple(Box.from_list(values) for values in json.loads(text)) if text != "[]" else ()


def lines_to_json(lines: Sequence[Line]) -> str:
    # A tenth of a point is enough: a book of 1,600 pages has 60,000 lines.
    shown = [
        [
            line.end,
            line.box.page,
            *(round(side, 1) for side in line.box.as_list()[1:]),
            *([[cell and [round(side, 1) for side in cell] for cell in line.cells]] if line.cells else []),
        ]
        for line in lines
    ]
    return json.dumps(shown, separators=(",", ":"))


def element_from_row(row: Sequence[Any]) -> Element:
    """Without its picture, and without entries, which are kept with its chunk."""
    kind, text, page, boxes, level, caption, lines = row
    placed = tuple(Line.from_list(values) for values in json.loads(lines))
    return Element(kind, text, page, boxes_from_json(boxes), level, caption=caption, lines=placed)


def document_from_row(row: Sequence[Any]) -> Document:
    fields = list(row)
    fields[-1] = json.loads(fields[-1])
    return Document(*fields)


def chunk_from_row(row: Sequence[Any], entries: Iterable[ImageEntry]) -> AnyChunk:
    (
        _,
        id_,
        document_id,
        ordinal,
        kind,
        text,
        context,
        headings,
        page,
        boxes,
        tokens,
        language,
        first,
        last,
        *image,
    ) = row[:_CHUNK_WIDTH]
    common: dict[str, Any] = {
        "id": id_,
        "document_id": document_id,
        "ordinal": ordinal,
        "headings": tuple(json.loads(str(headings))),
        "page": page,
        "boxes": boxes_from_json(str(boxes)),
        "language": language,
    }
    if kind == "image":
        sha256, media_type, width, height = image
        return ImageChunk(
            **common, image_sha256=sha256, media_type=media_type, width=width, height=height, entries=tuple(entries)
        )
    window = None if first is None else (int(first), int(last))
    return Chunk(**common, kind=kind, text=text, context=context, tokens=tokens, window=window)


def entries_of(connection: sqlite3.Connection, rowids: Sequence[int]) -> dict[int, list[ImageEntry]]:
    """The entries of picture chunks, by the chunk's row."""
    found: dict[int, list[ImageEntry]] = {}
    marks = ",".join("?" * len(rowids))
    query = f"SELECT chunk, kind, text, source FROM entries WHERE chunk IN ({marks}) ORDER BY chunk, ordinal"
    for chunk, kind, text, source in connection.execute(query, rowids):
        found.setdefault(chunk, []).append(ImageEntry(kind, text, source))
    return found


def chunks_from_rows(connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> list[AnyChunk]:
    pictures = [int(row[0]) for row in rows if row[4] == "image"]
    entries = entries_of(connection, pictures) if pictures else {}
    return [chunk_from_row(row, entries.get(int(row[0]), ())) for row in rows]


def ref_from_row(row: Sequence[Any]) -> DocumentRef:
    id_, name, media_type, collection = row
    return DocumentRef(str(id_), str(name), str(media_type), str(collection))
