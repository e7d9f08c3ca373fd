"""What a document is made of, from the page down to the passage that is searched.

Every type here is frozen and complete at construction. Lengths on a page are in points (1/72 inch), from the
page's top left corner; for a picture file one pixel counts as one point. Pages are numbered from 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

ElementKind = Literal["heading", "paragraph", "list", "table", "code", "figure", "caption", "footnote", "formula"]
Span = tuple[float, float]
EntryKind = Literal["caption", "nearby", "ocr", "label", "name", "description"]
SEEN: frozenset[EntryKind] = frozenset({"label", "ocr"})
"""Kinds of entries that the bundled describer made of the picture; the others say what somebody wrote of it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the page's top left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if self.page < 1:
            raise ValueError(f"pages are numbered from 1, not {self.page}")
        if self.right < self.left or self.bottom < self.top:
            raise ValueError(f"a box cannot have a negative size: {self}")

    def as_list(self) -> list[float]:
        """`[page, left, top, right, bottom]`, the shape of the HTTP interface."""
        return [
            self.page,
            round(self.left, 2),
            round(self.top, 2),
            round(self.right, 2),
            round(self.bottom, 2),
        ]

    @classmethod
    def from_list(cls, values: Iterable[float]) -> Box:
        page, left, top, right, bottom = values
        return cls(int(page), left, top, right, bottom)

    @classmethod
    def around(cls, boxes: Iterable[Box]) -> Box:
        """The smallest box around boxes of one page."""
        items = list(boxes)
        pages = {box.page for box in items}
        if len(pages) != 1:
            raise ValueError("only boxes of one page have a common box")
        return cls(
            pages.pop(),
            min(box.left for box in items),
            min(box.top for box in items),
            max(box.right for box in items),
            max(box.bottom for box in items),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """One page, slide or picture frame: its number and its size in points."""

    number: int
    width: float
    height: float
    source: Literal["digital", "ocr"] = "digital"


@dataclass(frozen=True)
class ImageData:
    """An encoded picture (PNG, JPEG, …) and its size in pixels."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One text under which a picture can be found: its caption, the text in it, a label, …

    `source` names what produced it (for example the label model), so that nobody takes a guess for a fact.
    """

    kind: EntryKind
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an element as it is drawn, or a row of a table: the text of the element before `end` that no line above has."""

    end: int
    box: Box
    cells: tuple[Span | None, ...] = ()
    """For a row of a table, left and right of each cell in points; None where nothing stands. Empty where they are not known."""

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> Line:
        """`[end, page, left, top, right, bottom]`, and the cells where there are any: as lines are stored."""
        end, *box = values[:6]
        cells = values[6] if len(values) > 6 else ()
        return cls(int(end), Box.from_list(box), tuple(cell and (cell[0], cell[1]) for cell in cells))

    @property
    def cell_boxes(self) -> tuple[Box | None, ...]:
        """As high as the row."""
        return tuple(None if cell is None else replace(self.box, left=cell[0], right=cell[1]) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Element:
    """One block of a page in reading order.

    `text` is plain text, except for tables: GitHub-flavoured Markdown with one header row. A figure has its picture in
    `image`, its caption in `caption`, its alternative text in `text`, and what a describer read in it in `entries`.
    `page` and `boxes` are empty for formats without pages.
    """

    kind: ElementKind
    text: str
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    level: int | None = None
    """Heading depth, 1 to 6; only for headings."""
    image: ImageData | None = None
    caption: str = ""
    entries: tuple[ImageEntry, ...] = ()
    lines: tuple[Line, ...] = ()
    """Where the parser knows them; the last one ends with the text."""

    def __post_init__(self) -> None:
        if (self.kind == "heading") != (self.level is not None):
            raise ValueError("a heading, and only a heading, has a level")
        if self.image is not None and self.kind != "figure":
            raise ValueError("only a figure carries a picture")


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """What a hit or a citation says of its document."""

    id: str
    name: str
    media_type: str
    collection: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as the library knows it. `name` is its path relative to what was ingested, with forward slashes."""

    id: str
    collection: str
    name: str
    media_type: str
    sha256: str
    size: int
    title: str = ""
    language: str = ""
    page_count: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> DocumentRef:
        return DocumentRef(self.id, self.name, self.media_type, self.collection)

    @staticmethod
    def make_id(collection: str, name: str) -> str:
        """A document keeps its id when its bytes change: the id depends on its place only."""
        return hashlib.sha256(f"{collection}\0{name}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of text or a table: what is embedded, matched and read.

    `text` is what stands in the document. `context` (document title and heading path) is kept apart: it is embedded and
    indexed with the text, and never quoted. Chunks of one document are neighbours by `ordinal`.

    `window` is for what is matched small and read large: the first and the last ordinal of the chunks that are read in
    its place (its parent, the sentences around it, its page), itself among them. None when it is read as it is.
    """

    id: str
    document_id: str
    ordinal: int
    kind: Literal["text", "table"]
    text: str
    context: str = ""
    headings: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    tokens: int = 0
    language: str = ""
    window: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.window is not None and not self.window[0] <= self.ordinal <= self.window[1]:
            raise ValueError(f"chunk {self.ordinal} is not in its own window {self.window}")

    @property
    def embedded_text(self) -> str:
        """What the text encoder and the lexical index see."""
        return f"{self.context}\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class ImageChunk:
    """A picture of a document, found by any of its entries, or by its own vector where an image encoder is active."""

    id: str
    document_id: str
    ordinal: int
    image_sha256: str
    media_type: str
    width: int
    height: int
    entries: tuple[ImageEntry, ...]
    headings: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    language: str = ""
    kind: Literal["image"] = "image"

    @property
    def text(self) -> str:
        """The entries as one text, each under its kind, for a reader or a generator."""
        return "\n".join(f"{entry.kind}: {entry.text}" for entry in self.entries)


AnyChunk = Chunk | ImageChunk
