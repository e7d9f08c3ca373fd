"""The file flow: hash → known? stop → parse page by page → chunk → embed → publish in one transaction → index.

A reading thread for each parse worker turns files into chunks; the calling thread embeds them in batches across files and
publishes each document when all of its vectors are stored. The queue between them is bounded, so memory does not grow with the
number or the length of files beyond the text of the documents under way. What was embedded before a kill is not embedded
again: vectors are stored by the hash of their text, before the document that has the text is published.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from ingest.checkpoints import Checkpoint, Checkpoints
from ingest.files import InputFile
from ingest.protocols import Chunker, Limits, Member, ParsedPage, Source
from ingest.worker import ParseWorker, Stopped
from rag.documents import AnyChunk, Document, Element, ImageChunk, ImageData, Page
from rag.errors import CorruptFile, EmptyFile, FileError, LimitExceeded, NotFound, OutOfMemory, TuwenError
from rag.hashing import sha256_of
from rag.protocols import ImageEncoder, TextEncoder
from rag.stores.index import VectorIndex
from rag.stores.library import CHECKPOINTS, Failure, Incomplete, Look, SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.rows import digest

log = logging.getLogger(__name__)

State = Literal["parsing", "embedding", "published", "unchanged", "failed", "cancelled"]
UNDER_WAY = frozenset({"parsing", "embedding"})

_BATCH_CHUNKS = 64
"""Chunks of one document on their way together."""
_GATHERED_CHUNKS = 128
"""Chunks of any documents that are sorted by length together. With the few that a queue of eight items held, half of each of the encoder's
batches was padding, and an ingest of plain text reached 0.6 of the encoder's own chunks per second."""
_GATHER_SECONDS = 0.5
"""How long the encoder waits for more: a reader that is slower than the encoder must not keep what it read from being embedded."""
_SLICE_CHARACTERS = 12_000
"""Text given to the encoder in one call, about 3,000 tokens: a second at most on two cores, after which a cancelled run ends."""
_QUEUED = 256
"""Batches, ends and events between reading and embedding: the text of a few hundred short files."""
_FLUSH_SECONDS = 2.0
_SETTLED_NS = 2_000_000_000
AGAIN = "Ingest it again."
UNPACKED = "unpacked-"
"""How the names of folders begin in which the files of an archive wait; a killed run leaves them for the next one to remove."""
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FileEvent:
    """What happens to a file. `page` of `pages` is told while it is being parsed, where the format has pages; `chunks` while
    it is being embedded, and in the end. A cancelled run tells nothing of the files that were under way."""

    name: str
    state: State
    document_id: str = ""
    page: int | None = None
    pages: int | None = None
    chunks: int = 0
    warnings: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    remedy: str = ""


@dataclass
class Report:
    """The end of a run: how many files, chunks and pages, and every file that failed."""

    states: Counter[str] = field(default_factory=Counter)
    chunks: int = 0
    embedded: int = 0
    pages: int = 0
    seconds: float = 0.0
    cancelled: bool = False
    failures: list[FileEvent] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Draft:
    """A document under way."""

    file: InputFile
    document: Document
    chunks: list[AnyChunk] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    elements: list[tuple[Element, str | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    dropped: bool = False
    """Cancelled by itself, while the run goes on."""
    embedded: int = 0
    waiting: int = 0
    """Batches that are not embedded yet."""
    read: bool = False


@dataclass
class _Inside:
    """Where the files inside a file are, and how many more of them, and of their bytes, one outermost file may bring."""

    depth: int
    entries: int
    bytes: int

    def take(self, name: str, members: list[Member]) -> None:
        """Raises LimitExceeded."""
        self.entries -= len(members)
        self.bytes -= sum(member.path.stat().st_size for member in members)
        if self.entries < 0 or self.bytes < 0:
            limit = "archive_entries" if self.entries < 0 else "unpacked_bytes"
            raise LimitExceeded(
                f"{name}: the archives around it hold more than is allowed.",
                f"Unpack them and ingest the files, or raise `ingest.limits.{limit}`.",
            )


@dataclass(frozen=True, slots=True)
class _Batch:
    draft: _Draft
    chunks: list[AnyChunk]


@dataclass(frozen=True, slots=True)
class _End:
    draft: _Draft


_Item = _Batch | _End | FileEvent | TuwenError | None


@dataclass(frozen=True, slots=True)
class Models:
    """What embedding needs. Its spaces are registered in the library."""

    index: VectorIndex
    encoder: TextEncoder
    image_encoder: ImageEncoder | None = None


class Pipeline:
    """Ingests files into a collection. One run at a time for a library: the caller sees to that.

    `open_models` is called when the first text has to be embedded: a run over unchanged files loads no model.
    """

    def __init__(
        self,
        library: SqliteLibrary,
        chunker: Chunker,
        open_models: Callable[[], Models],
        make_worker: Callable[[], ParseWorker],
        toolbox_version: str,
        *,
        limits: Limits = DEFAULT_LIMITS,
        workers: int = 1,
    ) -> None:
        self._library, self._chunker, self._open_models = library, chunker, open_models
        self._make_worker, self._limits, self._workers = make_worker, limits, workers
        self.settings = hashlib.sha256(f"{toolbox_version}\0{chunker.version}".encode()).hexdigest()[:16]

    def run(
        self,
        files: Iterable[InputFile],
        collection: str,
        on_event: Callable[[FileEvent], None] = lambda _: None,
        *,
        retry_failed: bool = False,
        cancel: threading.Event | None = None,
        dropped: Callable[[InputFile], bool] = lambda _: False,
    ) -> Report:
        """`dropped` tells whether a single file is not wanted any more; it is asked often. Raises Unavailable or SetupError when no further file could succeed; what was published until then stays."""
        return _Run(self, collection, on_event, retry_failed, cancel or threading.Event(), dropped).run(files)


class _Run:
    def __init__(
        self,
        pipeline: Pipeline,
        collection: str,
        on_event: Callable[[FileEvent], None],
        retry_failed: bool,
        cancel: threading.Event,
        dropped: Callable[[InputFile], bool],
    ) -> None:
        self._dropped = dropped
        self._checkpoints = Checkpoints(pipeline._library.folder / CHECKPOINTS)
        self._p, self._collection, self._on_event, self._cancel = pipeline, collection, on_event, cancel
        self._library = pipeline._library
        self._queue: queue.Queue[_Item] = queue.Queue(maxsize=_QUEUED)
        self._known = self._library.state(collection)
        self._looks = self._library.looks(collection)
        self._new_looks: dict[str, Look] = {}
        failures = self._library.failures(collection)
        self._failed = {} if retry_failed else {f.name: f for f in failures}
        # A file whose members failed is read again for their sake.
        self._retried = {part for f in failures for part in _containers(f.name)} if retry_failed else set()
        self._names: dict[str, str] = {}
        self._files_guard = threading.Lock()
        self._pending: list[_Batch] = []
        self._report = Report()
        self._flushed = time.monotonic()
        self._opened: Models | None = None

    @property
    def _models(self) -> Models:
        self._opened = self._opened or self._p._open_models()
        return self._opened

    def run(self, files: Iterable[InputFile]) -> Report:
        began = time.monotonic()
        for left in self._library.folder.glob(f"{UNPACKED}*"):
            shutil.rmtree(left, ignore_errors=True)
        self._checkpoints.forget_old()
        source = iter(files)
        readers = [threading.Thread(target=self._read, args=(source,), daemon=True) for _ in range(self._p._workers)]
        for reader in readers:
            reader.start()
        try:
            self._consume(len(readers))
        except BaseException:
            self._cancel.set()
            raise
        finally:
            self._drain_until_ended(readers)
            self._library.remember_looks(self._collection, self._new_looks)
            if self._opened is not None:
                self._opened.index.flush()
        self._report.seconds = time.monotonic() - began
        self._report.cancelled = self._cancel.is_set()
        return self._report

    # --- the reading threads -----------------------------------------------------------------------------------------

    def _read(self, files: Iterator[InputFile]) -> None:
        worker = self._p._make_worker()
        try:
            while not self._cancel.is_set():
                with self._files_guard:
                    file = next(files, None)
                if file is None:
                    return
                self._read_file(worker, file)
        except TuwenError as error:
            self._queue.put(error)
        except Exception as error:
            log.exception("reading files failed")
            self._queue.put(TuwenError(f"Reading the files failed: {error}."))
        finally:
            worker.close()
            self._queue.put(None)

    def _read_file(
        self, worker: ParseWorker, file: InputFile, inside: _Inside | None = None, *, again: bool = False
    ) -> None:
        limits = self._p._limits
        inside = inside or _Inside(0, limits.archive_entries, limits.unpacked_bytes)
        sha256 = file.sha256
        try:
            self._claim_name(file)
            sha256 = sha256 or self._hash(file)
            if self._settled(file, sha256):
                return
            worker.stopped = lambda: self._stopped(file)
            with _Unpacked(self._library.folder) as folder:
                self._stage(worker, replace(file, sha256=sha256), folder, inside)
        except OutOfMemory as error:
            # Memory that one page after the other left behind is gone with the process, and pages that were read are kept.
            if again:
                self._fail(file, sha256, error)
            else:
                self._read_file(worker, file, inside, again=True)
        except (_Cancelled, Stopped):
            if not self._cancel.is_set():
                self._queue.put(FileEvent(file.name, "cancelled", Document.make_id(self._collection, file.name)))
            if inside.depth:
                raise
        except FileError as error:
            if not self._cancel.is_set():
                self._fail(file, sha256, error)
        except OSError as error:
            reason = error.strerror or str(error)
            self._fail(file, "", CorruptFile(f"{file.name} cannot be read: {reason}.", "Check the file's permissions."))

    def _hash(self, file: InputFile) -> str:
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
            with self._files_guard:
                self._new_looks[file.name] = look
        return look.sha256

    def _claim_name(self, file: InputFile) -> None:
        """Two files must not take turns in overwriting each other under one name."""
        with self._files_guard:
            other = self._names.setdefault(file.name, file.source)
        published = self._known.get(file.name)
        if other == file.source and published is not None:
            before = published[2]
            if before and file.source and not _same_place(before, file.source) and Path(before).is_file():
                other = before
        if other != file.source:
            raise FileError(
                f"{file.name}: {other} has this name already in collection {self._collection!r}.",
                "Ingest a folder that holds both, or put one of them into another collection with -c.",
            )

    def _settled(self, file: InputFile, sha256: str) -> bool:
        """Whether nothing has to be done: the same bytes were published, or failed, under the same settings."""
        published = self._known.get(file.name)
        if file.name not in self._retried and published is not None and published[:2] == (sha256, self._p.settings):
            document_id = Document.make_id(self._collection, file.name)
            self._queue.put(FileEvent(file.name, "unchanged", document_id))
            return True
        failed = self._failed.get(file.name)
        if failed is not None and (failed.sha256, failed.settings) == (sha256, self._p.settings):
            event = FileEvent(file.name, "failed", error=failed.error, message=failed.message, remedy=failed.remedy)
            self._queue.put(event)
            return True
        return False

    def _stage(self, worker: ParseWorker, file: InputFile, folder: Path, inside: _Inside) -> None:
        limits = replace(self._p._limits, archive_entries=inside.entries)
        members = folder if inside.depth < limits.archive_depth else None
        document_id = Document.make_id(self._collection, file.name)
        checkpoint = self._checkpoints.of(
            document_id, f"{file.sha256} {self._p.settings} {limits.pixels} {members is None}"
        )
        source = Source(file.path, file.name, "", limits, file.root, members, checkpoint.resume)
        parsed = worker.parse(source)
        pages = chain(checkpoint.pages(members), checkpoint.keep(parsed.pages))
        first = next(pages, None)
        if first is None:
            raise EmptyFile(f"{file.name} holds nothing that could be searched.", "Leave it out.")
        self._library.blobs.put_file(file.path, file.sha256)
        document = Document(
            id=document_id,
            collection=self._collection,
            name=file.name,
            media_type=parsed.media_type,
            sha256=file.sha256,
            size=file.path.stat().st_size,
            title=first.title,
            metadata=first.metadata,
        )
        draft = _Draft(file, document, checkpoint=checkpoint)
        languages: Counter[str] = Counter()
        batch: list[AnyChunk] = []
        for chunk in self._p._chunker.chunk(document, self._kept(draft, first, pages)):
            languages[chunk.language] += len(chunk.text)
            draft.chunks.append(chunk)
            batch.append(chunk)
            if len(batch) == _BATCH_CHUNKS:
                self._queue.put(_Batch(draft, batch))
                batch = []
        if not draft.chunks:
            raise EmptyFile(
                f"{file.name} holds no text and no picture that could be searched. {' '.join(draft.warnings)}".strip(),
                "Leave it out, or check that it is the right file.",
            )
        numbers = [page.number for page in draft.pages]
        draft.document = replace(
            document, language=languages.most_common(1)[0][0], page_count=max(numbers) if numbers else None
        )
        if draft.members:
            self._read_members(worker, draft, folder, inside)
        if batch or draft.members:
            self._queue.put(_Batch(draft, batch))
        self._queue.put(_End(draft))

    def _read_members(self, worker: ParseWorker, draft: _Draft, folder: Path, inside: _Inside) -> None:
        """The files inside a file, before it is published itself: once it is, it and all of them are settled."""
        inside.take(draft.file.name, draft.members)
        inside.depth += 1
        for member in draft.members:
            if self._stopped(draft.file):
                draft.dropped = True
                raise _Cancelled
            name = f"{draft.file.name}/{member.name}"
            self._read_file(
                worker,
                InputFile(
                    member.path, name, draft.file.source, folder, job=draft.file.job, container=draft.document.id
                ),
                inside,
            )
        inside.depth -= 1

    def _kept(self, draft: _Draft, first: ParsedPage, rest: Iterator[ParsedPage]) -> Iterator[ParsedPage]:
        """Passes the pages on to the chunker, and keeps of them what the library stores."""
        page: ParsedPage | None = first
        total = first.page_count
        resume = draft.checkpoint.resume if draft.checkpoint is not None else None
        known = resume.page if resume is not None else 0
        while page is not None:
            if self._stopped(draft.file):
                draft.dropped = True
                raise _Cancelled
            total = page.page_count or total
            draft.warnings.extend(page.warnings)
            draft.members.extend(page.members)
            if page.page is not None:
                draft.pages.append(page.page)
                if page.page.number > known and (page.page.number - known) % 10 == 1:
                    self._queue.put(FileEvent(draft.file.name, "parsing", page=page.page.number, pages=total))
            for element in page.elements:
                picture = self._library.blobs.put_bytes(element.image.data) if element.image else None
                draft.elements.append((replace(element, image=None), picture))
            yield page
            page = next(rest, None)

    def _stopped(self, file: InputFile) -> bool:
        return self._cancel.is_set() or self._dropped(file)

    def _fail(self, file: InputFile, sha256: str, error: FileError) -> None:
        kind = type(error).__name__
        if sha256:
            self._library.record_failure(
                Failure(self._collection, file.name, sha256, self._p.settings, kind, error.message, error.remedy)
            )
        self._queue.put(FileEvent(file.name, "failed", error=kind, message=error.message, remedy=error.remedy))

    # --- the embedding and writing side ------------------------------------------------------------------------------

    def _consume(self, running: int) -> None:
        while running:
            item = self._next()
            if item is None:
                running -= 1
            elif isinstance(item, TuwenError):
                raise item
            elif isinstance(item, FileEvent):
                self._tell(item)
            elif isinstance(item, _Batch):
                if self._unwanted(item.draft):
                    continue
                item.draft.waiting += 1
                self._pending.append(item)
                if sum(len(batch.chunks) for batch in self._pending) >= _GATHERED_CHUNKS:
                    self._embed()
            else:
                self._finished_reading(item.draft)
        self._embed()

    def _finished_reading(self, draft: _Draft) -> None:
        draft.read = True
        if draft.dropped:
            self._tell(FileEvent(draft.file.name, "cancelled", draft.document.id))
            return
        if draft.waiting:
            self._tell(FileEvent(draft.file.name, "embedding", draft.document.id, chunks=len(draft.chunks)))
        self._publish_if_complete(draft)

    def _unwanted(self, draft: _Draft) -> bool:
        """Whether the file was cancelled by itself. It is told once: here, or by the reader where that is still at it."""
        if not draft.dropped and self._dropped(draft.file):
            draft.dropped = True
            if draft.read:
                self._tell(FileEvent(draft.file.name, "cancelled", draft.document.id))
        return draft.dropped

    def _next(self) -> _Item:
        """The next item. When none comes for a while, the time is used to embed what is there."""
        try:
            return self._queue.get(timeout=_GATHER_SECONDS if self._pending else None)
        except queue.Empty:
            self._embed()
            return self._queue.get()

    def _embed(self) -> None:
        batches, self._pending = [batch for batch in self._pending if not self._unwanted(batch.draft)], []
        if not batches or self._cancel.is_set():
            return
        new = self._store_vectors([chunk for batch in batches for chunk in batch.chunks])
        if new is None:
            return
        for batch in batches:
            batch.draft.embedded += len(new & {key for chunk in batch.chunks for key in digests_of(chunk)})
            batch.draft.waiting -= 1
            self._publish_if_complete(batch.draft)

    def _store_vectors(self, chunks: list[AnyChunk]) -> set[str] | None:
        """Embeds what has no vector yet, and answers its digests; None when the run was cancelled meanwhile."""
        texts: dict[str, str] = {}
        for chunk in chunks:
            parts = [entry.text for entry in chunk.entries] if isinstance(chunk, ImageChunk) else [chunk.embedded_text]
            texts.update((digest(text), text) for text in parts)
        space = self._models.encoder.space
        missing = self._library.missing_vectors(space.id, texts)
        missing.sort(key=lambda key: len(texts[key]))
        for part in _slices(missing, texts):
            if self._cancel.is_set():
                return None
            self._library.store_vectors(space, part, self._models.encoder.encode_passages([texts[k] for k in part]))
            self._report.embedded += len(part)
        if self._models.image_encoder is not None:
            self._embed_pictures(self._models.image_encoder, chunks)
        return set(missing)

    def _embed_pictures(self, encoder: ImageEncoder, chunks: list[AnyChunk]) -> None:
        pictures = {chunk.image_sha256: chunk for chunk in chunks if isinstance(chunk, ImageChunk)}
        missing = self._library.missing_vectors(encoder.space.id, pictures)
        for sha256 in missing:
            chunk = pictures[sha256]
            data = self._library.blobs.path(sha256).read_bytes()
            try:
                vector = encoder.encode_images([ImageData(data, chunk.media_type, chunk.width, chunk.height)])
            except CorruptFile as error:
                log.warning("a picture has no vector: %s", error)
                continue
            self._library.store_vectors(encoder.space, [sha256], np.asarray(vector, np.float32))

    def _publish_if_complete(self, draft: _Draft) -> None:
        if not draft.read or draft.waiting or self._cancel.is_set() or self._unwanted(draft):
            return
        publication = Publication(
            draft.document,
            self._p.settings,
            draft.pages,
            draft.elements,
            draft.chunks,
            draft.file.source,
            tuple(draft.warnings),
            draft.file.container,
            draft.embedded,
        )
        try:
            self._library.publish(publication, self._models.encoder.space.id)
        except Incomplete:
            # Another document with the same text or picture was deleted in the meantime, its vectors and blobs with it.
            try:
                self._library.blobs.put_file(draft.file.path, draft.file.sha256)
                if self._store_vectors(draft.chunks) is None:
                    return
                self._library.publish(publication, self._models.encoder.space.id)
            except (Incomplete, FileNotFoundError):
                message = f"{draft.file.name}: its pictures were removed with another document while it was ingested."
                self._tell(FileEvent(draft.file.name, "failed", error="Incomplete", message=message, remedy=AGAIN))
                return
        if draft.checkpoint is not None:
            draft.checkpoint.forget()
        self._after(draft)
        self._report.chunks += len(draft.chunks)
        self._report.pages += len(draft.pages)
        event = FileEvent(
            draft.file.name,
            "published",
            draft.document.id,
            pages=draft.document.page_count,
            chunks=len(draft.chunks),
            warnings=tuple(draft.warnings),
        )
        self._tell(event)
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._models.index.flush()
            self._flushed = time.monotonic()

    def _after(self, draft: _Draft) -> None:
        """What the new version leaves without a file: members that are not in it any more, the place that it was moved from."""
        self._library.prune(draft.document.id, {f"{draft.file.name}/{member.name}" for member in draft.members})
        moved = None if draft.file.container else self._moved_from(draft)
        if moved is not None:
            with contextlib.suppress(NotFound):
                self._library.delete(moved)

    def _moved_from(self, draft: _Draft) -> str | None:
        """The document of the same bytes whose file is not at its place any more, where this one is new."""
        file = draft.file
        if file.name in self._known or not file.source:
            return None
        for id_, name, source in self._library.sources(self._collection, file.sha256):
            if name != file.name and source and not Path(source).exists():
                return id_
        return None

    def _tell(self, event: FileEvent) -> None:
        if event.state not in UNDER_WAY:
            self._report.states[event.state] += 1
        if event.state == "failed":
            self._report.failures.append(event)
        self._report.warnings.extend((event.name, warning) for warning in event.warnings)
        self._on_event(event)

    def _drain_until_ended(self, readers: list[threading.Thread]) -> None:
        """A reader that waits for room in the queue would never end."""
        while any(reader.is_alive() for reader in readers):
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue


def _slices(keys: list[str], texts: dict[str, str]) -> Iterator[list[str]]:
    """The keys in order, cut so that the texts of each part are short enough together."""
    part: list[str] = []
    room = _SLICE_CHARACTERS
    for key in keys:
        # A Chinese character is about three times the tokens of a letter.
        size = len(texts[key]) * (1 if texts[key].isascii() else 2)
        if part and size > room:
            yield part
            part, room = [], _SLICE_CHARACTERS
        part.append(key)
        room -= size
    if part:
        yield part


def _containers(name: str) -> Iterator[str]:
    """The names of the files that a file of this name may be inside of."""
    return (str(parent) for parent in PurePosixPath(name).parents if str(parent) != ".")


class _Unpacked:
    """A folder for the files inside a file, made by whoever writes into it, and gone at the end."""

    def __init__(self, parent: Path) -> None:
        self._folder = parent / f"{UNPACKED}{uuid.uuid4().hex}"

    def __enter__(self) -> Path:
        return self._folder

    def __exit__(self, *_: object) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder, ignore_errors=True)


class _Cancelled(Exception):
    """The run, or this file, was cancelled while it was read: nothing is recorded of it."""


def _same_place(first: str, second: str) -> bool:
    """Whether two paths name one file, however they are written."""
    return first == second or Path(first).resolve() == Path(second).resolve()
