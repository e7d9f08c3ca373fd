from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets.corpus import file_name
from eval.datasets.load import load
from eval.metrics.citations import Region
from rag.documents import Box
from rag.errors import BadRequest

CORPUS = [
    {"_id": "d1", "title": "Ducks", "text": "A duck swims."},
    {"_id": "d/2", "title": "", "text": "鸭子"},
    {"_id": "d3", "title": "", "text": ""},
]
QUERIES = [
    {"_id": "q1", "text": "duck?"},
    {"_id": "q2", "text": "哪里？", "unanswerable": True},
    {"_id": 3, "text": "other split"},
]


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    write_lines(folder / "corpus.jsonl", CORPUS)
    write_lines(folder / "queries.jsonl", QUERIES)
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td/2\t0\n", encoding="utf-8")
    return folder


def test_beir(beir: Path, tmp_path: Path) -> None:
    found = load(beir)
    assert [question.id for question in found.questions] == ["q1", "q2"]
    assert found.documents == {"q1": {"d1": 2, "d/2": 0}}
    assert not found.questions[1].answerable
    assert "d3" in found.warnings[0]
    files = found.corpus.files(tmp_path / "files")
    assert [(file.id, file.name) for file in files] == [("d1", "d1.txt"), ("d/2", "d%2F2.txt")]
    assert files[0].path.read_text(encoding="utf-8") == "Ducks\n\nA duck swims."


def test_beir_zipped_with_qrels_in_a_folder(beir: Path) -> None:
    before = load(beir)
    (beir / "corpus.jsonl.gz").write_bytes(gzip.compress((beir / "corpus.jsonl").read_bytes()))
    (beir / "corpus.jsonl").unlink()
    (beir / "qrels").mkdir()
    # TREC's four columns
    (beir / "qrels" / "test.tsv").write_text("q1 0 d1 2\nq1 0 d/2 0\n", encoding="utf-8")
    (beir / "qrels.tsv").unlink()
    assert load(beir).digest == before.digest


def test_questions_of_one_set_on_the_corpus_of_another(beir: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_lines(other / "corpus.jsonl", [{"_id": "d1", "text": "x"}, {"_id": "d/2", "text": "y"}])
    found = load(beir, other)
    assert found.name == "set on other"
    assert set(found.corpus.ids) == {"d1", "d/2"}
    assert found.digest != load(beir).digest


def append(name: str, line: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (append("corpus.jsonl", "{broken"), r"corpus\.jsonl, line 4: this is no JSON"),
        (append("corpus.jsonl", "[1]"), r"corpus\.jsonl, line 4: an object"),
        (append("corpus.jsonl", '{"id": "x"}'), r"corpus\.jsonl, line 4: '_id' is missing"),
        (append("corpus.jsonl", '\n{"_id": "d1", "text": "again"}'), r"corpus\.jsonl, line 5: document 'd1'.*line 1"),
        (append("queries.jsonl", '{"_id": "q1", "text": "again"}'), r"queries\.jsonl, line 4: question 'q1'.*line 1"),
        (append("queries.jsonl", '{"_id": "q9", "text": "  "}'), r"queries\.jsonl, line 4: question 'q9' is empty"),
        (append("queries.jsonl", '{"_id": "q9", "text": "a", "answers": "b"}'), r"queries\.jsonl, line 4: 'answers'"),
        (append("qrels.tsv", "q8\td1\t1"), r"qrels\.tsv, line 4: there is no question 'q8' in .*queries\.jsonl"),
        (append("qrels.tsv", "q1\td9\t1"), r"qrels\.tsv, line 4: there is no document 'd9' in .*--corpus"),
        (append("qrels.tsv", "q1\td1\t1"), r"qrels\.tsv, line 4: the judgement of 'd1' for 'q1' is already on line 2"),
        (append("qrels.tsv", "q1\td3\thigh"), r"qrels\.tsv, line 4: the grade 'high'"),
        (append("qrels.tsv", "q1\td3"), r"qrels\.tsv, line 4: 2 columns"),
        (lambda folder: (folder / "qrels.tsv").unlink(), r"set has no qrels\.tsv or qrels/test\.tsv"),
        (lambda folder: (folder / "corpus.jsonl").unlink(), r"set has no corpus\.jsonl"),
        (lambda folder: (folder / "queries.jsonl").unlink(), r"set has no queries\.jsonl"),
        (lambda folder: (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n"), r"holds no judgements"),
        (lambda folder: (folder / "corpus.jsonl").write_bytes(b'{"_id": "\xff"}'), r"no UTF-8"),
    ],
)
def test_mistakes_are_named_by_file_and_line(beir: Path, change: Callable[[Path], object], message: str) -> None:
    change(beir)
    with pytest.raises(BadRequest, match=message) as caught:
        load(beir)
    assert caught.value.remedy


def test_truncated_gzip_is_named(beir: Path) -> None:
    packed = gzip.compress((beir / "corpus.jsonl").read_bytes())
    (beir / "corpus.jsonl").unlink()
    (beir / "corpus.jsonl.gz").write_bytes(packed[:-12])
    with pytest.raises(BadRequest, match=r"corpus\.jsonl\.gz"):
        load(beir)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "a.md").write_text("# A", encoding="utf-8")
    (folder / "b.txt").write_text("b", encoding="utf-8")
    records = [
        {"id": 2, "question": "?", "answer": "x", "source": "en/a.md", "page": [1, 3], "kind": "text"},
        {"id": "4", "question": "？", "answer": ["y", "z"], "source": ["b.txt", "en/a.md"], "page": None},
        {"id": "6", "question": "??", "answer": "NOT IN THE CORPUS", "source": None, "page": None},
    ]
    (folder / "questions.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    return folder


def test_questions_over_real_files(labelled: Path) -> None:
    found = load(labelled)
    assert list(found.corpus.ids) == ["b.txt", "en/a.md"]
    assert found.documents == {"2": {"en/a.md": 1}, "4": {"b.txt": 1, "en/a.md": 1}}
    assert found.pages == {"2": {("en/a.md", 1), ("en/a.md", 3)}}
    assert [(q.answers, q.answerable) for q in found.questions] == [(("x",), True), (("y", "z"), True), ((), False)]
    assert load(labelled / "questions.json").digest == found.digest
    assert found.first(1).digest != found.digest


def test_json_and_jsonl_say_the_same(labelled: Path) -> None:
    before = load(labelled)
    write_lines(labelled / "questions.jsonl", json.loads((labelled / "questions.json").read_text(encoding="utf-8")))
    (labelled / "questions.json").unlink()
    assert load(labelled).digest == before.digest


def test_changed_file_changes_the_digest(labelled: Path) -> None:
    before = load(labelled).digest
    (labelled / "b.txt").write_text("c", encoding="utf-8")
    assert load(labelled).digest != before


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            '{"id": 1, "question": "?", "source": "en/b.md"}',
            r"line 3: there is no file 'en/b\.md'.*Is 'en/a\.md' meant",
        ),
        ('{"id": 1, "question": "?", "source": "b.txt", "page": 0}', r"line 3: 0 is no page"),
        ('{"id": 1, "question": " ", "source": "b.txt"}', r"line 3: question '1' is empty"),
        ('{"question": "?", "source": "b.txt"}', r"line 3: 'id' is missing"),
        ('{"id": "0", "question": "?", "source": "b.txt"}', r"line 3: question '0' is already on line 2"),
        ('{"id": 1, "question" "?"}', r"line 3: this is no JSON"),
        ('{"id": 1, "question": "?", "source": "b.txt"} {}', r"line 3: a comma"),
    ],
)
def test_mistakes_in_a_list_are_named_by_line(labelled: Path, record: str, message: str) -> None:
    first = '{"id": "0", "question": "?", "source": "b.txt"}'
    (labelled / "questions.json").write_text(f"[\n {first},\n {record}\n]", encoding="utf-8")
    with pytest.raises(BadRequest, match=message):
        load(labelled)


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ({"box": [2, 10, 20, 30, 40]}, [[Box(2, 10, 20, 30, 40)]]),
        ({"page": 2, "box": [10, 20, 30, 40]}, [[Box(2, 10, 20, 30, 40)]]),
        ({"bbox": "2 10 20 30 40; 3, 1, 2, 3, 4.5"}, [[Box(2, 10, 20, 30, 40), Box(3, 1, 2, 3, 4.5)]]),
        ({"box": [[2, 10, 20, 30, 40], [2, 10, 20, 30, 40]]}, [[Box(2, 10, 20, 30, 40)]]),
        (
            {"evidence": [{"source": "b.txt", "box": [1, 0, 0, 5, 5]}, {"source": "b.txt", "box": [1, 9, 9, 10, 10]}]},
            [[Box(1, 0, 0, 5, 5)], [Box(1, 9, 9, 10, 10)]],
        ),
    ],
)
def test_boxes_are_regions_and_name_their_pages(labelled: Path, given: dict[str, Any], drawn: list[list[Box]]) -> None:
    source = {} if "evidence" in given else {"source": "b.txt"}
    (labelled / "questions.json").write_text(json.dumps([{"id": "1", "question": "?", **source, **given}]))
    found = load(labelled)
    assert found.regions == {"1": tuple(Region("b.txt", tuple(boxes)) for boxes in drawn)}
    assert found.pages["1"] == {("b.txt", box.page) for boxes in drawn for box in boxes}
    (labelled / "questions.json").write_text(json.dumps([{"id": "1", "question": "?", "source": "b.txt"}]))
    assert load(labelled).digest != found.digest


@pytest.mark.parametrize(
    "box",
    [
        "[1, 2, 3, 4]",
        "[0, 1, 2, 3, 4]",
        "[1, 5, 5, 2, 9]",
        '"a b"',
        "[1.5, 1, 2, 3, 4]",
        "[1, 1, 2, 3, 1e999]",
        "7",
        "{}",
    ],
)
def test_what_is_no_box_is_named(labelled: Path, box: str) -> None:
    record = f'[\n{{"id": 1, "question": "?", "source": "b.txt", "box": {box}}}]'
    (labelled / "questions.json").write_text(record, encoding="utf-8")
    with pytest.raises(BadRequest, match=r"line 2: .* is no box"):
        load(labelled)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no labelled set"):
        load(tmp_path)
    with pytest.raises(BadRequest, match="There is no"):
        load(tmp_path / "absent")


@given(st.sets(st.text(min_size=1, max_size=300), max_size=8))
def test_file_names_are_distinct_and_fit(ids: set[str]) -> None:
    ids = {id_ for id_ in ids if id_.isprintable()}
    names = [file_name(id_) for id_ in ids]
    assert len(set(names)) == len(ids)
    for name in names:
        assert len(name.encode()) <= 204
        assert "/" not in name
        assert not name.startswith(".")


@pytest.mark.parametrize("name", ["beir-scifact", "cranfield", "xquad-zh", "squad2-half-dev", "dureader-demo-zh"])
def test_real_sets(name: str) -> None:
    shared = Path(os.environ.get("TUWEN_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
    if not (shared / "data" / name).is_dir():
        pytest.skip(f"{name} is not on this machine")
    found = load(shared / "data" / name)
    assert found.documents
    assert {document for judged in found.documents.values() for document in judged} <= set(found.corpus.ids)
