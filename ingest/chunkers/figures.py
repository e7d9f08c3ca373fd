"""A figure as an image chunk: every text under which somebody may look for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ingest.chunkers.boxes import merged_boxes
from ingest.chunkers.units import Path
from ingest.cleaning.invisible import visible
from rag.documents import SEEN, Document, Element, ImageChunk, ImageEntry
from rag.language import language_of
from rag.words import sentences

NEARBY_TOKENS = 50
SEVERAL = "mul"
"""ISO 639-2 for several languages."""


def image_chunk(document: Document, ordinal: int, figure: Element, path: Path, before: str, after: str) -> ImageChunk:
    """`figure` has its picture; `before` and `after` are the paragraphs around it."""
    image = figure.image
    if image is None:
        raise ValueError("a figure without a picture is no image chunk")
    entries = [
        ImageEntry("caption", " ".join(figure.caption.split())),
        ImageEntry("name", " ".join(figure.text.split())),
        *figure.entries,
        ImageEntry("nearby", _tail(before)),
        ImageEntry("nearby", _head(after)),
    ]
    if document.media_type.startswith("image/"):
        entries.insert(0, ImageEntry("name", _words_of(document.name)))
    said: dict[str, ImageEntry] = {}
    for entry in entries:
        text = visible(entry.text)
        if text.strip():
            said.setdefault(text, replace(entry, text=text))
    kept = tuple(said.values())
    page = figure.page if figure.page is not None else next((box.page for box in figure.boxes), None)
    return ImageChunk(
        id=f"{document.id}.{document.sha256[:8]}.{ordinal}",
        document_id=document.id,
        ordinal=ordinal,
        image_sha256=image.sha256,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        entries=kept,
        headings=tuple(text for _, text in path),
        page=page,
        boxes=merged_boxes(figure.boxes),
        language=_language(kept),
    )


def _language(entries: Sequence[ImageEntry]) -> str:
    """That of what the document says of the picture. Labels are Chinese, too: by them an English caption's picture had to be found by words, where a
    Chinese question has none of its own in it, and pictures with a common label stood before it (docs/pictures.md)."""
    said = "\n".join(entry.text for entry in entries if entry.kind not in SEEN and any(c.isalpha() for c in entry.text))
    language = language_of(said or "\n".join(entry.text for entry in entries))
    labelled = any(entry.kind == "label" for entry in entries)
    return SEVERAL if said and labelled and language != "zh" else language


def _words_of(name: str) -> str:
    """ "photos/red_panda-2.jpg" as "red panda 2"."""
    return " ".join(PurePosixPath(name).stem.replace("_", " ").replace("-", " ").split())


def _weight(text: str) -> float:
    return sum(0.7 if character > "\u2e80" else 0.25 for character in text)


def _head(text: str) -> str:
    kept: list[str] = []
    for sentence in sentences(text):
        if kept and _weight(" ".join(kept)) + _weight(sentence) > NEARBY_TOKENS:
            break
        kept.append(sentence)
    return " ".join(kept)[:600]


def _tail(text: str) -> str:
    kept: list[str] = []
    for sentence in reversed(sentences(text)):
        if kept and _weight(" ".join(kept)) + _weight(sentence) > NEARBY_TOKENS:
            break
        kept.insert(0, sentence)
    return " ".join(kept)[-600:]
