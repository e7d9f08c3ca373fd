"""Whatever is in the files of a set: a set, or an error that names the file and says what to do; never a traceback."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eval.datasets.load import load
from rag.errors import BadRequest

RECORDS = [
    {"id": "1", "question": "?", "answer": ["x"], "source": "a.md", "page": [1, "2-3"], "quote": "z", "turns": ["h"]},
    {"id": "2", "question": "?!", "evidence": [{"a.md": ["q"]}, {"source": "a.md", "page": 4}], "unanswerable": False},
]
ANSWER = {"text": "x", "answer_start": 0}
SQUAD = {
    "data": [
        {"title": "t", "paragraphs": [{"context": "x y", "qas": [{"id": "q", "question": "?", "answers": [ANSWER]}]}]}
    ]
}
CMRC = [
    {
        "context_id": "D",
        "context_text": "光荣",
        "title": "t",
        "qas": [{"query_id": "q", "query_text": "?", "answers": ["光"]}],
    }
]
COCO = {"images": [{"id": 7, "file_name": "a.png"}], "annotations": [{"image_id": 7, "caption": "A"}]}
TATQA = [
    {
        "table": {"uid": "t", "table": [["", "a"], ["b", "c"]]},
        "paragraphs": [{"order": 1, "text": "x"}],
        "questions": [
            {
                "uid": "q",
                "question": "?",
                "answer": ["x"],
                "answer_type": "span",
                "answer_from": "text",
                "rel_paragraphs": ["1"],
            }
        ],
    }
]
SETS: dict[str, dict[str, str]] = {
    "questions.json": {"questions.json": json.dumps(RECORDS, indent=1)},
    "questions.jsonl": {"questions.jsonl": "\n".join(map(json.dumps, RECORDS))},
    "qa.csv": {"qa.csv": 'id,question,answer,source,page\n1,"a ""b"", c",x,a.md,3\n2,é,x,a*,\n'},
    "squad.json": {"squad.json": json.dumps(SQUAD, indent=1)},
    "cmrc.json": {"cmrc.json": json.dumps(CMRC)},
    "tatqa.json": {"tatqa.json": json.dumps(TATQA)},
    "captions.json": {"captions.json": json.dumps([{"image": "a.png", "captions_en": ["A"], "label_zh": "熊"}])},
    "coco.json": {"coco.json": json.dumps(COCO)},
    "topics.txt": {"topics.txt": "<top>\n<num> Number: 1\n<title> x\n</top>\n", "qrels.txt": "1 0 a 1\n"},
    "qrels.txt": {"topics.txt": "1\tx\n", "qrels.txt": "1 0 a 1\n1 0 b -1\n"},
    "dataset.toml": {
        "questions.json": '[{"id": 1, "q": "?", "source": "a.md"}]',
        "dataset.toml": 'questions = ["*.json"]\ncorpus = "corpus"\n[fields]\nquestion = "q"\n[[file]]\nevidence = "last"\n',
    },
}
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+|true|false|null|\[\]')
SWAPS = (
    *(
        b"null",
        b"7",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b"1e999",
        b"NaN",
        b"[[1]]",
        b"-3",
        b'{"a": {}}',
        b'"x;y"',
        b'"1-999999"',
    ),
    *(rb'"\ud83d"', b"1" * 5000, b"[" * 5000, b'"\xff"', b"1-99999999999"),
)
SPLICES = (b"", b"\xff", b"\n", b'"', b"\t", b"{", b"<top>", b"\x00", b",", b"\\", b"\xef\xbb\xbf")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    for name in ("corpus/a.md", "corpus/b.md", "images/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")


def spoil(data: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    tokens = list(TOKEN.finditer(data))
    if tokens and draw(st.booleans()):
        token = draw(st.sampled_from(tokens))
        return data[: token.start()] + draw(st.sampled_from(SWAPS)) + data[token.end() :]
    at = draw(st.integers(0, len(data)))
    return data[:at] + draw(st.sampled_from(SPLICES)) + data[at + draw(st.integers(0, 5)) :]


@pytest.mark.parametrize("name", SETS)
def test_each_of_them_is_a_set(tmp_path: Path, name: str) -> None:
    write(tmp_path, SETS[name])
    assert load(tmp_path).questions


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_spoiled_files_are_named(name: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path.parent, SETS[name])
        path.write_bytes(spoil(path.read_bytes(), data.draw))
        error: BadRequest | None = None
        try:
            found = load(path.parent)
        except BadRequest as caught:
            error = caught
        if error is None:
            assert found.digest
            assert found.corpus.files(path.parent / "out")
        else:
            assert folder in error.message
            assert error.remedy


def test_half_a_character_is_named_by_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "questions.jsonl": '{"question": "\\ud83d\\ude00", "source": "a.md"}\n{"question": "\\ud83d?", "source": "a.md"}'
        },
    )
    with pytest.raises(BadRequest, match=r"questions\.jsonl, line 2: \\ud83d is half a character"):
        load(tmp_path)
    (tmp_path / "questions.jsonl").unlink()
    write(tmp_path, {"squad.json": json.dumps(SQUAD, indent=1).replace('"?"', '"\\udc00"')})
    with pytest.raises(BadRequest, match=r"squad\.json, line 11: \\udc00 is half"):
        load(tmp_path)
