"""Archives (ZIP, TAR, gzip, bzip2, xz): a document that lists its files, each of which becomes a document of its own."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ingest.containers import open_zip
from ingest.decoding import decode
from ingest.members import MemberWriter, is_junk
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import CorruptFile, EmptyFile, FileError, LimitExceeded

LISTED = 1_000
"""Names in the archive's own text."""
XZ_MEMORY = 300_000_000
"""Bytes that an xz stream may ask for; `xz -9` asks for 65 MB, a hostile header for 4 GB."""
_UTF8 = 0x800
_LZMA = 14
_AGAIN = "Copy it again from its source, or unpack it and ingest the files in it."
_SUFFIXES = {
    "application/gzip": (".gz", ".tgz"),
    "application/x-bzip2": (".bz2", ".tbz2"),
    "application/x-xz": (".xz", ".txz"),
}


class ArchiveParser:
    """`passwords` are tried on locked ZIP archives."""

    media_types = frozenset({"application/zip", "application/x-tar", *_SUFFIXES})
    version = "archive-1"

    def __init__(self, *, passwords: Sequence[str] = ()) -> None:
        self._passwords = passwords

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """One page with all members. Raises CorruptFile, EncryptedFile, EmptyFile, LimitExceeded."""
        if source.members is None:
            raise LimitExceeded(
                f"{source.name} is an archive inside {source.limits.archive_depth} others.",
                "Unpack it and ingest the files in it, or raise `ingest.limits.archive_depth`.",
            )
        writer = MemberWriter(source)
        warnings: list[str] = []
        try:
            if source.media_type == "application/zip":
                _unzip(source, writer, warnings, self._passwords)
            else:
                _unpack(source, writer)
        except FileError:
            raise
        except (tarfile.TarError, lzma.LZMAError, EOFError, OSError, RecursionError, ValueError, MemoryError) as error:
            if not writer.members:
                raise CorruptFile(f"{source.name} is a damaged archive ({error}).", _AGAIN) from error
            warnings.append(
                f"The archive is damaged after {len(writer.members):,} files ({error}); the rest is left out."
            )
        members = tuple(writer.members)
        if not members:
            raise EmptyFile(
                f"{source.name} is an archive without a file that could be read. {' '.join(warnings)}".strip(), _AGAIN
            )
        names = [f"- {member.name}" for member in members]
        more = [f"… and {len(names) - LISTED:,} more"] if len(names) > LISTED else []
        listing = Element("list", "\n".join([*names[:LISTED], *more]))
        title = PurePosixPath(source.name).name
        yield ParsedPage(None, (listing,), title=title, warnings=tuple(warnings), members=members)


def _unzip(source: Source, writer: MemberWriter, warnings: list[str], passwords: Sequence[str]) -> None:
    with open_zip(source.path, source.name, source.limits, passwords) as archive:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        writer.check_entries(len(entries))
        names = _names(entries)
        for info in entries:
            name = names[info.filename, info.header_offset]
            if info.external_attr >> 28 == 0xA:  # a symbolic link: its content is a path
                continue
            if info.compress_type == _LZMA:
                warnings.append(f"{name} is packed by LZMA in a ZIP and was left out.")
                continue
            if is_junk(name):
                continue
            try:
                with archive.open(info) as stream:
                    writer.write(name, stream.read)
            except LimitExceeded:
                raise
            except Exception as error:  # zlib, bz2 and zipfile itself have errors without a common parent
                warnings.append(f"{name} is damaged and was left out ({error}).")


def _names(entries: Sequence[zipfile.ZipInfo]) -> dict[tuple[str, int], str]:
    """Names as they were meant: without the UTF-8 flag they are in the code page of the machine that packed them."""
    odd = [info for info in entries if not info.flag_bits & _UTF8 and not info.filename.isascii()]
    encoding = ""
    if odd:
        try:
            decoded = decode("\n".join(info.filename for info in odd).encode("cp437"))
            encoding = decoded[1] if decoded else ""
        except UnicodeEncodeError:
            encoding = ""
    names = {(info.filename, info.header_offset): info.filename for info in entries}
    for info in odd if encoding else ():
        names[info.filename, info.header_offset] = info.filename.encode("cp437").decode(encoding, errors="replace")
    return names


def _unpack(source: Source, writer: MemberWriter) -> None:
    """A tar file, a compressed tar file, or one compressed file."""
    opened = _OPEN[source.media_type](source.path)
    with io.BufferedReader(opened, 1 << 18) as stream:
        if stream.peek(512)[257:262] == b"ustar" or source.media_type == "application/x-tar":
            _untar(stream, writer)
        else:
            writer.write(_inner_name(source), stream.read)


def _untar(stream: IO[bytes], writer: MemberWriter) -> None:
    with tarfile.open(fileobj=stream, mode="r|", errorlevel=1) as archive:
        for info in archive:
            if not info.isreg() or is_junk(info.name):
                continue
            content = archive.extractfile(info)
            if content is not None:
                writer.write(info.name, content.read)


def _inner_name(source: Source) -> str:
    name = PurePosixPath(source.name).name
    for suffix in _SUFFIXES[source.media_type]:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


class _Xz(io.RawIOBase):
    """An xz stream that may not ask for more memory than it needs."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._decoder = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._decoder.eof:
            data = self._file.read(1 << 16) if self._decoder.needs_input else b""
            if not data and self._decoder.needs_input:
                raise EOFError("it ends too early")
            if block := self._decoder.decompress(data, len(buffer)):
                buffer[: len(block)] = block
                return len(block)
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()


_OPEN: dict[str, Callable[[Path], Any]] = {
    "application/x-tar": lambda path: path.open("rb", buffering=0),
    "application/gzip": gzip.GzipFile,
    "application/x-bzip2": bz2.BZ2File,
    "application/x-xz": _Xz,
}
