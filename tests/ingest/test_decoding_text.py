"""Encodings that real documents come in, long and short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding import decode, read_text

_SAMPLES = [
    (
        "数据库的存储引擎把数据保存在磁盘上，这个选择的原因是开发一个引擎工作量很大。",
        ["gb18030", "gbk", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"],
    ),
    ("标题\n短文", ["gb18030"]),
    ("資料庫的儲存引擎把資料保存在磁碟上，這個選擇的原因是開發一個引擎工作量很大。", ["big5", "utf-8"]),
    ("これは日本語の文章です。東京は大きい。", ["shift_jis", "euc_jp"]),
    ("한국어 문장입니다. 이것은 시험입니다.", ["euc_kr"]),
    ("Le café était fermé à Noël, déjà vu: naïve façade.", ["latin-1", "cp1252"]),
    ("“Quoted” – it’s fine…", ["cp1252"]),
    ("Это русский текст для проверки кодировки, и он довольно длинный.", ["cp1251", "koi8-r"]),
    ("plain ASCII", ["ascii"]),
]


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, encoding) for text, encodings in _SAMPLES for encoding in encodings]
)
def test_round_trips(text: str, encoding: str) -> None:
    decoded = decode(text.encode(encoding))
    assert decoded is not None
    assert decoded[0] == text


def test_a_declared_charset_is_believed_when_the_bytes_agree() -> None:
    assert read_text("Ünïcödé".encode("cp1252"), "iso-8859-1") == "Ünïcödé"
    assert read_text("价格".encode("gbk"), "gb2312") == "价格"
    assert read_text("价格".encode(), "gbk") == "价格", "UTF-8 that declares something else is still UTF-8"


def test_a_character_cut_in_two_at_the_end_of_the_head_is_no_error() -> None:
    assert decode("中文".encode()[:-1], partial=True) == ("中", "utf-8")


def test_a_few_broken_bytes_do_not_cost_the_document() -> None:
    text = read_text("正常的文字。".encode() * 50 + b"\xff" + "正常的文字。".encode() * 50)
    assert text is not None
    assert text.count("正常的文字。") >= 99


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    decoded = decode(data)
    assert decoded is None or isinstance(decoded[0], str)


def test_binary_is_no_text() -> None:
    assert decode(bytes(range(256)) * 4) is None
    assert read_text(bytes(range(256)) * 4) is None
