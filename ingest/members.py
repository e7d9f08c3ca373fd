"""Files inside a file, written out one by one within limits, under names that cannot leave their folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from ingest.protocols import Member, Source
from rag.errors import LimitExceeded

JUNK = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX", "node_modules", "__pycache__"})
BOMB_SIZE = 50_000_000
"""Bytes below which no ratio is too high: a folder of blank forms packs well."""
MAX_PART = 150
"""Bytes of one part of a path; file systems take 255."""
_BLOCK = 1 << 20
_ODD = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_TRUST = "If you trust it, unpack it and ingest the files in it."


def is_junk_part(part: str) -> bool:
    """`~$` begins the file by which an Office program marks a document that is open."""
    return part.startswith((".", "~$")) or part in JUNK


def is_junk(name: str) -> bool:
    """Hidden files and what systems leave behind, anywhere on the path."""
    return any(is_junk_part(part) for part in PurePosixPath(name).parts if part not in (".", ".."))


def safe_name(name: str) -> str:
    """A relative path without `..`, drives or characters that a file system refuses; empty when nothing is left."""
    parts = [_ODD.sub("_", part).strip() for part in name.replace("\\", "/").split("/")]
    return "/".join(_short(part) for part in parts if part and part not in (".", ".."))


def _short(part: str) -> str:
    if len(part.encode()) <= MAX_PART:
        return part
    stem, suffix = PurePosixPath(part).stem, PurePosixPath(part).suffix[:20]
    mark = hashlib.sha256(part.encode()).hexdigest()[:8]
    return stem.encode()[: MAX_PART - 40].decode(errors="ignore") + f"~{mark}{suffix}"


class MemberWriter:
    """Writes the members of one container into `source.members`, which must not be None, and counts them."""

    def __init__(self, source: Source) -> None:
        assert source.members is not None
        self._source, self._folder = source, source.members
        self._packed = max(1, source.path.stat().st_size)
        self._entries = self._bytes = 0
        self.members: list[Member] = []

    def write(self, name: str, read: Callable[[int], bytes]) -> Member | None:
        """Writes one member from `read`, unless it is junk. Raises LimitExceeded, and whatever `read` raises."""
        self._entries += 1
        self.check_entries(self._entries)
        safe = safe_name(name)
        if not safe or is_junk(safe):
            return None
        path = self._folder / self._free(safe)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as out:
                while block := read(_BLOCK):
                    self._count(len(block))
                    out.write(block)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        member = Member(path, path.relative_to(self._folder).as_posix())
        self.members.append(member)
        return member

    def check_entries(self, count: int) -> None:
        """Raises LimitExceeded."""
        most = self._source.limits.archive_entries
        if count > most:
            raise LimitExceeded(
                f"{self._source.name} holds more than {most:,} files.",
                "Unpack it and ingest the files in it, or raise `ingest.limits.archive_entries`.",
            )

    def _free(self, name: str) -> str:
        """The name, numbered when it, or a file where it needs a folder, is there already."""
        path = PurePosixPath(name)
        if any((self._folder / parent).is_file() for parent in path.parents):
            path = PurePosixPath(name.replace("/", "_"))
        for number in range(1, 10_000):
            tried = path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
            if not (self._folder / tried).exists():
                return str(tried)
        raise LimitExceeded(f"{self._source.name} holds thousands of files named {name}.", _TRUST)

    def _count(self, size: int) -> None:
        self._bytes += size
        limits = self._source.limits
        if self._bytes > limits.unpacked_bytes:
            raise LimitExceeded(
                f"{self._source.name} unpacks to more than the {limits.unpacked_bytes / 1e6:,.0f} MB allowed.",
                "Unpack it and ingest the files in it, or raise `ingest.limits.unpacked_bytes`.",
            )
        if self._bytes > BOMB_SIZE and self._bytes > limits.unpacked_ratio * self._packed:
            raise LimitExceeded(
                f"{self._source.name} unpacks to more than {limits.unpacked_ratio:,.0f} times its size, like a bomb.",
                f"{_TRUST[:-1]}, or raise `ingest.limits.unpacked_ratio`.",
            )
