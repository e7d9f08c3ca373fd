"""What lives on the machines of a cluster. No Ray in here: cluster.py makes actors of these classes.

Errors are answered, not raised, so that they come back as what they are; an exception that does come back means that the actor died.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from ingest.protocols import ParsedPage, Source
from ingest.worker import ParseWorker, Toolbox
from rag.documents import ImageData
from rag.errors import TuwenError
from rag.protocols import ImageEncoder, Space, TextEncoder

Message = tuple[str, Any]
"""`type` with a media type, `page` with a ParsedPage, `error` with a TuwenError, `done` with None."""

PIECE = 8_000_000
"""Bytes of a file that travel together."""
_FOLDER = "tuwen-parse-"
_TURN_SECONDS = 0.25
_TURN_BYTES = 8_000_000
"""Pages are answered together until they took so long, or hold so much: a call each would cost short pages more than reading them."""


class ParseActor:
    """A parse worker whose files may come from another machine. One file at a time; `begin` forgets the one before."""

    def __init__(self, build: Callable[[], Toolbox], memory: int) -> None:
        self._worker = ParseWorker(build, memory=memory)
        self._folder = _own_folder(Path(tempfile.gettempdir()))
        self._messages: Iterator[Message] = iter(())

    def pid(self) -> int:
        return os.getpid()

    def receive(self, piece: bytes, first: bool) -> None:
        """A piece of the next file's bytes, in order."""
        with self._received.open("wb" if first else "ab") as file:
            file.write(piece)

    def begin(self, source: Source, *, shipped: bool) -> list[Message]:
        """The first messages about a file: the one at `source.path`, or the one that was received."""
        if shipped:
            # What the file refers to stayed behind: files that refer to others are not sent (parsing.py).
            source = replace(source, path=self._received, root=None)
        if source.members is not None:
            shutil.rmtree(self._members, ignore_errors=True)
            source = replace(source, members=self._members)
        self._messages = self._parse(source)
        return self.go_on()

    def go_on(self) -> list[Message]:
        """The next messages; the last of all is `done` or `error`."""
        found: list[Message] = []
        end, size = time.monotonic() + _TURN_SECONDS, 0
        for kind, content in self._messages:
            found.append((kind, content))
            if isinstance(content, ParsedPage):
                size += sum(len(e.text) + (len(e.image.data) if e.image else 0) for e in content.elements)
            if time.monotonic() > end or size > _TURN_BYTES:
                break
        return found

    def member(self, path: Path, start: int) -> bytes:
        """A piece of a file inside the file; empty at its end."""
        with path.open("rb") as file:
            file.seek(start)
            return file.read(PIECE)

    @property
    def _received(self) -> Path:
        return self._folder / "file"

    @property
    def _members(self) -> Path:
        return self._folder / "members"

    def _parse(self, source: Source) -> Iterator[Message]:
        try:
            parsed = self._worker.parse(source)
            yield "type", parsed.media_type
            for page in parsed.pages:
                yield "page", page
            yield "done", None
        except TuwenError as error:
            yield "error", error


def _own_folder(parent: Path) -> Path:
    """A folder named by the process. Those of processes that are gone are removed: an actor is ended without notice."""
    for left in parent.glob(f"{_FOLDER}*"):
        process = left.name.removeprefix(_FOLDER)
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    made = parent / f"{_FOLDER}{os.getpid()}"
    made.mkdir(mode=0o700, exist_ok=True)
    return made


class EncodeActor:
    """The encoders, on a machine with a processor to spare or a GPU."""

    def __init__(self, build: Callable[[], tuple[TextEncoder, ImageEncoder | None]]) -> None:
        self._build = build
        self._made: tuple[TextEncoder, ImageEncoder | None] | None = None

    def pid(self) -> int:
        return os.getpid()

    def space(self) -> Space | TuwenError:
        """Of the texts. Opens the model."""
        try:
            return self._encoders[0].space
        except TuwenError as error:
            return error

    def encode_passages(self, texts: Sequence[str]) -> Any:
        """Vectors `[len(texts), dimension]`, or a TuwenError."""
        try:
            return self._encoders[0].encode_passages(texts)
        except TuwenError as error:
            return error

    def encode_images(self, images: Sequence[ImageData]) -> Any:
        """Vectors `[len(images), dimension]`, or a TuwenError."""
        try:
            encoder = self._encoders[1]
            assert encoder is not None
            return encoder.encode_images(images)
        except TuwenError as error:
            return error

    @property
    def _encoders(self) -> tuple[TextEncoder, ImageEncoder | None]:
        self._made = self._made or self._build()
        return self._made
