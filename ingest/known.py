"""What the library knows already of the files of a run: which of them need not be read, and which took another's name."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ingest.events import FileEvent
from ingest.files import InputFile
from rag.documents import Document
from rag.errors import FileError
from rag.hashing import sha256_of
from rag.stores.library import Look, SqliteLibrary

_SETTLED_NS = 2_000_000_000


class Known:
    """Of one collection, as it was when the run began. Safe to use from several threads."""

    def __init__(self, library: SqliteLibrary, collection: str, settings: str, *, retry_failed: bool) -> None:
        self._library, self._collection, self._settings = library, collection, settings
        self._published = library.state(collection)
        self._looks = library.looks(collection)
        self._new_looks: dict[str, Look] = {}
        failures = library.failures(collection)
        self._failed = {} if retry_failed else {f.name: f for f in failures}
        # A file whose members failed is read again for their sake.
        self._retried = {part for f in failures for part in _containers(f.name)} if retry_failed else set()
        self._names: dict[str, str] = {}
        self._guard = threading.Lock()

    def claim_name(self, file: InputFile) -> None:
        """Two files must not take turns in overwriting each other under one name. Raises FileError."""
        with self._guard:
            other = self._names.setdefault(file.name, file.source)
        published = self._published.get(file.name)
        if other == file.source and published is not None:
            before = published[2]
            if before and file.source and not _same_place(before, file.source) and Path(before).is_file():
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
        found = file.path.stat()
        known = self._looks.get(file.name)
        look = Look("", found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if known is not None and replace(known, sha256="") == look:
            return known.sha256
        look = replace(look, sha256=sha256_of(file.path))
        # Within the clock's grain a file can change once more and look the same.
        if now - max(look.modified, look.changed) > _SETTLED_NS:
            with self._guard:
                self._new_looks[file.name] = look
        return look.sha256

    def settled(self, file: InputFile, sha256: str) -> FileEvent | None:
        """What is to be told when nothing has to be done: the same bytes were published, or failed, under the same settings."""
        published = self._published.get(file.name)
        if file.name not in self._retried and published is not None and published[:2] == (sha256, self._settings):
            return FileEvent(file.name, "unchanged", Document.make_id(self._collection, file.name))
        failed = self._failed.get(file.name)
        if failed is not None and (failed.sha256, failed.settings) == (sha256, self._settings):
            return FileEvent(file.name, "failed", error=failed.error, message=failed.message, remedy=failed.remedy)
        return None

    def moved_from(self, file: InputFile) -> str | None:
        """The document of the same bytes whose file is not at its place any more, where this one is new."""
        if file.name in self._published or not file.source:
            return None
        for id_, name, source in self._library.sources(self._collection, file.sha256):
            if name != file.name and source and not Path(source).exists():
                return id_
        return None

    def remember(self) -> None:
        """Keeps what the files that were read looked like."""
        self._library.remember_looks(self._collection, self._new_looks)


def _containers(name: str) -> Iterator[str]:
    """The names of the files that a file of this name may be inside of."""
    return (str(parent) for parent in PurePosixPath(name).parents if str(parent) != ".")


def _same_place(first: str, second: str) -> bool:
    """Whether two paths name one file, however they are written."""
    return first == second or Path(first).resolve() == Path(second).resolve()
