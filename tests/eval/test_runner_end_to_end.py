"""The runner over the real service: real files, library, index and search; only the encoder is the one that needs no weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.settings import Settings, load
from eval.runner import run, sweep
from eval.sweep.axes import Axis
from eval.sweep.flow import Plan
from ingest.worker import ParseWorker
from rag.errors import BadRequest
from rag.fakes import HashingTextEncoder
from rag.protocols import Vectors

SETTINGS = {"encoder": {"kind": "hashing"}, "pictures": {"describer": "none"}}
TEXTS = {
    "heron": ("Heron telescope", "The Heron telescope has a mirror of 2.4 metres and stands on Mount Lisle."),
    "tea/1": ("", "云岭茶园在2025年采摘了三百公斤春茶，全部由手工炒制。"),
    "library": ("Library", "The system of record is SQLite; the vector index can be rebuilt from it."),
    "empty": ("", ""),
}


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    corpus = [json.dumps({"_id": id_, "title": title, "text": text}) for id_, (title, text) in TEXTS.items()]
    queries = {
        "q1": "How large is the mirror of the Heron telescope?",
        "q2": "采摘了多少春茶？",
        "q3": "rebuilt vector index",
    }
    (folder / "corpus.jsonl").write_text("\n".join(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": id_, "text": text}) for id_, text in queries.items()), encoding="utf-8"
    )
    (folder / "qrels.tsv").write_text("q1\theron\t1\nq2\ttea/1\t1\nq3\tlibrary\t1\n", encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path / "own-data", SETTINGS)


@pytest.mark.slow
def test_beir_through_the_service(beir: Path, settings: Settings, tmp_path: Path) -> None:
    first = run(beir, settings=settings, cache=tmp_path / "cache")
    assert first["metrics"]["mrr@10"] == 1.0
    assert (first["index"]["documents"], first["index"]["failed"], first["index"]["unchanged"]) == (3, 0, 0)
    # A second run finds the index; one over other retrievers, too.
    lexical = load(tmp_path / "own-data", SETTINGS | {"retrieval": {"retrievers": ["lexical"]}})
    second = run(beir, settings=lexical, cache=tmp_path / "cache")
    assert second["index"]["unchanged"] == 3
    assert second["config"]["run"] != first["config"]["run"]
    # The data directory of the person who measures is left alone.
    assert not settings.data.exists()


@pytest.mark.slow
def test_questions_and_answers_through_the_service(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "heron.md").write_text(f"# Heron\n\n{TEXTS['heron'][1]}\n", encoding="utf-8")
    (folder / "notes.md").write_text("# Notes\n\nBring a warm coat. The road is closed in winter.\n", encoding="utf-8")
    question = {"id": 1, "question": "How large is the mirror?", "answer": "2.4 metres", "source": "heron.md"}
    (folder / "questions.json").write_text(json.dumps([question]), encoding="utf-8")
    extractive = load(tmp_path / "own", SETTINGS | {"generator": {"kind": "extractive"}, "answer": {"abstain": False}})
    result = run(folder, settings=extractive, cache=tmp_path / "cache", out=tmp_path / "run", answers=True)
    assert result["metrics"]["source_hit@5"] == 1.0
    assert result["metrics"]["answer_recall"] == 1.0
    # The questions are no document: their answers must not be found in them.
    assert result["index"]["documents"] == 2
    record = json.loads((tmp_path / "run" / "questions.jsonl").read_text(encoding="utf-8"))
    assert record["answer"]["citations"][0][0] == "heron.md"


def test_no_questions_is_wrong_use(beir: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="--limit"):
        run(beir, settings=settings, cache=tmp_path / "cache", limit=0)


@pytest.mark.slow
def test_what_was_parsed_and_encoded_serves_other_settings(
    beir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = run(beir, settings=load(tmp_path / "own", SETTINGS), cache=cache)
    assert len(list((cache / "reused" / "parsed").glob("*/*.gz"))) == 3
    encoded: list[str] = []
    encode = HashingTextEncoder.encode_passages

    def counting(self: HashingTextEncoder, texts: Sequence[str]) -> Vectors:
        encoded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(HashingTextEncoder, "encode_passages", counting)
    monkeypatch.setattr(ParseWorker, "parse", lambda *_: pytest.fail("parsed again"))
    other = load(tmp_path / "own", SETTINGS | {"ingest": {"chunk_tokens": 200}})
    second = run(beir, settings=other, cache=cache)
    # Another index with the same texts: nothing was read, and nothing encoded.
    assert second["config"]["system"]["index"] != first["config"]["system"]["index"]
    assert (second["index"]["unchanged"], second["index"]["chunks"]) == (0, first["index"]["chunks"])
    assert second["index"]["fingerprint"] != first["index"]["fingerprint"]
    assert encoded == []
    assert second["metrics"] == first["metrics"]


@pytest.mark.slow
def test_several_questions_at_once(beir: Path, settings: Settings, tmp_path: Path) -> None:
    alone = run(beir, settings=settings, cache=tmp_path / "cache", measures=["ndcg@3", "similarity"])
    together = run(beir, settings=settings, cache=tmp_path / "cache", at_once=3, measures=["ndcg@3", "similarity"])
    assert together["metrics"] == alone["metrics"]
    assert "ndcg@3" in together["metrics"]
    assert together["latency_ms"]["at_once"] == 3


def test_wrong_use_of_a_run(beir: Path, settings: Settings, tmp_path: Path) -> None:
    for more, message in (
        ({"at_once": 0}, "--concurrency"),
        ({"sampled": 0}, "--sample"),
        ({"measures": ["blue"]}, "'blue'"),
        ({"prices": tmp_path / "none.toml"}, "prices"),
    ):
        with pytest.raises(BadRequest, match=message):
            run(beir, settings=settings, cache=tmp_path / "cache", **more)  # type: ignore[arg-type]
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
def test_a_sweep_through_the_service_shares_what_it_can(beir: Path, settings: Settings, tmp_path: Path) -> None:
    plan = Plan((Axis("retrieval.rrf_k", (1, 60)), Axis("ingest.chunk_tokens", (40, 300))), "mrr@10")
    told: list[str] = []
    result = sweep(beir, plan, settings=settings, cache=tmp_path / "cache", tell=told.append)
    assert len(result["cells"]) == len(told) == 4
    assert all(cell["metrics"]["mrr@10"] == 1.0 for cell in result["cells"])
    assert result["best"] == result["baseline"]
    assert len(list((tmp_path / "cache" / "indexes").iterdir())) == 2
    assert not settings.data.exists()
    with pytest.raises(BadRequest, match="judge"):
        sweep(beir, plan, settings=settings, cache=tmp_path / "cache", measures=["judge"])
