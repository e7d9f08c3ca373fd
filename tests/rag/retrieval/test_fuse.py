import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.retrieval.fuse import reciprocal_rank_fusion

ids = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=10)
rankings = st.dictionaries(st.sampled_from(["dense", "lexical", "entries"]), ids, max_size=3)


def test_by_hand() -> None:
    fused = reciprocal_rank_fusion({"dense": ["a", "b"], "lexical": ["b", "c"]}, k=60)
    assert [(f.chunk_id, f.score) for f in fused] == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]
    assert fused[0].ranks == {"dense": 2, "lexical": 1}


def test_weights() -> None:
    given_ = {"dense": ["a"], "lexical": ["b"], "entries": ["c"]}
    fused = reciprocal_rank_fusion(given_, k=1, weights={"lexical": 3.0, "entries": 0.0})
    assert [(f.chunk_id, f.score) for f in fused] == [("b", 1.5), ("a", 0.5)]


@example({"dense": list("bji"), "lexical": list("acbdefghji"), "entries": list("iacdefghjb")})
@given(rankings)
def test_the_order_of_retrievers_does_not_matter(found: dict[str, list[str]]) -> None:
    backwards = dict(reversed(found.items()))
    first = reciprocal_rank_fusion(found)
    second = reciprocal_rank_fusion(backwards)
    assert [f.chunk_id for f in first] == [f.chunk_id for f in second]
    assert [f.score for f in first] == pytest.approx([f.score for f in second])


@given(rankings)
def test_everything_found_is_there_once(found: dict[str, list[str]]) -> None:
    fused = [f.chunk_id for f in reciprocal_rank_fusion(found)]
    assert sorted(fused) == sorted({id_ for ranking in found.values() for id_ in ranking})


@given(rankings, st.sampled_from("abcdefghij"))
def test_being_found_by_one_more_never_lowers_the_score(found: dict[str, list[str]], chunk_id: str) -> None:
    before = {f.chunk_id: f.score for f in reciprocal_rank_fusion(found)}
    after = {f.chunk_id: f.score for f in reciprocal_rank_fusion({**found, "new": [chunk_id]})}
    assert after[chunk_id] > before.get(chunk_id, 0.0)
