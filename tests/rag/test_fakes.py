from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.fakes import FakeReranker, HashingTextEncoder


def test_shared_words_are_near_in_either_language() -> None:
    encoder = HashingTextEncoder()
    passages = encoder.encode_passages(["Backups run every night.", "向量数据库存储向量。", "The museum is closed."])
    scores = encoder.encode_queries(["When do backups run?", "什么是向量数据库？"]) @ passages.T
    assert scores.argmax(axis=1).tolist() == [0, 1]


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=5))
def test_overlap_is_a_share(question: str, texts: list[str]) -> None:
    scores = FakeReranker().score(question, texts)
    assert len(scores) == len(texts)
    assert all(0 <= score <= 1 for score in scores)


def test_a_text_with_all_words_scores_one() -> None:
    assert FakeReranker().score("night backups", ["backups run at night", "backups", "cats"]) == [1.0, 0.5, 0.0]
