import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Hit
from rag.documents import Chunk, DocumentRef
from rag.retrieval.diversify import diversify
from rag.retrieval.fuse import Fused
from rag.retrieval.regularise import regularise


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    matrix = np.array(rows, dtype=np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def fused(**scores: float) -> list[Fused]:
    return sorted((Fused(id_, score, {}) for id_, score in scores.items()), key=lambda f: (-f.score, f.chunk_id))


def test_by_hand_with_one_neighbour() -> None:
    # a and b are alike, c stands alone: with λ = 0.5 a and b share their scores, c keeps its own.
    made = regularise(
        fused(a=1.0, c=0.8, b=0.6), ["a", "b", "c"], unit((1, 0, 0), (1, 0, 0), (0, 1, 0)), weight=0.5, neighbours=1
    )
    assert [(f.chunk_id, round(f.score, 6)) for f in made] == [("a", 0.8), ("b", 0.8), ("c", 0.8)]


def test_a_picture_changes_as_the_passage_before_it() -> None:
    vectors = unit((1, 0), (1, 0.1), (1, 0.2))
    made = regularise(fused(a=1.0, p=0.9, b=0.5, c=0.2), ["a", "b", "c"], vectors, weight=0.5)
    scores = {f.chunk_id: f.score for f in made}
    assert scores["p"] == pytest.approx(0.9 * scores["a"])


def test_what_takes_no_part_stays_behind() -> None:
    vectors = unit((1, 0), (1, 0.1), (1, 0.2))
    made = regularise(fused(a=1.0, b=0.9, c=0.8, z=0.7), ["a", "b", "c"], vectors, weight=1.0)
    assert made[-1].chunk_id == "z"


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1), min_size=1), st.floats(0, 1), st.integers(0, 99))
def test_nothing_is_lost_and_scores_stay_in_range(scores: dict[str, float], weight: float, seed: int) -> None:
    vectors = unit(*np.random.default_rng(seed).normal(size=(len(scores), 4)))
    candidates = fused(**scores)
    made = regularise(candidates, list(scores), vectors, weight=weight)
    assert sorted(f.chunk_id for f in made) == sorted(scores)
    low, high = min(scores.values()), max(scores.values())
    assert all(low - 1e-9 <= f.score <= high + 1e-9 for f in made)
    assert [f.score for f in made] == sorted((f.score for f in made), reverse=True)


def hits(**scores: float) -> list[Hit]:
    ref = DocumentRef("d", "d", "text/plain", "default")
    return [Hit(Chunk(id_, "d", n, "text", id_), ref, score) for n, (id_, score) in enumerate(scores.items())]


def test_the_twin_of_the_best_gives_way() -> None:
    vectors = unit((1, 0), (1, 0.01), (0, 1))
    found = hits(best=1.0, twin=0.95, other=0.6)
    made = diversify(found, ["best", "twin", "other"], vectors, relevance=0.5, first=2)
    assert [hit.chunk.id for hit in made] == ["best", "other", "twin"]
    assert diversify(found, ["best", "twin", "other"], vectors, relevance=1.0, first=2) == found


@given(st.integers(1, 8), st.floats(0, 1), st.integers(1, 9), st.integers(0, 99))
def test_the_best_stays_first_and_nothing_is_lost(count: int, relevance: float, first: int, seed: int) -> None:
    found = hits(**{f"h{n}": 1 - n / 10 for n in range(count)})
    ids = [hit.chunk.id for hit in found][::2]
    vectors = unit(*np.random.default_rng(seed).normal(size=(len(ids), 3)))
    made = diversify(found, ids, vectors, relevance=relevance, first=first)
    assert made[0] == found[0]
    assert sorted(hit.chunk.id for hit in made) == sorted(hit.chunk.id for hit in found)
