"""Parsed files by their content: what was parsed once is not parsed again by a run that only cuts the text differently.

One file per parsed document, gzip over records of a kind, a length and a body: JSON for a page, bytes for a picture. Nothing in it
is ever executed; a damaged file counts as not there. Used by the bench; the service has none, because there deleting a document
has to remove every trace of it.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import logging
import os
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

from ingest import page_records
from ingest.protocols import Parsed, ParsedPage, Source
from ingest.worker import ParseWorker, Toolbox
from rag.hashing import sha256_of

log = logging.getLogger(__name__)

LIMIT_BYTES = 5_000_000_000
_FORMAT = "2"


class ParseCache:
    """A folder of parsed files. `key` names everything their content depends on beside the file itself: the parsers' version
    and settings, and, for files that refer to others (pictures of a Markdown file), the set of files they belong to.

    Beyond `limit_bytes` the files that were used longest ago are removed. Safe to use from several threads and processes.
    """

    def __init__(self, folder: Path, key: str, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder, self._key, self._limit = folder, key, limit_bytes
        self._guard = threading.Lock()
        self._size: int | None = None

    def path(self, source: Source, sha256: str) -> Path:
        """Where the file's pages are, or would be."""
        limits = json.dumps(asdict(source.limits), sort_keys=True)
        opened = str(source.members is not None)
        named = "\0".join((_FORMAT, self._key, sha256, source.name, limits, opened))
        digest = hashlib.sha256(named.encode()).hexdigest()
        return self._folder / digest[:2] / f"{digest}.gz"

    def read(self, path: Path) -> tuple[str, list[ParsedPage]] | None:
        """Media type and pages; None where nothing, or nothing that can be read, is kept."""
        try:
            with gzip.open(path, "rb") as file:
                found = _read(cast("IO[bytes]", file))
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, TypeError, StopIteration, zlib.error) as error:
            log.warning("%s is damaged and is made anew: %s", path, error)
            path.unlink(missing_ok=True)
            return None
        return found

    def keep(self, path: Path, media_type: str, pages: Iterator[ParsedPage]) -> Iterator[ParsedPage]:
        """Passes the pages on, and keeps them when the last one has come. Pages with files of their own are not kept."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
        new = Path(name)
        kept = True
        try:
            with os.fdopen(descriptor, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1) as file:
                page_records.write(file, b"T", media_type.encode())
                for page in pages:
                    kept = kept and not page.members
                    if kept:
                        page_records.write_page(file, page)
                    yield page
                page_records.write(file, b"E", b"")
            if kept:
                size = new.stat().st_size
                new.replace(path)
                self._grown(size)
        finally:
            # Also when the reader stopped early: half a document is never kept.
            new.unlink(missing_ok=True)

    def _grown(self, size: int) -> None:
        with self._guard:
            if self._size is None:
                self._size = sum(file.stat().st_size for file in self._folder.glob("*/*.gz"))
            else:
                self._size += size
            if self._size > self._limit:
                self._size = self._shrink()

    def _shrink(self) -> int:
        """Removes the oldest until a tenth is free."""
        found = []
        for file in self._folder.glob("*/*.gz"):
            with contextlib.suppress(FileNotFoundError):
                found.append((file.stat().st_mtime, file.stat().st_size, file))
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found, key=lambda item: item[0]):
            if total <= self._limit * 0.9:
                break
            file.unlink(missing_ok=True)
            total -= size
        return total


class CachingParseWorker(ParseWorker):
    """A parse worker that asks a cache first; its process is started at the first file that is not there."""

    def __init__(self, build: Callable[[], Toolbox], cache: ParseCache, *, memory: int = 4_000_000_000) -> None:
        super().__init__(build, memory=memory)
        self._cache = cache

    def parse(self, source: Source) -> Parsed:
        if source.resume is not None:
            # The rest of a file is no file.
            return super().parse(source)
        path = self._cache.path(source, sha256_of(source.path))
        found = self._cache.read(path)
        if found is not None:
            return Parsed(found[0], iter(found[1]))
        parsed = super().parse(source)
        return Parsed(parsed.media_type, self._cache.keep(path, parsed.media_type, parsed.pages))


# --- records ---------------------------------------------------------------------------------------------------------


def _read(file: IO[bytes]) -> tuple[str, list[ParsedPage]]:
    media_type = ""
    pages: list[ParsedPage] = []
    pictures: list[bytes] = []
    while (record := page_records.read(file)) is not None:
        kind, body = record
        if kind == b"T":
            media_type = body.decode()
        elif kind == page_records.PICTURE:
            pictures.append(body)
        elif kind == page_records.PAGE:
            pages.append(page_records.page_from(body, pictures))
            pictures = []
        elif kind == b"E":
            # Only at the end of the file does gzip compare its checksum.
            if file.read(1):
                raise ValueError("it goes on after its end")
            return media_type, pages
        else:
            raise ValueError(f"an unknown record {kind!r}")
    raise EOFError("it ends early")
