"""Documents taken out of what was found, and cases kept between calls."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import abstention as benchmark
from eval.calibration.evidence_model import Case
from rag.answers import Hit
from rag.documents import Chunk, DocumentRef


def hit(id_: str) -> Hit:
    return Hit(Chunk(id_, "d", 0, "text", "words"), DocumentRef("d", "d", "text/plain", "c"), 1.0)


def test_a_document_is_taken_out_of_hits_and_vectors_alike() -> None:
    found = benchmark.Found(
        [hit("a"), hit("b"), hit("c")], [("a", 0.9), ("b", 0.8), ("c", 0.6)], {"a": "1", "b": "2", "c": "3"}
    )
    hits, seen = found.without({"1"})
    assert [one.chunk.id for one in hits] == ["b", "c"]
    assert seen is not None
    assert seen.best == 0.8
    assert seen.lead == pytest.approx(0.2)
    assert found.without({"1", "2", "3"}) == ([], None)


def test_cases_are_kept_and_a_question_that_was_cut_off_is_asked_again(tmp_path: Path) -> None:
    made = [Case(id_, "s", "g", "near", "en", {"names": 0.5}, False) for id_ in ("1", "2", "2")]
    file = tmp_path / "s.jsonl"
    lines = [json.dumps(asdict(case)) for case in made]
    file.write_text("\n".join(lines) + "\n" + lines[0][:20], encoding="utf-8")
    assert list(benchmark._kept(file)) == made[:1]
    assert file.read_text("utf-8") == lines[0] + "\n"
