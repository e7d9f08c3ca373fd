"""Archives: what is unpacked, under which names, and what is told."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.detect import detect
from ingest.members import MAX_PART, is_junk, safe_name
from ingest.parsers.archive import ArchiveParser
from ingest.protocols import Limits, ParsedPage, Source
from rag.errors import CorruptFile, EmptyFile, EncryptedFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse
from tests.support.bombs import zipped

_FILES = {"a.txt": b"one", "deep/b.txt": b"two", "__MACOSX/._a": b"junk", ".hidden": b"junk"}


def given_file(tmp_path: Path, name: str, data: bytes, limits: Limits | None = None) -> Source:
    path = tmp_path / name
    path.write_bytes(data)
    return Source(path, name, detect(path, name), limits or Limits(), members=tmp_path / f"{name} members")


def read(tmp_path: Path, name: str, data: bytes, passwords: tuple[str, ...] = ()) -> ParsedPage:
    return parse(ArchiveParser(passwords=passwords), given_file(tmp_path, name, data))[0]


def tarred(mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]
        for name, data in _FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def contents(page: ParsedPage) -> dict[str, bytes]:
    return {member.name: member.path.read_bytes() for member in page.members}


def test_contract() -> None:
    check_parser(ArchiveParser())


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"])
def test_every_kind_of_archive(tmp_path: Path, name: str) -> None:
    mode = name.rpartition(".")[2]
    data = zipped(_FILES) if mode == "zip" else tarred("" if mode == "tar" else mode)
    page = read(tmp_path, name, data)
    assert contents(page) == {"a.txt": b"one", "deep/b.txt": b"two"}
    assert page.elements[0].text == "- a.txt\n- deep/b.txt"
    assert page.title == name


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_one_compressed_file(tmp_path: Path, suffix: str, pack: type) -> None:
    assert contents(read(tmp_path, f"table.csv.{suffix}", pack(b"a,b\n1,2\n"))) == {"table.csv": b"a,b\n1,2\n"}


def test_chinese_names_of_old_programs(tmp_path: Path) -> None:
    data = zipped({"AAAAAAAA.txt": b"x"}).replace(b"AAAAAAAA", "我们国家".encode("gb18030"))
    assert [member.name for member in read(tmp_path, "x.zip", data).members] == ["我们国家.txt"]


def test_names_that_collide_are_numbered(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("same.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("same.txt", "2")
        archive.writestr("same.txt/below.txt", "3")
    assert contents(read(tmp_path, "x.zip", out.getvalue())) == {
        "same.txt": b"1",
        "same (2).txt": b"2",
        "same.txt_below.txt": b"3",
    }


def test_a_damaged_member_is_left_out(tmp_path: Path) -> None:
    data = bytearray(zipped({"good.txt": b"good", "bad.txt": b"B" * 999}))
    at = data.find(b"bad.txt") + len("bad.txt")
    data[at : at + 4] = b"\xff\xff\xff\xff"
    page = read(tmp_path, "x.zip", bytes(data))
    assert contents(page) == {"good.txt": b"good"}
    assert "bad.txt is damaged" in page.warnings[0]


def test_a_cut_off_archive_gives_what_it_has(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number in range(3):
            info = tarfile.TarInfo(f"{number}.txt")
            info.size = 5_000
            archive.addfile(info, io.BytesIO(bytes([65 + number]) * 5_000))
    page = read(tmp_path, "x.tar", out.getvalue()[:12_000])
    assert list(contents(page)) == ["0.txt", "1.txt"]
    assert "damaged after 2 files" in page.warnings[0]


def locked_zip(password: bytes) -> bytes:
    """Encrypted by the traditional cipher (APPNOTE 6.1), which `zipfile` reads and does not write."""
    content = b"the secret text"
    head = b"\x07" * 11 + bytes([zlib.crc32(content) >> 24])
    keys = [0x12345678, 0x23456789, 0x34567890]

    def table(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        return value

    def update(byte: int) -> None:
        keys[0] = (keys[0] >> 8) ^ table((keys[0] ^ byte) & 0xFF)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table((keys[2] ^ (keys[1] >> 24)) & 0xFF)

    for byte in password:
        update(byte)
    locked = bytearray()
    for byte in head + content:
        mixed = keys[2] | 2
        locked.append(byte ^ ((mixed * (mixed ^ 1) >> 8) & 0xFF))
        update(byte)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("secret.txt", bytes(locked))
    data = bytearray(out.getvalue())
    for signature, flags, crc, size in ((b"PK\x03\x04", 6, 14, 22), (b"PK\x01\x02", 8, 16, 24)):
        at = data.find(signature)
        data[at + flags] |= 1
        data[at + crc : at + crc + 4] = zlib.crc32(content).to_bytes(4, "little")
        data[at + size : at + size + 4] = len(content).to_bytes(4, "little")
    return bytes(data)


def test_locked_archives(tmp_path: Path) -> None:
    data = locked_zip(b"open sesame")
    assert contents(read(tmp_path, "x.zip", data, ("wrong", "open sesame"))) == {"secret.txt": b"the secret text"}
    for passwords in ((), ("wrong",)):
        error = check_refused(ArchiveParser(passwords=passwords), given_file(tmp_path, "y.zip", data), EncryptedFile)
        assert "ingest.passwords" in error.remedy
        assert "wrong" not in str(error)


def test_errors(tmp_path: Path) -> None:
    parser = ArchiveParser()
    check_refused(parser, given_file(tmp_path, "a.gz", b"\x1f\x8b\x08 broken"), CorruptFile)
    check_refused(parser, given_file(tmp_path, "b.zip", zipped({".junk": b"x"})), EmptyFile)
    many = given_file(tmp_path, "c.zip", zipped(_FILES), Limits(archive_entries=2))
    assert "archive_entries" in check_refused(parser, many, LimitExceeded).remedy
    large = given_file(tmp_path, "d.tar", tarred(""), Limits(unpacked_bytes=5))
    assert "unpacked_bytes" in check_refused(parser, large, LimitExceeded).remedy
    inside = Source(tmp_path / "c.zip", "c.zip", "application/zip")
    assert "archive_depth" in check_refused(parser, inside, LimitExceeded).remedy


@given(st.text(st.sampled_from("./\\ab:*\0\n国～ "), max_size=40) | st.text(max_size=300))
def test_safe_names_stay_inside(name: str) -> None:
    safe = safe_name(name)
    assert not safe.startswith("/")
    assert all(part not in ("", ".", "..") and len(part.encode()) <= MAX_PART for part in safe.split("/")) or safe == ""
    assert not set(safe) & set('\0\n\\:*?"<>|')
    assert safe_name(safe) == safe


def test_junk() -> None:
    assert is_junk("a/.git/config")
    assert is_junk("__MACOSX/x")
    assert is_junk("a/~$report.docx"), "of a document that was open"
    assert not is_junk("a/~report.docx")
    assert not is_junk("../a.txt")
