"""What the library tells of files and documents beside their contents."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rag.documents import Document


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looked like when its hash was computed: size in bytes, times of its last change and its inode's, in ns, inode."""

    sha256: str
    size: int
    modified: int
    changed: int
    inode: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document that was published. `embedded` of its `chunks` texts were new."""

    published_at: float
    sha256: str
    settings: str
    size: int
    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What the library tells about a published document beside the document itself."""

    document: Document
    settings: str
    source: str
    warnings: tuple[str, ...]
    published_at: float
    chunks: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested: not tried again until it, or the settings, change."""

    collection: str
    name: str
    sha256: str
    settings: str
    error: str
    message: str
    remedy: str
    at: float = field(default_factory=time.time)
