"""One owner per data directory. Whoever finds it owned talks to the owner over HTTP, or says who it is."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import DirectoryOwned


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that has the directory. `url` is where its server listens; empty for a command without one."""

    pid: int
    command: str
    url: str
    since: float


class OwnerLock:
    """Held by a lock of the operating system, which ends with the process however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._note = folder / "owner.json"
        self._lock = FileLock(folder / "owner.lock")

    def acquire(self, command: str | None = None) -> None:
        """Raises DirectoryOwned."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DirectoryOwned(*self._describe()) from None
        self.announce("", command)

    def announce(self, url: str, command: str | None = None) -> None:
        """Says what this process is and where it listens."""
        named = command or " ".join(["tuwen", *sys.argv[1:2]])
        text = json.dumps(asdict(Owner(os.getpid(), named, url, time.time())))
        temporary = self._note.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self._note)

    def release(self) -> None:
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def owner(self) -> Owner | None:
        """Who holds the directory; None when nobody does."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            with contextlib.suppress(OSError, ValueError, TypeError):
                return Owner(**json.loads(self._note.read_text(encoding="utf-8")))
            return Owner(0, "unknown", "", 0.0)
        self._lock.release()
        return None

    def _describe(self) -> tuple[str, str]:
        owner = self.owner()
        if owner is None or not owner.pid:
            return (f"The data directory {self._note.parent} is owned by another process.", "Try again in a moment.")
        since = time.strftime("%H:%M:%S", time.localtime(owner.since))
        message = f"The data directory {self._note.parent} is owned by process {owner.pid} (`{owner.command}`, since {since})."
        return message, "Wait until it has finished, stop it, or use another directory with --data."
