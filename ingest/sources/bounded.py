"""A file that is being fetched, within limits."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from ingest.protocols import Limits, Stopped
from ingest.sources.remote import IsStopped
from rag.errors import LimitExceeded


class Bounded:
    """Writes to `path`; removes it when it is not completed. Raises LimitExceeded for bytes and seconds, and Stopped."""

    def __init__(self, url: str, path: Path, limits: Limits, stopped: IsStopped) -> None:
        self._url, self._path, self._limits, self._stopped = url, path, limits, stopped
        self._size, self._began = 0, time.monotonic()

    def __enter__(self) -> Bounded:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb")
        return self

    def write(self, block: bytes) -> None:
        self.check_size(self._size + len(block))
        self._size += len(block)
        if time.monotonic() - self._began > self._limits.seconds:
            raise LimitExceeded(
                f"{self._url}: reading it took longer than {self._limits.seconds:g} s and was stopped.",
                "Raise `ingest.limits.seconds`, or fetch it by other means.",
            )
        if self._stopped():
            raise Stopped(self._url)
        self._file.write(block)

    def check_size(self, size: int) -> None:
        """Raises LimitExceeded; for a size that is announced, too."""
        if size > self._limits.bytes:
            raise LimitExceeded(
                f"{self._url} has more than the {self._limits.bytes / 1e6:,.0f} MB allowed.",
                "Raise `ingest.limits.bytes`, or split the file.",
            )

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._file.close()
        if kind is not None:
            self._path.unlink(missing_ok=True)
