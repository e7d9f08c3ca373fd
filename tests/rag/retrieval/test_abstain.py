from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Likeness
from rag.documents import Chunk, DocumentRef, ImageChunk, ImageEntry
from rag.language import language_of
from rag.retrieval.abstain import THRESHOLD, evidence, score
from rag.retrieval.likeness import likeness


def hit(number: int, text: str, **ranks: int) -> Hit:
    chunk = Chunk(f"c{number}", "d", number, "text", text, language=language_of(text))
    return Hit(chunk, DocumentRef("d", "notes.md", "text/markdown", "default"), 1.0, ranks or {"lexical": number})


CENSUS = [
    hit(1, "Approximately 56.7 million people living in the United States had some kind of disability in 2010."),
    hit(2, "The Census Bureau asks households about income, housing and health insurance every month."),
    hit(3, "Ducks swim in ponds and eat grass."),
]
TIDB = [
    hit(1, "每个 Region 中保存的数据量默认维持在 256 MiB 左右（可以通过配置修改）。"),
    hit(2, "TiDB 是开源的分布式数据库，兼容 MySQL 协议。"),
]


@pytest.mark.parametrize(
    ("question", "hits"),
    [
        ("How many people in the United States had a disability in 2010?", CENSUS),
        ("TiKV 中每个 Region 默认保存多少数据？", TIDB),
    ],
)
def test_a_question_that_the_hits_answer_is_answered(question: str, hits: list[Hit]) -> None:
    assert score(question, hits) >= THRESHOLD


@pytest.mark.parametrize(
    ("question", "hits"),
    [
        ("Who won the football world cup in Qatar in 2022?", CENSUS),
        ("What is the price of the commercial edition?", CENSUS),
        ("TiDB 商业版的价格是多少？", TIDB),
        ("谁发明了电话？", TIDB),
    ],
)
def test_a_question_about_something_else_is_not(question: str, hits: list[Hit]) -> None:
    assert score(question, hits) < THRESHOLD


def test_no_hits_no_answer() -> None:
    assert score("What is TiDB?", []) == 0


def test_passages_in_another_language_are_no_reason_to_refuse() -> None:
    assert score("美国有多少残疾人？", CENSUS) >= THRESHOLD
    assert score("What size does a Region have by default?", TIDB) >= THRESHOLD
    named, unnamed = score("Krizhevsky 用了什么？", CENSUS), score("美国有多少残疾人？", CENSUS)
    assert named < unnamed


def test_a_question_for_a_picture_is_lenient_only_when_pictures_were_found() -> None:
    picture = ImageChunk("i", "d", 9, "0" * 64, "image/png", 4, 3, (ImageEntry("label", "banana"),))
    found = [Hit(picture, DocumentRef("d", "p.png", "image/png", "default"), 1.0, {"entries": 1}), *CENSUS]
    question = "Find the picture of a telephone whose handset is a banana."
    assert score(question, found) >= THRESHOLD
    assert score(question, CENSUS) < score(question, found)


@settings(deadline=None)
@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=80), max_size=6))
def test_scores_and_shares_stay_in_their_bounds(question: str, texts: list[str]) -> None:
    hits = [hit(place + 1, text) for place, text in enumerate(texts)]
    seen = evidence(question, hits)
    for share in (seen.best_passage, seen.best_sentences, seen.together, seen.pairs, seen.names, seen.agreement):
        assert 0 <= share <= 1 + 1e-9
    assert 0 <= score(question, hits) <= 1
    # More words cannot be found in two sentences than in the passage, nor in one passage than in all.
    assert seen.best_sentences <= seen.best_passage + 1e-9
    assert seen.best_passage <= seen.together + 1e-9


def test_likeness_by_hand() -> None:
    found = {"dense": [("a", 0.9), ("b", 0.7), ("c", 0.5)], "entries": [("p", 0.8)], "lexical": [("a", 12.0)]}
    assert likeness(found) == Likeness(0.9, pytest.approx(0.9 - 2.0 / 3))
    assert likeness({"dense": [("a", 0.4)]}) == Likeness(0.4, 0.0)
    assert likeness({"dense": [], "lexical": [("a", 12.0)]}) is None


def test_vectors_tell_of_passages_in_another_language() -> None:
    question = "美国有多少残疾人？"
    near, far = Likeness(0.6, 0.15), Likeness(0.1, 0.01)
    assert score(question, CENSUS, near, "multilingual-e5-small") > 0.8
    assert score(question, CENSUS, far, "multilingual-e5-small") < THRESHOLD


def test_an_encoder_that_nothing_was_fitted_for_is_not_read() -> None:
    question = "How many people in the United States had a disability in 2010?"
    assert score(question, CENSUS, Likeness(0.0, 0.0), "another") == score(question, CENSUS)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_more_likeness_is_never_less_evidence(first: float, second: float, lead: float) -> None:
    low, high = sorted((first, second))
    encoder = "multilingual-e5-small"
    for question, hits in (
        ("How many people had a disability?", CENSUS),
        ("Region 默认多大？", TIDB),
        ("多少人？", CENSUS),
    ):
        assert score(question, hits, Likeness(low, lead), encoder) <= score(
            question, hits, Likeness(high, lead), encoder
        )
