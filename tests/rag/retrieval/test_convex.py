import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.convex import convex_combination

scores = st.floats(0, 30, allow_nan=False).map(lambda value: round(value, 3))
ranking = st.dictionaries(st.sampled_from("abcdefghij"), scores, max_size=10).map(
    lambda found: sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
)
rankings = st.dictionaries(st.sampled_from(["dense", "lexical", "entries", "pixels"]), ranking, max_size=4)


def test_by_hand() -> None:
    fused = convex_combination({"dense": [("a", 0.9), ("b", 0.8), ("c", 0.7)], "lexical": [("b", 8.0), ("d", 2.0)]})
    # Meaning: a 1, b 0.5, c 0. Words: b 1, d 0.25.
    assert [(f.chunk_id, round(f.score, 6)) for f in fused] == [("b", 0.75), ("a", 0.5), ("d", 0.125), ("c", 0.0)]
    assert fused[0].ranks == {"dense": 2, "lexical": 1}


def test_the_scale_of_words_begins_at_the_depth() -> None:
    found = {"lexical": [("a", 8.0), ("b", 6.0), ("c", 4.0), ("d", 2.0)]}
    assert [f.score for f in convex_combination(found, depth=3)] == [1.0, 0.5, 0.0, 0.0]
    assert [f.score for f in convex_combination(found, depth=5)] == [1.0, 0.75, 0.5, 0.25]


def test_weights_count_by_family() -> None:
    found = {"dense": [("a", 0.9), ("b", 0.7)], "lexical": [("b", 5.0)], "entries": [("p", 0.9)]}
    fused = {f.chunk_id: f.score for f in convex_combination(found, weights={"dense": 3.0, "entries": 1.5})}
    assert fused == {"a": pytest.approx(3 / 4), "b": pytest.approx(1 / 4), "p": pytest.approx(1.5 / 4)}


def test_the_best_of_unfit_pictures_is_no_good_picture() -> None:
    found = {"dense": [("a", 0.9), ("b", 0.8)], "entries": [("p", 0.7), ("q", 0.6)]}
    assert {f.chunk_id: f.score for f in convex_combination(found)}["p"] == 0


def test_a_passage_in_another_language_is_not_measured_by_words() -> None:
    found = {"dense": [("zh", 0.9), ("en", 0.8), ("x", 0.7)], "lexical": [("en", 9.0), ("zh", 0.9)]}
    alone = {f.chunk_id: f.score for f in convex_combination(found)}
    helped = {f.chunk_id: f.score for f in convex_combination(found, foreign=["zh"])}
    assert alone["zh"] == pytest.approx(0.55)
    assert helped["zh"] == pytest.approx(1.0)
    assert helped["en"] == alone["en"]


def test_nothing_found_is_nothing() -> None:
    assert convex_combination({"dense": [], "lexical": []}) == []
    assert convex_combination({}) == []


@given(rankings)
def test_scores_lie_between_0_and_1_and_everything_is_there_once(found: dict[str, list[tuple[str, float]]]) -> None:
    fused = convex_combination(found)
    assert all(0 <= f.score <= 1 for f in fused)
    assert sorted(f.chunk_id for f in fused) == sorted({id_ for pairs in found.values() for id_, _ in pairs})
    assert [f.score for f in fused] == sorted((f.score for f in fused), reverse=True)


@given(rankings, st.integers(1, 10))
def test_the_order_of_retrievers_does_not_matter(found: dict[str, list[tuple[str, float]]], depth: int) -> None:
    first = convex_combination(found, depth=depth)
    second = convex_combination(dict(reversed(found.items())), depth=depth)
    assert [(f.chunk_id, f.score) for f in first] == [(f.chunk_id, f.score) for f in second]


@given(ranking, st.floats(0.1, 9), st.floats(-5, 5))
def test_dense_scores_may_be_moved_and_stretched(found: list[tuple[str, float]], factor: float, shift: float) -> None:
    moved = [(id_, score * factor + shift) for id_, score in found]
    first = {f.chunk_id: f.score for f in convex_combination({"dense": found})}
    second = {f.chunk_id: f.score for f in convex_combination({"dense": moved})}
    assert first == pytest.approx(second, abs=1e-6)
