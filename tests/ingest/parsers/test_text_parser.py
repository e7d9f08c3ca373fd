"""Plain text: paragraphs, and only headings that nobody could doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.parsers.text import TextParser
from ingest.protocols import Source
from rag.errors import CorruptFile, EmptyFile
from tests.ingest.parsers.contract import check_parser, check_refused, parse


def read(tmp_path: Path, data: str | bytes) -> list[tuple[str, str, int | None]]:
    path = tmp_path / "a.txt"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    pages = parse(TextParser(), Source(path, "a.txt", "text/plain"))
    return [(element.kind, element.text, element.level) for element in pages[0].elements]


def test_contract() -> None:
    check_parser(TextParser())


def test_paragraphs_and_headings(tmp_path: Path) -> None:
    text = (
        "Title\n=====\n\nOne short line\nand another\n\nSECTION ONE\n\n"
        + "A paragraph whose lines were wrapped by an editor at\n" * 2
        + "seventy.\n\n"
        "第一章 总则\n\n- a\n- b\n\nWAIT, WHAT?\n\n-----\n\nSub\n---\nText below."
    )
    wrapped = "A paragraph whose lines were wrapped by an editor at " * 2 + "seventy."
    assert read(tmp_path, text) == [
        ("heading", "Title", 1),
        ("paragraph", "One short line\nand another", None),
        ("heading", "SECTION ONE", 2),
        ("paragraph", wrapped, None),
        ("heading", "第一章 总则", 1),
        ("list", "- a\n- b", None),
        ("paragraph", "WAIT, WHAT?", None),
        ("heading", "Sub", 2),
        ("paragraph", "Text below.", None),
    ]


def test_wrapped_chinese_is_joined_without_spaces(tmp_path: Path) -> None:
    line = "数据库的存储引擎把数据保存在磁盘上这个选择的原因是开发一个引擎"
    assert read(tmp_path, f"{line}\n{line}\n结束。") == [("paragraph", f"{line}{line}结束。", None)]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "这是一个用来测试的句子，我们可以在这里看到它。"
    assert read(tmp_path, text.encode(encoding)) == [("paragraph", text, None)]


def test_control_characters_do_not_get_through(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "a long enough text with \x0b one of them\r\n")[0][1] == "a long enough text with   one of them"
    )


def test_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for data, error in ((b"\n \n", EmptyFile), (b"---\n", EmptyFile), (bytes(range(256)) * 3, CorruptFile)):
        path.write_bytes(data)
        check_refused(TextParser(), Source(path, "a.txt", "text/plain"), error)
