"""The documents of a labelled set, as files that can be ingested.

Both kinds go through the same pipeline as anybody's documents: texts of a JSONL corpus are written out as one text file
each, a folder of real files is ingested as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file to ingest: where its bytes are, the name it gets as a document, and its id in the judgements."""

    path: Path
    name: str
    id: str
    root: Path | None = None
    """The folder that relative links of the file may point into."""


class Corpus(Protocol):
    @property
    def digest(self) -> str:
        """Hash of everything that is ingested."""
        ...

    @property
    def ids(self) -> Collection[str]: ...

    def files(self, folder: Path) -> list[CorpusFile]:
        """The files, in order; those that exist nowhere yet are written below `folder`."""
        ...


@dataclass(frozen=True)
class TextCorpus:
    """Title and text by document id. `root` names where they were read, for messages; `suffix` says what the texts are written in."""

    root: Path
    texts: Mapping[str, str]
    suffix: str = ".txt"

    @property
    def ids(self) -> Collection[str]:
        return self.texts.keys()

    @cached_property
    def digest(self) -> str:
        hashed = hashlib.sha256()
        for id_, text in self.texts.items():
            hashed.update(f"{id_}\0{text}\0".encode())
        if self.suffix != ".txt":
            hashed.update(self.suffix.encode())
        return hashed.hexdigest()[:16]

    def files(self, folder: Path) -> list[CorpusFile]:
        """Documents without any text are left out: there is nothing to ingest."""
        folder.mkdir(parents=True, exist_ok=True)
        names = {id_: file_name(id_, self.suffix) for id_, text in self.texts.items() if text}
        files = [CorpusFile(folder / name, name, id_) for id_, name in names.items()]
        # The folder is this corpus's own: what is there and not cut off is right. Reading 5,183 files again takes a second.
        with os.scandir(folder) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries}
        for file in files:
            data = self.texts[file.id].encode()
            if sizes.get(file.name) != len(data):
                file.path.write_bytes(data)
        return files


@dataclass(frozen=True)
class FileCorpus:
    """Real files below a folder; a document's id is its path below it, with forward slashes. Relative links of the files, to
    pictures beside them, may point into `links` (by default the folder itself)."""

    root: Path
    names: tuple[str, ...]
    links: Path | None = None

    @property
    def ids(self) -> Collection[str]:
        return self.names

    @cached_property
    def digest(self) -> str:
        hashed = hashlib.sha256()
        for name in self.names:
            with (self.root / name).open("rb") as file:
                hashed.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
        return hashed.hexdigest()[:16]

    def files(self, folder: Path) -> list[CorpusFile]:  # noqa: ARG002 - they are where they are
        return [CorpusFile(self.root / name, name, name, self.links or self.root) for name in self.names]


def file_name(document_id: str, suffix: str = ".txt") -> str:
    """`id.txt`, with what a file system would not take written as in a URL, and very long ids hashed."""
    safe = (
        document_id if re.fullmatch(r"[\w\-][\w\-.]*", document_id) else quote(document_id, safe="").replace(".", "%2E")
    )
    if len(safe.encode()) > 200:
        safe = hashlib.sha256(document_id.encode()).hexdigest()
    return f"{safe}{suffix}"
