"""JSON and JSON Lines as readable text: records as tables, key paths as headings, numbers as they are written; notebooks."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.parsers.json_blocks import blocks
from ingest.parsers.json_file import JSON, JSON_LINES, JsonParser
from ingest.protocols import Limits, ParsedPage
from rag.errors import CorruptFile, EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse, source, texts


def read(tmp_path: Path, text: str, media_type: str = JSON) -> list[ParsedPage]:
    path = tmp_path / "data.json"
    path.write_text(text, encoding="utf-8")
    return parse(JsonParser(), source(path, media_type))


def shown(pages: list[ParsedPage]) -> list[str]:
    return [f"{e.kind}{e.level or ''}: {e.text}" for page in pages for e in page.elements]


def test_contract() -> None:
    check_parser(JsonParser())


def test_uniform_records_are_a_table(tmp_path: Path) -> None:
    pages = read(tmp_path, '[{"n": 1.10, "who": {"name": "Ann"}, "tags": ["a", "b"]}, {"n": 2, "who": {"name": "Bo"}}]')
    assert shown(pages) == ["table: | n | who.name | tags |\n| --- | --- | --- |\n| 1.10 | Ann | a, b |\n| 2 | Bo |  |"]


def test_key_paths_are_headings(tmp_path: Path) -> None:
    long = "word " * 60
    pages = read(
        tmp_path,
        json.dumps(
            {"title": "T", "on": True, "none": None, "port": {"crane": {"text": long, "lifts": ["a", {"b": 1}]}}}
        ),
    )
    assert shown(pages) == [
        "list: title: T\non: true",
        "heading1: port",
        "heading2: crane",
        f"paragraph: {long.strip()}",
        "heading3: lifts",
        "paragraph: a",
        "heading4: #2",
        "list: b: 1",
    ]


def test_records_with_long_texts_are_sections(tmp_path: Path) -> None:
    long = "A long abstract. " * 20
    lines = "\n".join(json.dumps({"_id": n, "title": f"Paper {n}", "text": long}) for n in range(3))
    assert shown(read(tmp_path, lines, JSON_LINES))[:3] == [
        "heading1: Paper 0",
        "list: _id: 0",
        f"paragraph: {long.strip()}",
    ]


def test_lines_of_one_shape_are_a_table_in_parts(tmp_path: Path) -> None:
    pages = read(tmp_path, "\n".join(json.dumps({"n": n, "name": f"x{n}"}) for n in range(450)), JSON_LINES)
    assert len(pages) == 3
    assert all(text.startswith("| n | name |") for text in texts(pages))
    assert "| 449 | x449 |" in texts(pages)[-1]


def test_broken_lines_are_told_and_many_are_an_error(tmp_path: Path) -> None:
    pages = read(tmp_path, '{"a": 1}\n{"a": \n{"a": 2}\n', JSON_LINES)
    assert pages[0].warnings == ("Line 2 is not valid JSON and was left out.",)
    path = tmp_path / "bad.jsonl"
    path.write_text('{"a": 1}\nx\ny\n')
    check_refused(JsonParser(), source(path, JSON_LINES), CorruptFile)


def test_errors_and_limits(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text, expected in (('{"a": "cut', CorruptFile), ("{}", EmptyFile), ("[" * 100_000, CorruptFile)):
        path.write_text(text)
        check_refused(JsonParser(), source(path, JSON), expected)
    path.write_text("[" + ",".join(["1"] * 50) + "]")
    check_refused(JsonParser(), source(path, JSON, limits=Limits(rows=10)), LimitExceeded)


def test_lone_surrogates_and_control_characters_are_no_text(tmp_path: Path) -> None:
    assert shown(read(tmp_path, r'{"a\u0000": "x\ud800y\u0007"}')) == ["list: a : x y"]


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=3),
    max_leaves=20,
)


@given(_VALUES)
def test_every_text_is_said(value: Any) -> None:
    said = "\n".join(e.text for e in blocks(json.loads(json.dumps(value), parse_int=str))).replace("\\|", "|")

    def check(item: Any) -> None:
        if isinstance(item, dict):
            for inner in item.values():
                check(inner)
        elif isinstance(item, list):
            for inner in item:
                check(inner)
        elif item is not None and not isinstance(item, bool):
            assert str(item) in said

    check(value)


@pytest.mark.parametrize("as_list", [True, False])
def test_notebooks_are_prose_code_and_what_came_out(tmp_path: Path, as_list: bool) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(picture, "PNG")
    text = "# Study\n\nOf **ports**.\n"
    cells = [
        {"cell_type": "markdown", "source": text.splitlines(keepends=True) if as_list else text},
        {
            "cell_type": "code",
            "source": "print(1)",
            "outputs": [
                {"text": ["1\n"], "output_type": "stream"},
                {"data": {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": "<Figure>"}},
            ],
        },
    ]
    pages = read(tmp_path, json.dumps({"nbformat": 4, "cells": cells}))
    assert pages[0].title == "Study"
    assert shown(pages) == ["heading1: Study", "paragraph: Of ports.", "code: print(1)", "code: 1", "figure: "]
