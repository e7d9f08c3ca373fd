"""The seams of ingestion: workers let parsers turn bytes into pages of elements, chunkers turn pages into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rag.documents import AnyChunk, Document, Element, Page


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds beyond which a file is refused with a clear error instead of eating the machine."""

    bytes: int = 500_000_000
    pages: int = 5_000
    pixels: int = 100_000_000
    seconds: float = 600.0
    unpacked_bytes: int = 2_000_000_000
    """Sum of the members of a zip-based file (DOCX, PPTX) by their headers, and of all that an archive holds."""
    unpacked_ratio: float = 200.0
    """Unpacked size over packed size above which a zip-based file of more than 50 MB unpacked counts as a bomb."""
    rows: int = 1_000_000
    """Rows of a table file (CSV), records of a JSON file, rows of all sheets of a workbook."""
    archive_entries: int = 10_000
    """Files in an archive, those of the archives in it included."""
    archive_depth: int = 3
    """Archives inside archives, and messages inside messages, that are opened."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where reading goes on: pages up to number `page` were read before, and `remembered` is all that the parser asked to have
    remembered of them."""

    page: int
    remembered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to parse. `path` is where its bytes are; `name` is what the person calls it; `root` is the folder that
    relative links (pictures of a Markdown file) may point into, or None when they lead nowhere."""

    path: Path
    name: str
    media_type: str
    limits: Limits = Limits()
    root: Path | None = None
    members: Path | None = None
    """The empty folder into which a container (archive, message) writes the files in it; None: they are only listed."""
    resume: Resume | None = None
    """Only for parsers whose pages say what to remember; others begin at the beginning."""
    pictures: Mapping[str, Path | str] = field(default_factory=dict)
    """Of a file from elsewhere: by relative link, without its escapes, where the picture lies now, or why it was not fetched."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a file, written out to `path`. `name` is its path inside, with forward slashes."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """What a parser yields: one page, or a part of a format without pages (then `page` is None; a long sheet or a book comes
    in several parts).

    `title` and `metadata` are of the document and stand on the first page yielded. `warnings` say what was left out. `members`
    are files that become documents of their own.
    """

    page: Page | None
    elements: tuple[Element, ...]
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    page_count: int | None = None
    warnings: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    remember: tuple[str, ...] | None = None
    """What the parser has to know of this page to go on behind it (see Resume); None where it cannot go on."""


class Parser(Protocol):
    """One format. Memory stays bounded by the page, not by the document, wherever the format allows it."""

    @property
    def media_types(self) -> frozenset[str]: ...

    @property
    def version(self) -> str:
        """Changes whenever the output for the same bytes changes: part of the settings hash of every document."""
        ...

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Pages in order. Raises FileError (UnsupportedFile, CorruptFile, EncryptedFile, EmptyFile, LimitExceeded)."""
        ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that is being parsed. `pages` comes as the parser makes it; leaving it early ends the worker's process."""

    media_type: str
    pages: Iterator[ParsedPage]


class Stopped(Exception):
    """Nobody wants the file any more."""


class Worker(Protocol):
    """Parses one file at a time where it can take nobody down with it: in a process of this machine, or on another one."""

    stopped: Callable[[], bool]
    """Asked four times a second while a file is parsed; when it says yes, the process is ended and Stopped raised."""

    def parse(self, source: Source) -> Parsed:
        """Raises FileError: what the parser raised, CorruptFile when the process died, LimitExceeded for time, OutOfMemory; and
        SetupError when no process can be started."""
        ...

    def close(self) -> None: ...


class Chunker(Protocol):
    """One strategy. Every character of the text of every element is in at least one chunk."""

    @property
    def version(self) -> str:
        """Strategy and its parameters; part of the settings hash of every document."""
        ...

    def chunk(
        self, document: Document, pages: Iterable[ParsedPage], before: Sequence[AnyChunk] = ()
    ) -> Iterator[AnyChunk]:
        """Chunks in document order, with ordinals from 0 and ids `{document.id}.{first 8 of sha256}.{ordinal}`.

        `before` are those of the document's last version, made by the same version of the strategy: what did not change is cut as it
        was, so that a change embeds little again. The same text gives the same chunks.
        """
        ...
