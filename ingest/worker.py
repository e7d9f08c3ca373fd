"""Parses files in a process of its own, so that a file which crashes, hangs or swells takes nobody down with it."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

import psutil

from ingest.detect import detect
from ingest.protocols import Parsed, ParsedPage, Parser, Source, Stopped
from ingest.unlock import unlocked
from rag.documents import Element, ImageEntry
from rag.errors import CorruptFile, EncryptedFile, LimitExceeded, OutOfMemory, SetupError, TuwenError, UnsupportedFile
from rag.protocols import ImageDescriber

log = logging.getLogger(__name__)

_TICK = 0.25
_START_SECONDS = 120.0
_DESCRIBED_PIXELS = 48 * 48
"""A picture of fewer pixels is an icon: nothing on it can be read or recognised."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a worker works with: a parser for each media type, and those that say in words what a picture shows."""

    parsers: Mapping[str, Parser]
    describers: tuple[ImageDescriber, ...] = ()
    """Each is told what those before it found."""
    passwords: Sequence[str] = field(default=(), repr=False)
    """Tried on Office documents, which have to be opened before anybody can tell what they are."""


class ParseWorker:
    """A Worker: one process that parses one file at a time; it is started at the first file and again after it was killed.

    `build` makes the toolbox inside the process, so it has to be importable there. `memory` bounds the process's resident
    bytes. Not for use by several threads at once.
    """

    def __init__(self, build: Callable[[], Toolbox], *, memory: int = 4_000_000_000) -> None:
        self._build, self._memory = build, memory
        self.stopped: Callable[[], bool] = lambda: False
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def parse(self, source: Source) -> Parsed:
        """As Worker says."""
        messages = self._messages(source)
        _, media_type = next(messages)
        return Parsed(media_type, (page for _, page in messages))

    def _messages(self, source: Source) -> Iterator[tuple[str, Any]]:
        connection = self._ready()
        waited = 0.0
        finished = False
        try:
            connection.send(source)
            while True:
                began = time.monotonic()
                while not connection.poll(_TICK):
                    # Only waiting counts: while the encoder is busy, the parser stands still and spends nothing.
                    self._watch(source, waited + time.monotonic() - began)
                waited += time.monotonic() - began
                kind, content = connection.recv()
                if kind == "done":
                    finished = True
                    return
                if kind == "error":
                    finished = True
                    raise content
                yield kind, content
        except (EOFError, ConnectionError, OSError) as error:
            raise CorruptFile(
                f"{source.name}: the parser's process died while it read this file.",
                "The file is probably damaged; open and save it with the program that made it, then ingest it again.",
            ) from error
        finally:
            if not finished:
                self.close()

    def _ready(self) -> Connection:
        if self._process is None or not self._process.is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._build), daemon=True, name="tuwen-parser")
            self._process.start()
            theirs.close()
            self._greet(self._connection)
        assert self._connection is not None
        return self._connection

    def _greet(self, connection: Connection) -> None:
        """A worker that cannot start is nobody's file's fault. Raises SetupError."""
        try:
            if not connection.poll(_START_SECONDS):
                raise SetupError("The parse process did not start in time.", "Try again when the machine is less busy.")
            kind, content = connection.recv()
        except (EOFError, ConnectionError) as error:
            self.close()
            raise SetupError(
                "The parse process died while it started.",
                "Set TUWEN_WORKER_OUTPUT=1 to see what it prints; a broken installation is mended by installing again.",
            ) from error
        if kind == "error":
            self.close()
            raise content

    def _watch(self, source: Source, waited: float) -> None:
        if self.stopped():
            raise Stopped(source.name)
        if waited > source.limits.seconds:
            raise LimitExceeded(
                f"{source.name}: parsing took longer than {source.limits.seconds:g} s and was stopped.",
                "Raise `ingest.limits.seconds`, or split the file.",
            )
        assert self._process is not None
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(self._process.pid).memory_info().rss
            if used > self._memory:
                raise OutOfMemory(
                    f"{source.name}: parsing took more than {self._memory / 1e9:.1f} GB of memory and was stopped.",
                    "Raise `ingest.worker_memory`, or split the file.",
                )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(connection: Connection, build: Callable[[], Toolbox]) -> None:
    """The worker's life: a source comes in, its media type and pages go out, then `done` or `error`."""
    # Ctrl-C in a terminal goes to all processes of the command; this one is ended by the one that started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    if not os.environ.get("TUWEN_WORKER_OUTPUT"):
        # Native libraries print on both; nobody could tell which file such a line is about.
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        try:
            toolbox = build()
        except TuwenError as error:
            connection.send(("error", error))
            return
        except Exception as error:
            message = f"The parse process cannot start: {type(error).__name__}: {error}."
            connection.send(("error", SetupError(message, "Install Tuwen again: a package is missing or broken.")))
            return
        connection.send(("ready", None))
        while True:
            source: Source = connection.recv()
            try:
                for item in parse_with(toolbox, source):
                    connection.send(item)
                    _return_memory()
                connection.send(("done", None))
            except TuwenError as error:
                connection.send(("error", error))
            except (EOFError, ConnectionError):
                raise
            except Exception as error:
                wrapped = CorruptFile(
                    f"{source.name}: the parser failed: {type(error).__name__}: {error}.",
                    "Open and save the file with the program that made it; if it still fails, report it with the file.",
                )
                connection.send(("error", wrapped))


def _end_with_parent() -> None:
    """A file that hangs its parser must not go on doing so when whoever watched over it was killed (prctl(2), PR_SET_PDEATHSIG)."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "prctl"):
        library.prctl(1, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        # It was killed while this process started.
        os._exit(1)


@cache
def _allocator() -> Any:
    """The C library where it is glibc, None elsewhere."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def _return_memory() -> None:
    """Text recognition takes and frees hundreds of megabytes a picture, and glibc keeps them: on 39 real files the process grew to
    1.26 GB at its peak and 0.9 GB between pages; with this, to 1.02 GB and 0.3 GB."""
    allocator = _allocator()
    if allocator is not None:
        allocator.malloc_trim(0)


def parse_with(toolbox: Toolbox, source: Source) -> Iterator[tuple[str, Any]]:
    """The media type, then the pages with their pictures described."""
    size = source.path.stat().st_size
    if size > source.limits.bytes:
        raise LimitExceeded(
            f"{source.name} has {size / 1e6:,.0f} MB; the limit is {source.limits.bytes / 1e6:,.0f} MB.",
            "Raise `ingest.limits.bytes`, or split the file.",
        )
    with ExitStack() as opened:
        try:
            media_type = detect(source.path, source.name)
        except EncryptedFile:
            path = opened.enter_context(unlocked(source.path, source.name, toolbox.passwords))
            source = replace(source, path=path)
            media_type = detect(source.path, source.name)
        yield from _parsed(toolbox, source, media_type)


def _parsed(toolbox: Toolbox, source: Source, media_type: str) -> Iterator[tuple[str, Any]]:
    parser = toolbox.parsers.get(media_type)
    if parser is None:
        raise UnsupportedFile(
            f"{source.name} is of type {media_type}, which Tuwen cannot read.",
            "Convert it to PDF, DOCX, PPTX, XLSX, HTML, Markdown or plain text.",
        )
    yield "type", media_type
    known: dict[str, tuple[ImageEntry, ...]] = {}
    for page in parser.parse(replace(source, media_type=media_type)):
        yield "page", _described(page, toolbox.describers, known)


def _described(
    page: ParsedPage, describers: Sequence[ImageDescriber], known: dict[str, tuple[ImageEntry, ...]]
) -> ParsedPage:
    if not describers or not any(element.image for element in page.elements):
        return page
    warnings: list[str] = []
    elements = tuple(_with_entries(element, describers, known, warnings) for element in page.elements)
    return replace(page, elements=elements, warnings=(*page.warnings, *warnings))


def _with_entries(
    element: Element,
    describers: Sequence[ImageDescriber],
    known: dict[str, tuple[ImageEntry, ...]],
    warnings: list[str],
) -> Element:
    image = element.image
    if image is None or image.width * image.height < _DESCRIBED_PIXELS:
        return element
    if image.sha256 not in known:
        found: tuple[ImageEntry, ...] = ()
        for describer in describers:
            try:
                found += describer.describe(image, (*element.entries, *found))
            except CorruptFile as error:
                where = f" on page {element.page}" if element.page else ""
                warnings.append(f"A picture{where} could not be read: {error}")
        known[image.sha256] = found
    return replace(element, entries=(*element.entries, *known[image.sha256]))
