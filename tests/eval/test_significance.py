from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.significance import bootstrap_interval, holm, randomisation_test

DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, -0.1, 0.0, 0.1, 0.2, 0.3, 1.0]), min_size=1, max_size=9)


@given(DIFFERENCES)
@settings(deadline=None)
def test_exact_p_by_counting_every_swap(differences: list[float]) -> None:
    observed = abs(sum(differences))
    swaps = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    expected = sum(total >= observed - 1e-9 for total in swaps) / len(swaps)
    assert randomisation_test(differences) == pytest.approx(expected)


def test_sampled_p_is_near_the_exact_one() -> None:
    values = [0.3, -0.1, 0.2, 0.25, -0.05, 0.1, 0.4, -0.3, 0.15, 0.05, 0.12, -0.02]
    exact = randomisation_test(values, resamples=5_000)
    sampled = randomisation_test(values, resamples=4_000)
    assert sampled != exact
    assert sampled == pytest.approx(exact, abs=0.03)


def test_p_has_the_right_rate_of_false_alarms() -> None:
    random = np.random.default_rng(7)
    p_values = [randomisation_test(list(random.normal(size=30)), resamples=400, seed=n) for n in range(300)]
    assert 0.02 <= np.mean([p <= 0.05 for p in p_values]) <= 0.09


def test_p_is_never_zero_and_one_for_no_difference() -> None:
    assert randomisation_test([0.5] * 40, resamples=200) == pytest.approx(1 / 201)
    assert randomisation_test([0.0] * 40) == 1.0


def test_bootstrap_interval_is_that_of_the_normal_for_many_questions() -> None:
    values = np.random.default_rng(1).normal(0.1, 0.4, size=2_000)
    low, high = bootstrap_interval(list(values), resamples=4_000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.003)
    assert high == pytest.approx(values.mean() + half, abs=0.003)


@given(DIFFERENCES)
@settings(deadline=None, max_examples=30)
def test_bootstrap_interval_lies_within_the_values(differences: list[float]) -> None:
    low, high = bootstrap_interval(differences, resamples=500)
    assert min(differences) - 1e-12 <= low <= high <= max(differences) + 1e-12
    assert (low, high) == bootstrap_interval(differences, resamples=500)


def test_no_questions_is_no_figure() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([])


def test_holm_by_hand() -> None:
    # ordered: .01·4, .02·3, .03·2 -> .06 (not below its predecessor), .5·1
    assert holm({"a": 0.02, "b": 0.5, "c": 0.01, "d": 0.03}) == pytest.approx(
        {"a": 0.06, "b": 0.5, "c": 0.04, "d": 0.06}
    )


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    for name, value in p_values.items():
        assert min(1.0, value) <= adjusted[name] <= 1.0
    ordered = sorted(p_values, key=lambda name: p_values[name])
    assert [adjusted[name] for name in ordered] == sorted(adjusted.values())
