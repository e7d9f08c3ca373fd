"""What is inside zip and OLE files, by their directories, and whether it is safe to open them."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ingest.protocols import Limits
from rag.errors import CorruptFile, EncryptedFile, FileError, LimitExceeded, UnsupportedFile

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"

PASSWORDS = (
    "Add its password to `ingest.passwords` and ingest it again with --retry-failed, or save a copy without a password."
)

_AES = 99
MAX_MEMBERS = 100_000
MAX_DIRECTORY = 32_000_000
BOMB_SIZE = 50_000_000

_MAIN_PARTS = (
    (b"wordprocessingml.document.main", DOCX),
    (b"wordprocessingml.template.main", DOCX),
    (b"ms-word.document.macroEnabled.main", DOCX),
    (b"ms-word.template.macroEnabledTemplate.main", DOCX),
    (b"presentationml.presentation.main", PPTX),
    (b"presentationml.slideshow.main", PPTX),
    (b"presentationml.template.main", PPTX),
    (b"ms-powerpoint.presentation.macroEnabled.main", PPTX),
    (b"ms-powerpoint.slideshow.macroEnabled.main", PPTX),
    (b"ms-excel.sheet.binary", XLSB),
    (b"spreadsheetml.sheet.main", XLSX),
    (b"spreadsheetml.template.main", XLSX),
    (b"ms-excel.sheet.macroEnabled.main", XLSX),
    (b"ms-excel.template.macroEnabled.main", XLSX),
)
_OTHER_PARTS = (
    (b"ms-excel.", "an Excel add-in"),
    (b"ms-visio", "a Visio drawing"),
)
_MIME_TYPES = frozenset(
    {
        "application/epub+zip",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
    }
)
_OLE_STREAMS = (
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)


def open_zip(
    path: Path, name: str, limits: Limits | None = None, passwords: Sequence[str] | None = ()
) -> zipfile.ZipFile:
    """The archive, once its headers promise no bomb; unlocked, when one of `passwords` fits (None: locked or not).

    Raises CorruptFile, EncryptedFile or LimitExceeded.
    """
    limits = limits or Limits()
    _check_directory(path, name)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise CorruptFile(
            f"{name} is a damaged zip-based file ({error}).",
            "Copy it again from its source, or save it again in its program.",
        ) from error
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    # Members that overlap promise more packed bytes than there are.
    packed = min(sum(member.compress_size for member in members), path.stat().st_size)
    try:
        if unpacked > limits.unpacked_bytes:
            raise LimitExceeded(
                f"{name} unpacks to {unpacked / 1e6:,.0f} MB, more than the {limits.unpacked_bytes / 1e6:,.0f} MB allowed.",
                "Split it, or take large pictures out of it.",
            )
        if unpacked > BOMB_SIZE and unpacked > limits.unpacked_ratio * max(1, packed):
            raise LimitExceeded(
                f"{name} unpacks to {unpacked / max(1, packed):,.0f} times its size, like a zip bomb.",
                "If you trust it, open it in its program, save it again, and ingest that.",
            )
        if passwords is not None:
            _unlock(archive, name, passwords)
    except FileError:
        archive.close()
        raise
    return archive


def _unlock(archive: zipfile.ZipFile, name: str, passwords: Sequence[str]) -> None:
    locked = [member for member in archive.infolist() if member.flag_bits & 0x1 and not member.is_dir()]
    if not locked:
        return
    if any(member.compress_type == _AES for member in locked):
        raise EncryptedFile(
            f"{name} is a zip file locked by AES encryption, which is not opened.",
            "Unpack it with its password and ingest the files in it.",
        )
    smallest = min(locked, key=lambda member: member.file_size)
    for password in passwords:
        archive.setpassword(password.encode())
        try:
            # The check is one byte; the checksum at the end of the member is sure.
            with archive.open(smallest) as stream:
                while stream.read(1 << 18):
                    pass
        except Exception:  # a wrong password shows as any error of the unpacker  # noqa: S112
            continue
        return
    tried = f" None of the {len(passwords)} passwords given fits." if passwords else ""
    raise EncryptedFile(f"{name} is a zip file locked by a password.{tried}", PASSWORDS)


def read_member(archive: zipfile.ZipFile, member: str, name: str, limit: int | None = None) -> bytes:
    """The bytes of one member, never more than its header promised nor more than `limit`.

    Raises CorruptFile; KeyError when the member is not there.
    """
    info = archive.getinfo(member)
    most = info.file_size if limit is None else min(limit, info.file_size)
    try:
        with archive.open(info) as stream:
            data = stream.read(most)
            longer = bool(stream.read(1)) and most == info.file_size
    except Exception as error:  # zlib, lzma, bz2 and zipfile itself have errors without a common parent
        raise _damaged(name, member, error) from error
    if longer:
        raise CorruptFile(f"{name} lies about the size of {member}.", "Save it again in its program.")
    return data


class MemberStream:
    """A member as it is unpacked; never longer than its header promised. Use it as a context manager."""

    def __init__(self, stream: IO[bytes], member: str, name: str) -> None:
        self._stream, self._member, self._name = stream, member, name

    def __enter__(self) -> MemberStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """Raises CorruptFile."""
        try:
            return self._stream.read(size)
        except Exception as error:  # zlib, lzma, bz2 and zipfile itself have errors without a common parent
            raise _damaged(self._name, self._member, error) from error


def open_member(archive: zipfile.ZipFile, member: str, name: str) -> MemberStream:
    """A member as a stream. Raises CorruptFile; KeyError when it is not there."""
    info = archive.getinfo(member)
    try:
        return MemberStream(archive.open(info), member, name)
    except Exception as error:
        raise _damaged(name, member, error) from error


def _damaged(name: str, member: str, error: Exception) -> CorruptFile:
    return CorruptFile(f"{name} is damaged inside ({member}: {error}).", "Copy it again from its source.")


def office_type(path: Path, name: str) -> str:
    """The media type of a zip-based document, or of a plain archive. Raises CorruptFile, LimitExceeded, UnsupportedFile."""
    # Only two small members are read here; sizes and ratios are checked by the parser, under its limits.
    generous = Limits(unpacked_bytes=1 << 62, unpacked_ratio=float("inf"))
    with open_zip(path, name, generous, None) as archive:
        names = set(archive.namelist())
        if "[Content_Types].xml" in names:
            return _package_type(read_member(archive, "[Content_Types].xml", name, MAX_DIRECTORY), name)
        if "mimetype" in names:
            # A template of OpenDocument is read like the document that it makes.
            said = read_member(archive, "mimetype", name, 1_000).strip().decode("latin-1").removesuffix("-template")
            if said in _MIME_TYPES:
                return said
        if any(member.startswith("Index/") and member.endswith(".iwa") for member in names) or "Index.zip" in names:
            raise UnsupportedFile(
                f"{name} is an Apple Pages, Keynote or Numbers file.", "Export it as DOCX, PPTX or PDF and ingest that."
            )
    return "application/zip"


def _package_type(content_types: bytes, name: str) -> str:
    for marker, media_type in _MAIN_PARTS:
        if marker in content_types:
            return media_type
    for marker, what in _OTHER_PARTS:
        if marker in content_types:
            raise UnsupportedFile(
                f"{name} is {what}, which has no parser yet.",
                "Save its sheets as PDF, HTML or Markdown and ingest that.",
            )
    raise UnsupportedFile(
        f"{name} is an Office package of an unknown kind.", "Save it as DOCX, PPTX or PDF and ingest that."
    )


def ole_type(path: Path, name: str) -> str:
    """The media type of an OLE compound file ([MS-CFB]). Raises EncryptedFile, CorruptFile, UnsupportedFile."""
    directory = _ole_directory(path, name)
    if "EncryptedPackage".encode("utf-16-le") in directory:
        raise EncryptedFile(f"{name} is an Office document locked by a password.", PASSWORDS)
    for stream, media_type in _OLE_STREAMS:
        if (stream + "\0").encode("utf-16-le") in directory:
            return media_type
    raise UnsupportedFile(f"{name} is an OLE file of an unknown kind.", "Save it as DOCX, PPTX or PDF and ingest that.")


def _ole_directory(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        header = file.read(512)
        shift = struct.unpack_from("<H", header, 30)[0] if len(header) >= 52 else 0
        if not 7 <= shift <= 16:
            raise CorruptFile(f"{name} is a damaged OLE file.", "Copy it again from its source.")
        file.seek((struct.unpack_from("<I", header, 48)[0] + 1) << shift)
        # The directory is a chain of sectors; its first ones hold the streams that tell the kind.
        return file.read(8 << shift)


def _check_directory(path: Path, name: str) -> None:
    """Refuses a directory that would itself eat the memory; `zipfile` reads it whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise CorruptFile(
            f"{name} is a zip-based file whose end is missing.", "Copy it again from its source: it was cut off."
        )
    count, length = struct.unpack_from("<HI", tail, at + 10)
    if (length != 0xFFFFFFFF and length > MAX_DIRECTORY) or (count != 0xFFFF and count > MAX_MEMBERS):
        raise LimitExceeded(f"{name} is a zip file with {count:,} members.", "Unpack it and ingest the files in it.")
    if length == 0xFFFFFFFF or count == 0xFFFF:
        raise LimitExceeded(
            f"{name} is a zip file with more than 65,535 members or 4 GB.", "Unpack it and ingest the files in it."
        )
