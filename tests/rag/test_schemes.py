"""The three schemes over one index: which retrievers ask, which step ranks, and what a scheme without its adapter says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.answers import Query, Scheme
from rag.engine import Engine
from rag.errors import BadSetting
from rag.fakes import FakeAligner, HashingTextEncoder
from rag.rerankers.late_interaction import LateInteraction
from rag.retrieval.rerank import Gate
from tests.rag.test_engine import Backwards, engine

ENCODER = HashingTextEncoder()


def schemed(**options: object) -> Engine:
    aligner = LateInteraction("hashing", ENCODER.question_tokens, ENCODER.passage_tokens, str)
    return replace(engine(reranker=Backwards(), **options), aligner=aligner)  # type: ignore[arg-type]


def stages(
    asked: Engine, scheme: Scheme | None, question: str = "bamboo panda"
) -> dict[str, Sequence[tuple[str, float]]]:
    result = asked.search(Query(question, explain=True, scheme=scheme))
    return {stage.name: stage.ranking for stage in result.stages}


def test_vector_asks_no_words_and_ranks_no_further() -> None:
    found = stages(schemed(), "vector")
    assert not {"lexical", "rerank", "align"} & found.keys()
    assert {"dense", "entries"} <= found.keys()
    # One search over passages and pictures: by cosine, whichever they are.
    cosines = dict(found["entries"]) | dict(found["dense"])
    order = [cosines[id_] for id_, _ in found["fuse"]]
    assert order == sorted(order, reverse=True)
    assert found["hits"][0][0] == "panda.md.0"


def test_aligned_scores_every_candidate_and_the_reranker_none() -> None:
    found = stages(schemed(), "aligned")
    assert not {"lexical", "rerank"} & found.keys()
    assert {id_ for id_, _ in found["align"]} == {id_ for id_, _ in found["fold"]}
    assert found["align"][0] == ("panda.md.0", 1.0)


def test_aligned_looks_no_deeper_than_it_is_told() -> None:
    assert len(stages(schemed(aligned_depth=3), "aligned")["align"]) <= 3


def test_hybrid_is_the_default_and_a_setting_or_a_request_changes_it() -> None:
    assert stages(schemed(), None).keys() == stages(schemed(), "hybrid").keys() >= {"lexical", "rerank"}
    assert "align" in stages(schemed(scheme="aligned"), None)
    assert "lexical" in stages(schemed(scheme="aligned"), "hybrid")


def test_without_weight_the_coarse_order_is_left_alone() -> None:
    found = stages(schemed(rerank_weight=0.0), "hybrid")
    assert "rerank" not in found
    assert [id_ for id_, _ in found["hits"]] == [id_ for id_, _ in found["fold"]][: len(found["hits"])]


def test_aligned_without_token_vectors_names_the_setting() -> None:
    with pytest.raises(BadSetting, match=r"retrieval\.scheme"):
        replace(schemed(), aligner=None).search(Query("panda", scheme="aligned"))


def test_any_aligner_will_do() -> None:
    found = replace(schemed(), aligner=FakeAligner()).search(Query("bamboo panda", scheme="aligned"))
    assert found.hits[0].chunk.id == "panda.md.0"


def test_each_language_has_its_own_gate() -> None:
    gates = {"en": Gate(0.0, 5), "zh": Gate(1.0, 2)}
    asked = schemed(rerank_by_language=gates)
    assert "rerank" not in stages(asked, "hybrid")
    found = stages(asked, "hybrid", "茶园每年生产多少茶？")
    before, after = [id_ for id_, _ in found["fold"]], [id_ for id_, _ in found["rerank"]]
    assert after == [before[1], before[0], *before[2:]]
