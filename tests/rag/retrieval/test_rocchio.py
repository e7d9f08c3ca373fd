"""Pseudo-relevance feedback: the question moves toward what was found first, and scores keep their scale."""

from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.protocols import Vectors
from rag.retrieval.near import Near
from rag.retrieval.rocchio import FIRST, Ranking
from rag.retrieval.rocchio import rocchio as moved_by


def fused(**scores: float) -> Ranking:
    return sorted(scores.items(), key=lambda one: -one[1])


def rocchio(
    question: Vectors,
    ranking: Ranking,
    first: Ranking,
    near: dict[str, Vectors],
    *,
    weight: float,
    depth: int,
    foreign: Collection[str] = (),
) -> Ranking:
    vectors = Near.of(list(near), np.stack(list(near.values())))
    return moved_by(question, ranking, first, vectors, weight=weight, depth=depth, foreign=foreign)


def unit(*values: float) -> Vectors:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_what_resembles_the_first_rises_worked_out_by_hand() -> None:
    question = unit(1, 0, 0)
    near = {"a": unit(0.6, 0.8, 0), "b": unit(0.5, 0, 0.75**0.5), "c": unit(0.4, 0.84**0.5, 0)}
    ranking = [("a", 0.6), ("b", 0.5), ("c", 0.4)]
    moved = rocchio(question, ranking, fused(a=1.0), near, weight=0.5, depth=10)
    # With β = 0.5 and a alone as feedback: a 0.6 + 0.5·1, b 0.5 + 0.5·0.3, c 0.4 + 0.5·(0.24 + 0.8·0.9165).
    plain = {"a": 1.1, "b": 0.65, "c": 0.4 + 0.5 * (0.24 + 0.8 * 0.84**0.5)}
    scaled = {id_: 0.4 + (value - 0.65) / (1.1 - 0.65) * 0.2 for id_, value in plain.items()}
    assert [id_ for id_, _ in moved] == ["a", "c", "b"]
    assert dict(moved) == pytest.approx(scaled, abs=1e-6)


def test_better_passages_pull_more_by_the_square_of_their_scores() -> None:
    near = {"a": unit(0, 1), "b": unit(1, 0), "c": unit(1, 1)}
    ranking = [("c", 0.9), ("a", 0.5), ("b", 0.4)]
    strong = dict(rocchio(unit(1, 1), ranking, fused(a=1.0, b=0.5), near, weight=1.0, depth=3))
    assert strong["a"] > strong["b"]
    even = dict(rocchio(unit(1, 1), ranking, fused(a=1.0, b=1.0), near, weight=1.0, depth=3))
    assert even["a"] == pytest.approx(even["b"], abs=1e-6)


def test_passages_of_another_language_do_not_pull() -> None:
    near = {"a": unit(0, 1), "b": unit(1, 0.1)}
    ranking = [("b", 0.9), ("a", 0.1)]
    assert rocchio(unit(1, 0), ranking, fused(a=1.0, b=0.5), near, weight=5.0, depth=2)[0][0] == "a"
    assert rocchio(unit(1, 0), ranking, fused(a=1.0, b=0.5), near, weight=5.0, depth=2, foreign={"a"})[0][0] == "b"
    assert rocchio(unit(1, 0), ranking, fused(a=1.0, b=0.9), near, weight=5.0, depth=2, foreign={"a", "b"}) == ranking


def test_without_weight_or_anything_to_learn_from_nothing_moves() -> None:
    near, ranking = {"a": unit(0, 1), "b": unit(1, 0)}, [("b", 0.9), ("a", 0.1)]
    assert rocchio(unit(1, 0), ranking, fused(a=1.0), near, weight=0.0, depth=2) == ranking
    assert rocchio(unit(1, 0), ranking, fused(x=1.0), near, weight=1.0, depth=2) == ranking
    assert rocchio(unit(1, 0), ranking[:1], fused(b=1.0), near, weight=1.0, depth=2) == ranking[:1]


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.floats(0.05, 2.0))
def test_scores_stay_on_the_scale_and_nothing_is_lost(seed: int, depth: int, weight: float) -> None:
    random = np.random.default_rng(seed)
    near = {f"p{n:02}": unit(*random.normal(size=5)) for n in range(15)}
    question = unit(*random.normal(size=5))
    ranking = sorted(((id_, float(v @ question)) for id_, v in near.items()), key=lambda pair: -pair[1])
    first = fused(**{id_: float(random.random()) + 0.01 for id_ in list(near)[: FIRST + 3]})
    moved = rocchio(question, ranking, first, near, weight=weight, depth=depth)
    assert sorted(id_ for id_, _ in moved) == sorted(near)
    scores = [score for _, score in moved]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(ranking[0][1])
    assert scores[min(depth, 15) - 1] == pytest.approx(ranking[min(depth, 15) - 1][1])
