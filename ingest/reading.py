"""The reading side of a run: a file becomes pages, and pages become chunks on their way to the writer."""

from __future__ import annotations

import contextlib
import logging
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ingest.checkpoints import Checkpoints
from ingest.events import FileEvent
from ingest.files import InputFile
from ingest.flow import Batch, Cancelled, Coming, Draft, End, Flow
from ingest.known import Known, look_of
from ingest.protocols import Chunker, Limits, Member, ParsedPage, Source, Stopped, Worker
from ingest.sources.pictures import fetch_pictures
from ingest.sources.remote import Sources
from rag.documents import AnyChunk, Document
from rag.errors import CorruptFile, EmptyFile, FileError, LimitExceeded, NotFound, OutOfMemory, TuwenError
from rag.hashing import sha256_of
from rag.stores.records import Failure

log = logging.getLogger(__name__)

_BATCH_CHUNKS = 64
"""Chunks of one document on their way together."""
UNPACKED = "unpacked-"
"""How the names of folders begin in which the files of an archive wait; a killed run leaves them for the next one to remove."""


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


class Reader:
    """Reads one file after the other with a parse worker of its own. `read` is the life of one thread."""

    def __init__(
        self,
        flow: Flow,
        known: Known,
        checkpoints: Checkpoints,
        chunker: Chunker,
        limits: Limits,
        make_worker: Callable[[], Worker],
        sources: Sources,
    ) -> None:
        self._flow, self._known, self._checkpoints = flow, known, checkpoints
        self._chunker, self._limits, self._make_worker, self._sources = chunker, limits, make_worker, sources
        self._announced = False

    def read(self, next_file: Callable[[], InputFile | None]) -> None:
        """Reads until there is no file any more, or the run is cancelled. The last item it sends is None."""
        worker = self._make_worker()
        try:
            while not self._flow.cancel.is_set():
                file = next_file()
                if file is None:
                    return
                self._read_file(worker, file)
        except TuwenError as error:
            self._flow.queue.put(error)
        except Exception as error:
            log.exception("reading files failed")
            self._flow.queue.put(TuwenError(f"Reading the files failed: {error}."))
        finally:
            worker.close()
            self._flow.queue.put(None)

    def _read_file(
        self, worker: Worker, file: InputFile, inside: _Inside | None = None, *, again: bool = False
    ) -> None:
        flow = self._flow
        inside = inside or _Inside(0, self._limits.archive_entries, self._limits.unpacked_bytes)
        sha256 = file.sha256
        try:
            self._known.claim_name(file)
            if file.remote:
                file = self._marked(file)
                sha256 = self._known.hash_by_look(file, look_of(file))
            else:
                sha256 = sha256 or self._known.hash(file)
            if sha256 and self._settled(file, sha256):
                return
            worker.stopped = lambda: flow.stopped(file)
            with _Unpacked(flow.library.folder) as fetched, _Unpacked(flow.library.folder) as folder:
                file = replace(file, sha256=sha256)
                pictures: Mapping[str, Path | str] = {}
                if file.remote:
                    file = self._fetched(file, fetched / "file")
                    sha256 = file.sha256
                    if self._settled(file, sha256):
                        return
                    remote = self._sources.of(file.source)
                    pictures = fetch_pictures(file, remote, fetched, self._limits, worker.stopped)
                self._stage(worker, file, folder, inside, pictures)
        except OutOfMemory as error:
            # Memory that one page after the other left behind is gone with the process, and pages that were read are kept.
            if again:
                self._fail(file, sha256, error)
            else:
                self._read_file(worker, file, inside, again=True)
        except (Cancelled, Stopped):
            if not flow.cancel.is_set():
                flow.queue.put(FileEvent(file.name, "cancelled", Document.make_id(flow.collection, file.name)))
            if inside.depth:
                raise
        except FileError as error:
            if not flow.cancel.is_set():
                self._fail(file, sha256, error)
        except OSError as error:
            reason = error.strerror or str(error)
            self._fail(file, "", CorruptFile(f"{file.name} cannot be read: {reason}.", "Check the file's permissions."))

    def _settled(self, file: InputFile, sha256: str) -> bool:
        event = self._known.settled(file, sha256)
        if event is not None:
            self._flow.queue.put(event)
        return event is not None

    def _marked(self, file: InputFile) -> InputFile:
        """With what its place says of its version: what was told while the place was listed, or is told now."""
        return file if file.mark else replace(file, mark=self._sources.of(file.source).mark(file.source))

    def _fetched(self, file: InputFile, path: Path) -> InputFile:
        """A remote file with its bytes on this machine: the library's own copy, or fetched."""
        with contextlib.suppress(NotFound):
            if file.sha256:
                return replace(file, path=self._flow.library.blobs.path(file.sha256))
        if file.size > self._limits.bytes:
            raise LimitExceeded(
                f"{file.source} has {file.size / 1e6:,.0f} MB; the limit is {self._limits.bytes / 1e6:,.0f} MB.",
                "Raise `ingest.limits.bytes`, or split the file.",
            )
        self._sources.of(file.source).fetch(file.source, path, self._limits, lambda: self._flow.stopped(file))
        sha256 = sha256_of(path)
        self._known.looked(file, look_of(file), sha256)
        return replace(file, path=path, sha256=sha256)

    def _stage(
        self, worker: Worker, file: InputFile, folder: Path, inside: _Inside, pictures: Mapping[str, Path | str]
    ) -> None:
        flow = self._flow
        limits = replace(self._limits, archive_entries=inside.entries)
        members = folder if inside.depth < limits.archive_depth else None
        document_id = Document.make_id(flow.collection, file.name)
        checkpoint = self._checkpoints.of(
            document_id, f"{file.sha256} {flow.settings} {limits.pixels} {members is None}"
        )
        source = Source(file.path, file.name, "", limits, file.root, members, checkpoint.resume, pictures)
        if not self._announced:
            flow.queue.put(Coming())
            self._announced = True
        parsed = worker.parse(source)
        pages = chain(checkpoint.pages(members), checkpoint.keep(parsed.pages))
        first = next(pages, None)
        if first is None:
            raise EmptyFile(f"{file.name} holds nothing that could be searched.", "Leave it out.")
        flow.library.blobs.put_file(file.path, file.sha256)
        document = Document(
            id=document_id,
            collection=flow.collection,
            name=file.name,
            media_type=parsed.media_type,
            sha256=file.sha256,
            size=file.path.stat().st_size,
            title=first.title,
            metadata=first.metadata,
        )
        draft = Draft(file, document, checkpoint=checkpoint)
        batch, language = self._send_chunks(draft, self._kept(draft, first, pages))
        if not draft.chunks:
            raise EmptyFile(
                f"{file.name} holds no text and no picture that could be searched. {' '.join(draft.warnings)}".strip(),
                "Leave it out, or check that it is the right file.",
            )
        numbers = [page.number for page in draft.pages]
        draft.document = replace(document, language=language, page_count=max(numbers) if numbers else None)
        if draft.members:
            self._read_members(worker, draft, folder, inside)
        if batch or draft.members:
            flow.queue.put(Batch(draft, batch))
        if len(draft.chunks) > _BATCH_CHUNKS:
            # Told now: the writer may have much to embed before it comes to this file's end.
            flow.queue.put(FileEvent(file.name, "embedding", document_id, chunks=len(draft.chunks)))
        flow.queue.put(End(draft))

    def _send_chunks(self, draft: Draft, pages: Iterator[ParsedPage]) -> tuple[list[AnyChunk], str]:
        """Sends the chunks in batches. Answers the last batch, which is not full, and the language that most of the text is in."""
        languages: Counter[str] = Counter()
        batch: list[AnyChunk] = []
        for chunk in self._chunked(draft.document, pages):
            languages[chunk.language] += len(chunk.text)
            draft.chunks.append(chunk)
            batch.append(chunk)
            if len(batch) == _BATCH_CHUNKS:
                self._flow.queue.put(Batch(draft, batch))
                batch = []
        return batch, languages.most_common(1)[0][0] if languages else ""

    def _chunked(self, document: Document, pages: Iterator[ParsedPage]) -> Iterator[AnyChunk]:
        """Its chunks, cut where those of its version in the library are."""
        before = self._flow.library.chunks(document.id) if self._known.has(document.name) else ()
        return self._chunker.chunk(document, pages, before)

    def _read_members(self, worker: Worker, draft: Draft, folder: Path, inside: _Inside) -> None:
        """The files inside a file, before it is published itself: once it is, it and all of them are settled."""
        inside.take(draft.file.name, draft.members)
        inside.depth += 1
        outer = draft.file
        try:
            for member in draft.members:
                self._check_wanted(draft)
                name = f"{outer.name}/{member.name}"
                file = InputFile(
                    member.path,
                    name,
                    outer.source,
                    folder,
                    job=outer.job,
                    container=draft.document.id,
                    urgent=outer.urgent,
                )
                self._read_file(worker, file, inside)
        finally:
            # A cancelled member ends the file around it, and that one ends the reading of it, not of all files.
            inside.depth -= 1

    def _kept(self, draft: Draft, first: ParsedPage, rest: Iterator[ParsedPage]) -> Iterator[ParsedPage]:
        """Passes the pages on to the chunker, and keeps of them what the library stores."""
        page: ParsedPage | None = first
        total = first.page_count
        resume = draft.checkpoint.resume if draft.checkpoint is not None else None
        known = resume.page if resume is not None else 0
        while page is not None:
            self._check_wanted(draft)
            total = page.page_count or total
            draft.warnings.extend(page.warnings)
            draft.members.extend(page.members)
            if page.page is not None:
                draft.pages.append(page.page)
                if page.page.number > known and (page.page.number - known) % 10 == 1:
                    self._flow.queue.put(FileEvent(draft.file.name, "parsing", page=page.page.number, pages=total))
            for element in page.elements:
                picture = self._flow.library.blobs.put_bytes(element.image.data) if element.image else None
                draft.elements.append((replace(element, image=None), picture))
            yield page
            page = next(rest, None)

    def _check_wanted(self, draft: Draft) -> None:
        """Raises Cancelled."""
        if self._flow.stopped(draft.file):
            draft.dropped = True
            raise Cancelled

    def _fail(self, file: InputFile, sha256: str, error: FileError) -> None:
        flow, kind = self._flow, type(error).__name__
        if sha256:
            flow.library.record_failure(
                Failure(flow.collection, file.name, sha256, flow.settings, kind, error.message, error.remedy)
            )
        flow.queue.put(FileEvent(file.name, "failed", error=kind, message=error.message, remedy=error.remedy))


class _Unpacked:
    """A folder for the files inside a file, made by whoever writes into it, and gone at the end."""

    def __init__(self, parent: Path) -> None:
        self._folder = parent / f"{UNPACKED}{uuid.uuid4().hex}"

    def __enter__(self) -> Path:
        return self._folder

    def __exit__(self, *_: object) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
