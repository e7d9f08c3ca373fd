"""How far a reranker is let through by language: a scripted one that reads Chinese and misreads English."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.settings import load
from api.wiring.rerankers import rerank_gates, reranker
from eval.calibration.by_language import FEW, language_gates, ordered
from eval.commands import app
from eval.records import RunFolder
from rag.answers import Hit
from rag.documents import Chunk, DocumentRef
from rag.retrieval.rerank import rerank

QUESTIONS = {"en": "Which leaf is plucked?", "zh": "采摘哪一片叶子？"}


def scripted(language: str, count: int, seed: int = 0, *, sense: float | None = None) -> list[dict[str, Any]]:
    """Questions with one right document among ten; the fine score knows it in Chinese, and shuns it in English."""
    draw = random.Random(f"{seed}{language}")
    knows = {"zh": 1.0, "en": -1.0}[language] if sense is None else sense
    records = []
    for number in range(count):
        documents = [f"{language}{number}-{place}" for place in range(10)]
        right = documents[min(9, int(draw.expovariate(0.4)))]
        rows = [
            [document, round(1 - place / 10, 3), knows * (document == right) + draw.gauss(0, 0.3)]
            for place, document in enumerate(documents)
        ]
        records.append(
            {
                "id": f"{language}{number}",
                "question": QUESTIONS[language],
                "answerable": True,
                "documents": [[document, 1.0] for document in [*documents, "deeper"]],
                "documents_judged": {right: 1},
                "reranked": rows,
                "ms": 5.0,
                "metrics": {"ndcg@10": 0.5},
            }
        )
    return records


def test_good_for_one_language_and_bad_for_the_other() -> None:
    found = language_gates([*scripted("en", 120), *scripted("zh", 120)])
    assert found["zh"]["decision"] == "rerank"
    assert found["zh"]["weight"] > 0
    assert found["zh"]["difference"] > 0.1
    assert found["en"]["decision"] == "leave"
    assert (found["en"]["weight"], found["en"]["depth"]) == (0.0, 0)
    # What it would have cost to rerank everything is said.
    assert found["en"]["whole"] < -0.2


def test_figures_are_of_questions_that_the_setting_was_not_chosen_on() -> None:
    """Of a reranker that knows nothing, the best of many settings looks good on the questions it was chosen on, and not on others."""
    gains, decisions = [], []
    for seed in range(6):
        found = language_gates(scripted("en", 60, seed, sense=0.0))["en"]
        gains.append(found["difference"])
        decisions.append(found["decision"])
    assert sum(gains) / len(gains) < 0.01
    assert decisions.count("rerank") <= 1


def test_few_questions_decide_nothing() -> None:
    assert language_gates(scripted("zh", FEW - 1))["zh"]["decision"] == "unknown"
    assert language_gates([record | {"reranked": []} for record in scripted("zh", 80)]) == {}


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-5, 5)), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.integers(0, 9),
)
def test_what_is_reckoned_is_what_the_engine_would_serve(
    scores: list[tuple[float, float]], weight: float, depth: int
) -> None:
    document = DocumentRef("d", "d", "text/plain", "default")
    scores = sorted(scores, key=lambda pair: -pair[0])
    hits = [Hit(Chunk(str(n), "d", 0, "text", str(n)), document, coarse) for n, (coarse, _) in enumerate(scores)]
    fine = [value for _, value in scores]

    class Scripted:
        name = "scripted"

        def score(self, question: str, texts: Sequence[str]) -> list[float]:
            return fine[: len(texts)]

    served = [hit.chunk.id for hit in rerank(Scripted(), "q", hits, depth, weight=weight)]
    rows = [(str(n), coarse, value) for n, (coarse, value) in enumerate(scores)]
    assert ordered({"reranked": rows, "documents": []}, (weight, depth)) == served


def written(path: Path, records: list[dict[str, Any]], **retrieval: Any) -> str:
    folder = RunFolder(path)
    system = {"settings": {"retrieval": retrieval}}
    folder.open(path.name, {"dataset": "made up", "config": {"system": system}})
    for record in records:
        folder.add(record)
    folder.close()
    return str(path)


def test_the_command_writes_what_the_engine_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUWEN_RETRIEVAL__RERANKER", raising=False)
    records = [*scripted("en", 120), *scripted("zh", 120)]
    coarse = written(tmp_path / "coarse", records, reranker="none")
    fine = written(tmp_path / "fine", records, reranker="onnx", reranker_model="/models/bge")
    data = tmp_path / "data"
    arguments = ["calibrate", coarse, "--rerank", fine, "--data", str(data)]
    shown = CliRunner().invoke(app, arguments)
    assert "en: the coarse order stays" in shown.output, shown.output
    assert "zh: weight" in shown.output
    assert not data.exists()
    found = json.loads(CliRunner().invoke(app, [*arguments, "--write", "--json"]).stdout)
    settings = load(data, {"retrieval": {"reranker": "onnx", "reranker_model": "/models/bge"}})
    gates = rerank_gates(settings)
    assert not gates["en"].open
    assert (gates["zh"].weight, gates["zh"].depth) == (
        found["languages"]["zh"]["weight"],
        found["languages"]["zh"]["depth"],
    )
    # Measured again in one language, the other keeps its gate.
    zh = written(tmp_path / "zh", scripted("zh", 120, 9), reranker="onnx", reranker_model="/models/bge")
    again = CliRunner().invoke(app, ["calibrate", zh, "--rerank", zh, "--data", str(data), "--write", "--json"])
    assert set(json.loads(again.stdout)["languages"]) == {"zh"}
    assert not rerank_gates(load(data, {"retrieval": {"reranker": "onnx", "reranker_model": "/models/bge"}}))["en"].open
    # What was measured says nothing of another model.
    assert rerank_gates(load(data, {"retrieval": {"reranker": "onnx", "reranker_model": "/models/other"}})) == {}


def test_nothing_is_loaded_where_no_language_is_let_through() -> None:
    shut = {"retrieval": {"reranker": "onnx", "reranker_model": "/nowhere", "rerank_weight": 0.0}}
    gates = {"zh": {"weight": 0.0, "depth": 0}}
    settings = load(Path("nowhere"), {"retrieval": shut["retrieval"] | {"rerank_by_language": gates}})
    assert reranker(settings, lambda: pytest.fail("asked for a generator")) is None


def test_deeper_reranking_only_for_a_gain() -> None:
    """Where ranks beyond the third never matter, the cheaper of equal settings is chosen."""
    records = scripted("zh", 80)
    for record in records:
        record["reranked"] = sorted(record["reranked"], key=lambda row: -row[1])
        record["documents_judged"] = {record["reranked"][1][0]: 1}
        for place, row in enumerate(record["reranked"]):
            row[2] = 1.0 if place == 1 else -float(place)
    found = language_gates(records)["zh"]
    assert found["decision"] == "rerank"
    assert found["depth"] == 3
    assert all(first["depth"] <= second["depth"] for first, second in pairwise([*found["folds"], {"depth": 3}]))
