"""A parse worker on a cluster: the file goes there, its pages come back."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.bulk.actors import PIECE, Message, ParseActor
from ingest.bulk.cluster import Cluster
from ingest.detect import detect
from ingest.protocols import Member, Parsed, ParsedPage, Resume, Source, Stopped, Worker
from ingest.worker import Toolbox
from rag.errors import CorruptFile, FileError

log = logging.getLogger(__name__)

_TICK = 0.25
MOST_DEATHS = 3
"""Actors that may die over one file. The first ones may have been killed with their machine; the file is what they have in common."""
_ALONE = frozenset({"text/plain", "text/csv", "text/tab-separated-values"})


class RayParseWorker:
    """A Worker: one actor that parses one file at a time, replaced when it dies.

    An actor on another machine gets the bytes of the file sent. A text that may show pictures from files beside it is parsed by
    `home`, where those files are. Not for use by several threads at once.
    """

    def __init__(self, cluster: Cluster, build: Callable[[], Toolbox], memory: int, home: Callable[[], Worker]) -> None:
        self._cluster, self._build, self._memory, self._make_home = cluster, build, memory, home
        self.stopped: Callable[[], bool] = lambda: False
        self.actor: Any = None
        """The one that is alive; None before the first file, and after one was ended."""
        self._near = True
        self._home: Worker | None = None

    def parse(self, source: Source) -> Parsed:
        """As Worker says."""
        self._ready()
        if not self._near and _refers_to_others(source):
            self._home = self._home or self._make_home()
            self._home.stopped = self.stopped
            return self._home.parse(source)
        messages = self._messages(source)
        _, media_type = next(messages)
        return Parsed(media_type, (page for kind, page in messages if kind == "page"))

    def close(self) -> None:
        if self.actor is not None:
            self._cluster.kill(self.actor)
            self.actor = None
        if self._home is not None:
            self._home.close()
            self._home = None

    def _messages(self, source: Source) -> Iterator[Message]:
        """What one actor after the other says of the file, as if it had been one."""
        place = _Place(source)
        told = False
        for death in range(1, MOST_DEATHS + 1):
            try:
                for kind, content in self._attempt(place):
                    if kind == "page":
                        yield kind, place.passed(content)
                    elif not told:
                        told = True
                        yield kind, content
                return
            except self._cluster.ray.exceptions.RayError as error:
                log.warning("a parse actor died over %s (%d of %d): %s", source.name, death, MOST_DEATHS, error)
                self._drop()
        raise CorruptFile(
            f"{source.name}: {MOST_DEATHS} parse actors died while they read this file.",
            "The file is probably damaged; open and save it with the program that made it, then ingest it again.",
        )

    def _attempt(self, place: _Place) -> Iterator[Message]:
        """Raises RayError when the actor dies."""
        actor = self._ready()
        finished = False
        skip = place.skip
        try:
            if not self._near:
                self._send(place.source)
            messages = self._wait(actor.begin.remote(place.source, shipped=not self._near), place.source)
            while True:
                last = messages[-1][0] in ("done", "error")
                # The actor reads on while the pages are being cut into chunks.
                ahead = None if last else actor.go_on.remote()
                for kind, content in messages:
                    if kind == "error":
                        finished = True
                        raise content
                    if kind == "page":
                        skip -= 1
                        if skip >= 0:
                            continue
                        content = self._with_members(content, place.source)
                    if kind != "done":
                        yield kind, content
                if ahead is None:
                    finished = True
                    return
                messages = self._wait(ahead, place.source)
        finally:
            if not finished:
                self._drop()

    def _ready(self) -> Any:
        if self.actor is None:
            self.actor = self._cluster.start(ParseActor, self._build, self._memory, stopped=self.stopped)
            self._near = self._cluster.near(self.actor)
        return self.actor

    def _drop(self) -> None:
        if self.actor is not None:
            self._cluster.kill(self.actor)
            self.actor = None

    def _wait(self, reference: Any, source: Source) -> list[Message]:
        ray = self._cluster.ray
        while not ray.wait([reference], timeout=_TICK)[0]:
            if self.stopped():
                raise Stopped(source.name)
        found: list[Message] = ray.get(reference)
        return found

    def _send(self, source: Source) -> None:
        with source.path.open("rb") as file:
            first = True
            while (piece := file.read(PIECE)) or first:
                self._cluster.ray.get(self.actor.receive.remote(piece, first))
                first = False
                if self.stopped():
                    raise Stopped(source.name)

    def _with_members(self, page: ParsedPage, source: Source) -> ParsedPage:
        """The page with the files inside the file where this process can read them."""
        if not page.members or source.members is None:
            return page
        return replace(page, members=tuple(self._fetched(member, source.members) for member in page.members))

    def _fetched(self, member: Member, folder: Path) -> Member:
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if self._near:
            shutil.move(member.path, path)
            return Member(path, member.name)
        with path.open("wb") as file:
            while piece := self._cluster.ray.get(self.actor.member.remote(member.path, file.tell())):
                file.write(piece)
        return Member(path, member.name)


class _Place:
    """How far a file was read: where the next actor begins, and how many of its pages are known then."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.skip = 0

    def passed(self, page: ParsedPage) -> ParsedPage:
        self.skip += 1
        if page.page is not None and page.remember is not None and self.skip == 1:
            before = self.source.resume.remembered if self.source.resume else ()
            self.source = replace(self.source, resume=Resume(page.page.number, (*before, *page.remember)))
            self.skip = 0
        return page


def _refers_to_others(source: Source) -> bool:
    if source.root is None and not source.pictures:
        return False
    try:
        media_type = detect(source.path, source.name)
    except FileError:
        # The actor says so, too, in the right place.
        return False
    return media_type == "application/xhtml+xml" or (media_type.startswith("text/") and media_type not in _ALONE)
