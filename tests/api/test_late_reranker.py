"""`retrieval.reranker = late` from the setting to the search, and what a run keeps of it for the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.client import LocalClient
from api.schemas import SearchBody
from api.service import open_service
from api.settings import load
from api.wiring.encoders import text_encoder
from api.wiring.rerankers import rerank_gates, reranker
from api.wiring.verifiers import VERIFIERS
from eval.runner.served import ServedSystem
from ingest.files import InputFile
from rag.errors import BadSetting
from rag.protocols import Generator

HASHING = {"encoder": {"kind": "hashing"}, "generator": {"kind": "extractive"}}
TEXTS = {
    "spread.md": "The cat sat there. Nobody came to the house. Backups are slow things. Rain fell. The night was dark.",
    "together.md": "Rain fell. The cat watched the backups at night. Nobody came to the house.",
    "zh.md": "茶园每年生产二十吨绿茶。",
}


def no_generator() -> Generator:
    raise AssertionError


def settings(data: Path, **retrieval: Any) -> Any:
    return load(data, HASHING | {"retrieval": {"reranker": "late", **retrieval}})


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"reranker": "remote"}, "retrieval.reranker_url"),
        ({"reranker": "onnx"}, "retrieval.reranker_model"),
        ({"reranker": "cross-encoder"}, "retrieval.reranker_model"),
    ],
)
def test_a_reranker_without_what_it_needs_names_the_setting(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting) as raised:
        reranker(settings(Path("nowhere"), **chosen), no_generator)
    assert said in raised.value.remedy


@pytest.mark.parametrize("encoder", [{}, {"base_url": "http://x"}])
def test_a_remote_encoder_without_server_or_model_names_the_setting(encoder: dict[str, str]) -> None:
    given = load(Path("nowhere"), {"encoder": {"kind": "remote", "model": "", **encoder}})
    with pytest.raises(BadSetting, match="no server or model") as raised:
        text_encoder(given)
    assert "encoder.base_url" in raised.value.remedy


def test_late_orders_what_was_found(tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    asked = SearchBody(query="cat backups night", explain=True, top_k=10)
    with open_service(settings(tmp_path / "data", rerank_by_language={}, rerank_depth=2)) as service:
        service.ingest([InputFile(tmp_path / name, name, str(tmp_path / name)) for name in TEXTS], "default")
        client = LocalClient(service)
        result = client.search(asked)
        assert result["hits"][0]["document"]["name"] == "together.md"
        assert "rerank" in result["timings"]
        # What a run keeps for the gate: both scores, of as many as were looked at.
        system = ServedSystem(client, "default", {"settings": service.settings.model_dump(mode="json")})
        found = system.search("cat backups night", 10)
        assert len(found.reranked) == 2
        coarse = [score for _, score, _ in found.reranked]
        assert coarse == sorted(coarse, reverse=True)
        best = max(found.reranked, key=lambda row: row[2])
        assert best[0] == "together.md" == found.hits[0].document
        # Where it is mixed in, or not let through for every language alike, its own scores are not told.
        for mixed in ({"rerank_weight": 0.5}, {"rerank_by_language": {"en": {"reranker": "late"}}}):
            config = {"settings": {"retrieval": service.settings.retrieval.model_dump(mode="json") | mixed}}
            assert ServedSystem(client, "default", config).search("cat", 10).reranked == ()


def test_the_gates_that_come_with_it_are_for_it_alone() -> None:
    assert set(rerank_gates(settings(Path("nowhere")))) == {"en", "zh", "foreign"}
    assert rerank_gates(settings(Path("nowhere"), reranker="onnx", reranker_model="x")) == {}
    made = reranker(settings(Path("nowhere")), no_generator)
    assert made is not None
    assert made.score("tea garden", ["A garden. Green tea.", "granite"])[0] > made.score("tea garden", ["granite"])[0]


def test_automatic_lets_only_questions_about_the_other_language_through() -> None:
    gates = rerank_gates(settings(Path("nowhere"), reranker="auto"))
    assert {name for name, gate in gates.items() if gate.open} == {"foreign"}
    chosen = {"zh": {"weight": 0.5, "depth": 5}}
    gates = rerank_gates(settings(Path("nowhere"), reranker="auto", rerank_by_language=chosen))
    assert {name for name, gate in gates.items() if gate.open} == {"zh"}


def test_automatic_is_none_for_an_encoder_without_tokens() -> None:
    automatic = settings(Path("nowhere"), reranker="auto")
    assert reranker(automatic, no_generator) is not None
    remote = load(Path("nowhere"), {"encoder": {"kind": "remote", "base_url": "http://x"}}).encoder
    assert reranker(automatic.model_copy(update={"encoder": remote}), no_generator) is None


def test_automatic_reranks_what_is_in_the_other_language(tmp_path: Path) -> None:
    for name in ("spread.md", "together.md"):
        (tmp_path / name).write_text(TEXTS[name], encoding="utf-8")
    # A least score is one of the coarse scores, which a reranked question does not have.
    with open_service(settings(tmp_path / "data", reranker="auto", least_score=0.01)) as service:
        files = [InputFile(tmp_path / name, name, str(tmp_path / name)) for name in ("spread.md", "together.md")]
        service.ingest(files, "default")
        client = LocalClient(service)
        for question, reranked in (
            ("cat backups night", False),
            ("夜里谁看备份？", True),
            ("夜に猫は何を見た？", False),
        ):
            result = client.search(SearchBody(query=question, explain=True))
            assert ("rerank" in result["timings"]) is reranked, question
            assert len(result["hits"]) == 2


def test_an_encoder_without_tokens_is_named() -> None:
    remote = settings(Path("nowhere")).model_copy(
        update={"encoder": load(Path("nowhere"), {"encoder": {"kind": "remote", "base_url": "http://x"}}).encoder}
    )
    with pytest.raises(BadSetting, match="gives no vectors of tokens"):
        reranker(remote, no_generator)


def test_likeness_verifies_nothing() -> None:
    chosen = settings(Path("nowhere"))
    with pytest.raises(BadSetting, match="not probabilities"):
        VERIFIERS["reranker"](chosen, reranker(chosen, no_generator), no_generator)


@pytest.mark.model
def test_a_chinese_question_finds_the_english_sentence() -> None:
    made = reranker(load(Path("nowhere"), {"retrieval": {"reranker": "late"}}), no_generator)
    assert made is not None
    right = "The observatory stands on a hill above the town. It was founded in 1887 by two teachers. Entry is free."
    others = [
        "The library stands in the middle of the town. It lends books to everybody. Entry is free.",
        "The observatory opens at nine in the evening. Visitors see the moon and the planets through two telescopes.",
        "In 1887 the town had four thousand inhabitants. Most of them were farmers, and two were teachers.",
    ]
    scores = made.score("天文台是谁创建的？", [*others, right])
    assert max(range(4), key=scores.__getitem__) == 3
