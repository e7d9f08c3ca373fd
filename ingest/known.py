"""What the library knows already of the files of a run: which of them need not be read, and which took another's name."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ingest.events import FileEvent
from ingest.files import InputFile, is_remote
from rag.documents import Document
from rag.errors import FileError
from rag.hashing import sha256_of
from rag.stores.library import SqliteLibrary
from rag.stores.records import Look

_SETTLED_NS = 2_000_000_000


class Known:
    """Of one collection, as it was when the run began. Safe to use from several threads."""

    def __init__(self, library: SqliteLibrary, collection: str, settings: str, *, retry_failed: bool) -> None:
        self._library, self._collection, self._settings = library, collection, settings
        self._published = library.state(collection)
        self._hashes = {sha256 for sha256, *_ in self._published.values()}
        self._looks = library.looks(collection)
        self._new_looks: dict[str, Look] = {}
        failures = library.failures(collection)
        self._failed = {} if retry_failed else {f.name: f for f in failures}
        # A file whose members failed is read again for their sake.
        self._retried = {part for f in failures for part in _containers(f.name)} if retry_failed else set()
        self._names: dict[str, str] = {}
        self._guard = threading.Lock()

    def has(self, name: str) -> bool:
        """Whether a document of this name was published under these settings, from whatever bytes."""
        return name in self._published and self._published[name][1] == self._settings

    def claim_name(self, file: InputFile) -> None:
        """Two files must not take turns in overwriting each other under one name. Raises FileError."""
        with self._guard:
            other = self._names.setdefault(file.name, file.source)
        published = self._published.get(file.name)
        if file.container and published is not None and published[3] != file.container:
            # An archive called like a folder must not put its files in the place of those of the folder.
            raise FileError(
                f"{file.name}: a document that is not of this archive has this name in collection {self._collection!r}.",
                "Give the archive another name, or put it into another collection with -c.",
            )
        if other == file.source and published is not None:
            before = published[2]
            if before and file.source and not _same_place(before, file.source) and _still_there(before):
                other = before
        if other != file.source:
            raise FileError(
                f"{file.name}: {other} has this name already in collection {self._collection!r}.",
                "Ingest a folder that holds both, or put one of them into another collection with -c.",
            )

    def hash(self, file: InputFile) -> str:
        """The hash of a file's bytes, without reading them where the file looks as it did when they were read."""
        if file.container or not file.source:
            return sha256_of(file.path)
        now = time.time_ns()
        look = look_of(file)
        assert look is not None
        known = self.hash_by_look(file, look)
        if known:
            return known
        sha256 = sha256_of(file.path)
        # Within the clock's grain a file can change once more and look the same.
        if now - max(look.modified, look.changed) > _SETTLED_NS:
            self.looked(file, look, sha256)
        return sha256

    def hash_by_look(self, file: InputFile, look: Look | None) -> str:
        """The hash that the file had when it looked like this; empty when it never did."""
        known = self._looks.get(file.name)
        return known.sha256 if known is not None and look is not None and replace(known, sha256="") == look else ""

    def looked(self, file: InputFile, look: Look | None, sha256: str) -> None:
        """The file had this hash when it looked like this."""
        if look is not None:
            with self._guard:
                self._new_looks[file.name] = replace(look, sha256=sha256)

    def settled(self, file: InputFile, sha256: str) -> FileEvent | None:
        """What is to be told when nothing has to be done: the same bytes were published, or failed, under the same settings."""
        published = self._published.get(file.name)
        if file.name not in self._retried and published is not None and published[:2] == (sha256, self._settings):
            return FileEvent(file.name, "unchanged", Document.make_id(self._collection, file.name))
        failed = self._failed.get(file.name)
        if failed is not None and (failed.sha256, failed.settings) == (sha256, self._settings):
            return FileEvent(file.name, "failed", error=failed.error, message=failed.message, remedy=failed.remedy)
        return None

    def moved_from(self, file: InputFile) -> tuple[str, str] | None:
        """Id and name of the document of the same bytes whose file is not at its place any more, where this one is new."""
        if file.name in self._published or not file.source or file.remote or file.sha256 not in self._hashes:
            return None
        for id_, name, source in self._library.sources(self._collection, file.sha256):
            if name != file.name and source and not _still_there(source):
                return id_, name
        return None

    def remember(self) -> None:
        """Keeps what the files that were read looked like, since the last time."""
        with self._guard:
            new, self._new_looks = self._new_looks, {}
        if new:
            self._library.remember_looks(self._collection, new)


def look_of(file: InputFile) -> Look | None:
    """What a file looks like now, without reading it; None for a remote file of which nothing is known. Raises OSError."""
    if file.remote:
        number = int(hashlib.sha256(f"{file.source} {file.mark}".encode()).hexdigest()[:15], 16)
        return Look("", file.size, 0, number, 0) if file.mark else None
    found = file.path.stat()
    return Look("", found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _containers(name: str) -> Iterator[str]:
    """The names of the files that a file of this name may be inside of."""
    return (str(parent) for parent in PurePosixPath(name).parents if str(parent) != ".")


def _still_there(source: str) -> bool:
    """Whether a document's file is at its place. A remote one is not asked: its document is never taken away by another file."""
    return is_remote(source) or Path(source).is_file()


def _same_place(first: str, second: str) -> bool:
    """Whether two paths name one file, however they are written."""
    return first == second or Path(first).resolve() == Path(second).resolve()
