import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.pool_entries import pool_entries

SCORES = st.lists(st.floats(-1, 1), min_size=1, max_size=6)
PICTURES = st.dictionaries(st.sampled_from("pqrst"), SCORES, min_size=1)


def ranked(pictures: dict[str, list[float]]) -> list[tuple[str, float]]:
    entries = [(f"{id_}#{n}", score) for id_, scores in pictures.items() for n, score in enumerate(scores)]
    return sorted(entries, key=lambda pair: -pair[1])


def test_nothing_found_is_nothing_pooled() -> None:
    assert pool_entries([]) == []


def test_a_sum_worked_out_by_hand() -> None:
    # With τ = .1: p has 1 + e^-2 = 1.1353, q has e^-1 + e^-1 = 0.7358; q is behind by .1 · ln(1.1353 / 0.7358) = .0434.
    found = pool_entries([("p#1", 0.9), ("q#0", 0.8), ("q#1", 0.8), ("p#0", 0.7)], temperature=0.1)
    assert [id_ for id_, _ in found] == ["p", "q"]
    assert found[0][1] == pytest.approx(0.9)
    assert found[1][1] == pytest.approx(0.9 - 0.1 * math.log((1 + math.exp(-2)) / (2 * math.exp(-1))))


def test_of_pictures_with_the_same_best_entry_the_one_that_fits_otherwise_too_comes_first() -> None:
    assert [id_ for id_, _ in pool_entries([("p#0", 0.6), ("q#0", 0.6), ("q#1", 0.55), ("p#1", 0.1)])] == ["q", "p"]


def test_several_entries_that_hardly_fit_do_not_outweigh_one_that_does() -> None:
    assert pool_entries([("p#0", 0.6), *((f"q#{n}", 0.5) for n in range(6))])[0][0] == "p"


def test_what_was_written_of_a_picture_counts_before_what_was_seen_on_another() -> None:
    ranking = [("p#1", 0.62), ("q#0", 0.6)]
    assert pool_entries(ranking)[0][0] == "p"
    found = pool_entries(ranking, seen={"p#1"})
    # The label is taken for .62 - .05 = .57; the name's .6 becomes the scale's .62, and the label stays .03 behind it.
    assert [id_ for id_, _ in found] == ["q", "p"]
    assert [score for _, score in found] == pytest.approx([0.62, 0.59])


def test_where_all_was_seen_nothing_changes() -> None:
    ranking = [("p#1", 0.62), ("q#0", 0.6), ("q#1", 0.4)]
    both = pool_entries(ranking, seen=dict(ranking)), pool_entries(ranking)
    assert [id_ for id_, _ in both[0]] == [id_ for id_, _ in both[1]]
    assert [score for _, score in both[0]] == pytest.approx([score for _, score in both[1]])


@given(PICTURES)
def test_the_scale_stays_that_of_the_entries(pictures: dict[str, list[float]]) -> None:
    found = pool_entries(ranked(pictures))
    best = max(max(scores) for scores in pictures.values())
    assert {id_ for id_, _ in found} == set(pictures)
    assert found[0][1] == pytest.approx(best)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@given(PICTURES)
def test_a_low_temperature_leaves_the_best_entry_alone(pictures: dict[str, list[float]]) -> None:
    # Six entries add at most τ · ln 6.
    for id_, score in pool_entries(ranked(pictures), temperature=0.003):
        assert score == pytest.approx(max(pictures[id_]), abs=0.006)


@given(PICTURES)
def test_an_entry_more_never_lowers_a_picture_among_others(pictures: dict[str, list[float]]) -> None:
    more = pictures | {"p": [*pictures.get("p", []), 0.0], "z": [0.2]}
    less = more | {"p": pictures["p"]} if "p" in pictures else {k: v for k, v in more.items() if k != "p"}

    def behind(found: dict[str, float]) -> float:
        return found.get("p", -math.inf) - found["z"]

    assert behind(dict(pool_entries(ranked(more)))) >= behind(dict(pool_entries(ranked(less)))) - 1e-9
