"""File types by content: names lie, bytes do not."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from ingest.containers import DOCX, PPTX, XLSX
from ingest.detect import detect
from rag.errors import CorruptFile, EmptyFile, EncryptedFile, FileError, LimitExceeded, UnsupportedFile


def found(tmp_path: Path, data: bytes, name: str = "file.bin") -> str:
    path = tmp_path / "stored"
    path.write_bytes(data)
    return detect(path, name)


def refused(tmp_path: Path, data: bytes, name: str = "file.bin") -> FileError:
    with pytest.raises(FileError) as caught:
        found(tmp_path, data, name)
    assert name in caught.value.message
    assert caught.value.remedy
    return caught.value


def package(content_type: str, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "[Content_Types].xml", f'<Types><Override PartName="/x" ContentType="{content_type}"/></Types>'
        )
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def archive(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("__", "/"), text)
    return out.getvalue()


def zip_of_a_pdf() -> bytes:
    return archive(**{"a.pdf": "%PDF-1.7 as it is"})


def tar_of_a_pdf() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        member = tarfile.TarInfo("a.pdf")
        member.size = 8
        file.addfile(member, io.BytesIO(b"%PDF-1.7"))
    return out.getvalue()


def ole(stream: str) -> bytes:
    """A compound file of a header and one directory sector."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 0)
    return bytes(header) + (stream + "\0").encode("utf-16-le").ljust(512, b"\0")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"\x00\x00junk\xff%PDF-1.4\n", "application/pdf"),
        (tar_of_a_pdf(), "application/x-tar"),
        (zip_of_a_pdf(), "application/zip"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (b"GIF89a\x01\0", "image/gif"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><!-- a --><!DOCTYPE svg PUBLIC 'x' 'y'>\n<svg/>", "image/svg+xml"),
        (b"<!DOCTYPE html><title>x</title>", "text/html"),
        (b"\xef\xbb\xbf\n<!-- saved --><HTML><body>x", "text/html"),
        (b"<div><p>one</p><p>two</p></div>", "text/html"),
        (b"# Title\n\nSee [here](x.md).\n", "text/markdown"),
        (b"---\ntitle: x\n---\n\n# A\n", "text/markdown"),
        (b"Just words.\n\nAnd more words.\n", "text/plain"),
        (b"#!/bin/sh\n# a comment\necho x\n", "text/plain"),
        (b'{"a": [1, 2]}', "application/json"),
        (b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson"),
        (b"[1] is the first reference.\n[2] the second.\n", "text/plain"),
        (b"{not json at all}", "text/plain"),
        (b"name,age,city\nAnn,3,Rome\nBo,4,Paris\n", "text/csv"),
        (b"name\tage\nAnn\t3\nBo\t4\n", "text/csv"),
        (
            b"Two roads diverged in a yellow wood,\nAnd sorry I could not travel both,\nAnd be one traveler, long I stood\n",
            "text/plain",
        ),
        (b"| a | b |\n|---|---|\n| 1 | 2 |\n", "text/markdown"),
        (b"{\\rtf1\\ansi hello}", "application/rtf"),
        (b"\\documentclass{article}\n\\begin{document}x\\end{document}", "application/x-latex"),
        (b"<?xml version='1.0'?>\n<FictionBook xmlns='x'/>", "application/x-fictionbook+xml"),
        (b"From: a@b.c\nTo: d@e.f\nMessage-ID: <1>\nSubject: x\n\nHello", "message/rfc822"),
        (b"From a@b.c Mon\nFrom: a@b.c\nTo: d@e.f\nMessage-ID: <1>\n\nHello", "application/mbox"),
        (b"\x1f\x8b\x08\0\0\0", "application/gzip"),
        (b"BZh91AY&SY\0", "application/x-bzip2"),
        (b"\xfd7zXZ\0\0\0", "application/x-xz"),
        (archive(a="1", b="2"), "application/zip"),
        (archive(mimetype="application/epub+zip"), "application/epub+zip"),
        (archive(mimetype="application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        (package("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), XLSX),
        (ole("WordDocument"), "application/msword"),
        (ole("Workbook"), "application/vnd.ms-excel"),
        (ole("PowerPoint Document"), "application/vnd.ms-powerpoint"),
        (ole("__properties_version1.0"), "application/vnd.ms-outlook"),
        ("中文文本。".encode(), "text/plain"),
        ("数据库的存储引擎把数据保存在磁盘上。".encode("gb18030"), "text/plain"),
        ("# 标题\n\n**重点**\n".encode("utf-16"), "text/markdown"),
        (package("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"), DOCX),
        (package("application/vnd.ms-word.document.macroEnabled.main+xml"), DOCX),
        (package("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"), PPTX),
    ],
)
def test_the_content_decides(tmp_path: Path, data: bytes, expected: str) -> None:
    for name in ("file", "file.exe", "file.docx", "file.png"):
        assert found(tmp_path, data, name) == expected


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"One line.", "a.md", "text/markdown"),
        (b"One line.", "a.txt", "text/plain"),
        (b"# only a heading", "notes", "text/plain"),
        (b"<div align=center>\n\n# Project\n\n<p>x</p><p>y</p></div>", "README.md", "text/markdown"),
        (b"# a\n```x```\n[b](c)\n", "a.py", "text/plain"),
        (b"<p>x</p>", "a.html", "text/html"),
        (b"a,b\n1,2\n", "x.csv", "text/csv"),
        (b"a,b\n1,2\n", "x.txt", "text/plain"),
        (b'{"a": 1}\n', "x.jsonl", "application/x-ndjson"),
        (b'{"a": "cut off', "x.json", "application/json"),
        (b"// settings\n{a: 1}", "x.json", "text/plain"),
        (b"Subject: x\nFrom: a@b\n\nHello", "x.eml", "message/rfc822"),
        (b"Title\n=====\n\n* one\n", "x.rst", "text/x-rst"),
    ],
)
def test_names_break_ties_between_texts(tmp_path: Path, data: bytes, name: str, expected: str) -> None:
    assert found(tmp_path, data, name) == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ole("Nothing"), "OLE"),
        (b"Rar!\x1a\x07\x00aaaa", "RAR"),
        (b"7z\xbc\xaf\x27\x1c\0\0", "7-Zip"),
        (b"MZ\x90\0\x03\0\0\0", "Windows program"),
        (b"\x7fELF\x02\x01", "Linux program"),
        (b"ID3\x03\0\0\0", "MP3"),
        (b"\0\0\0\x18ftypmp42", "MP4"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"RIFF\0\0\0\0WAVE", "audio"),
        (b"SQLite format 3\0", "SQLite"),
        (bytes(range(256)) * 8, "unknown"),
    ],
)
def test_what_has_no_parser_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    error = refused(tmp_path, data, "file.pdf")
    assert isinstance(error, UnsupportedFile)
    assert said in error.message


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\0" * 100_000])
def test_empty_files(tmp_path: Path, data: bytes) -> None:
    assert isinstance(refused(tmp_path, data), EmptyFile)


def test_text_after_much_white_space_is_not_empty(tmp_path: Path) -> None:
    assert found(tmp_path, b" \n" * 50_000 + b"text") == "text/plain"


def test_password_protected_office_files(tmp_path: Path) -> None:
    assert isinstance(refused(tmp_path, ole("EncryptedPackage"), "secret.docx"), EncryptedFile)


def test_cut_off_packages_are_corrupt(tmp_path: Path) -> None:
    whole = package("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", data=b"x" * 999)
    assert isinstance(refused(tmp_path, whole[: len(whole) // 2], "a.docx"), CorruptFile)


def test_directories_that_promise_too_much_are_refused(tmp_path: Path) -> None:
    data = bytearray(archive(a="1"))
    at = data.rfind(b"PK\x05\x06")
    struct.pack_into("<I", data, at + 12, 900_000_000)
    assert isinstance(refused(tmp_path, bytes(data)), LimitExceeded)


def test_only_the_head_of_a_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.write("甲乙丙。\n".encode() * 20_000)
        file.truncate(3_000_000_000)
    assert detect(path, "big.txt") == "text/plain"


def test_a_few_broken_bytes_do_not_make_a_text_binary(tmp_path: Path) -> None:
    data = "数据保存在磁盘上。\n".encode() * 50
    assert found(tmp_path, data[:400] + b"\xff\xfe\x80" + data[400:], "a.md") == "text/markdown"


def test_damage_inside_a_package_is_said(tmp_path: Path) -> None:
    data = bytearray(package("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"))
    data[60] ^= 0xFF
    assert isinstance(refused(tmp_path, bytes(data), "a.docx"), CorruptFile)
