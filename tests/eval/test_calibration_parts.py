from __future__ import annotations

from itertools import pairwise
from math import comb, exp, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from eval.calibration.bounds import (
    clopper_pearson,
    clopper_pearson_lower,
    clopper_pearson_upper,
    needed_without_a_mistake,
)
from eval.calibration.probability import Isotonic, fit_isotonic, fit_platt
from eval.calibration.selection import least_answers, surest, threshold_for_coverage, threshold_for_risk
from eval.sides import group_split, too_few_groups

SHARES = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
DELTAS = st.sampled_from([0.001, 0.025, 0.05, 0.3])
SCORES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.30001, 0.7, 1.0]), st.booleans()), min_size=1)


@given(SHARES, DELTAS)
@settings(deadline=None)
def test_clopper_pearson_equals_the_beta_quantile(share: tuple[int, int], delta: float) -> None:
    wrong, answered = share
    upper = stats.beta.ppf(1 - delta, wrong + 1, answered - wrong) if wrong < answered else 1.0
    lower = stats.beta.ppf(delta, wrong, answered - wrong + 1) if wrong else 0.0
    assert clopper_pearson_upper(wrong, answered, delta) == pytest.approx(upper, abs=1e-9)
    assert clopper_pearson_lower(wrong, answered, delta) == pytest.approx(lower, abs=1e-9)
    low, high = clopper_pearson(wrong, answered)
    assert low <= (wrong / answered if answered else 0.5) <= high


def test_bounds_by_hand() -> None:
    # None wrong of 10: (1 − p)^10 = δ.
    assert clopper_pearson_upper(0, 10, 0.05) == pytest.approx(1 - 0.05 ** (1 / 10))
    # One wrong of 3: (1 − p)³ + 3p(1 − p)² = .05.
    p = clopper_pearson_upper(1, 3, 0.05)
    assert sum(comb(3, k) * p**k * (1 - p) ** (3 - k) for k in (0, 1)) == pytest.approx(0.05)
    assert clopper_pearson_upper(0, 0, 0.05) == 1.0
    assert needed_without_a_mistake(0.1, 0.05) == 29
    assert clopper_pearson_upper(0, 29, 0.05) <= 0.1 < clopper_pearson_upper(0, 28, 0.05)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson_upper(3, 2, 0.05)
    with pytest.raises(ValueError, match="δ"):
        clopper_pearson_upper(1, 2, 0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold_for_risk([1.0], [False], 0.0, 0.05)


def test_threshold_for_risk_by_hand() -> None:
    # 60 right at .9, 60 right and 2 wrong at .5, 40 wrong at .1. Three starts: each bound at a third of δ.
    scores = [0.9] * 60 + [0.5] * 62 + [0.1] * 40
    wrong = [False] * 120 + [True] * 2 + [True] * 40
    choice = threshold_for_risk(scores, wrong, 0.1, 0.15)
    assert choice is not None
    assert (choice.threshold, choice.answered, choice.wrong) == (0.5, 122, 2)
    assert choice.risk == pytest.approx(2 / 122)
    assert choice.bound == pytest.approx(clopper_pearson_upper(2, 122, 0.05))
    # The observed risk at .5 is .016, its bound .0507: only the bound keeps a promise of .05 from being made there. With 60 answers
    # and no mistake the bound is .0487.
    strict = threshold_for_risk(scores, wrong, 0.05, 0.15)
    assert strict is not None
    assert (strict.threshold, strict.bound) == (0.9, pytest.approx(1 - 0.05 ** (1 / 60)))
    assert threshold_for_risk(scores, wrong, 0.045, 0.15) is None
    assert least_answers(0.05, 0.15) == 59
    assert surest(scores, wrong, 0.15) == strict
    assert threshold_for_risk([-inf, -inf], [True, True], 0.5, 0.05) is None
    assert surest([-inf, -inf], [True, True], 0.05) is None


def test_mistakes_among_the_surest_do_not_end_the_search() -> None:
    scores, wrong = [0.9] * 30 + [0.5] * 170 + [0.1] * 100, [True] * 10 + [False] * 190 + [True] * 100
    choice = threshold_for_risk(scores, wrong, 0.12, 0.05)
    assert choice is not None
    assert choice.threshold == 0.5


def test_threshold_for_coverage_by_hand() -> None:
    scores, wrong = [0.9, 0.7, 0.7, 0.2, -inf], [False, True, False, True, True]
    choice = threshold_for_coverage(scores, wrong, 0.4, 0.05)
    assert choice is not None
    assert (choice.threshold, choice.coverage, choice.risk) == (0.7, 0.6, pytest.approx(1 / 3))
    assert threshold_for_coverage(scores, wrong, 0.8, 0.05) is not None
    assert threshold_for_coverage(scores, wrong, 1.0, 0.05) is None


@given(SCORES, st.sampled_from([0.05, 0.2, 0.5, 0.9]))
@settings(deadline=None)
def test_a_chosen_threshold_keeps_its_word_on_its_own_questions(cases: list[tuple[float, bool]], risk: float) -> None:
    scores, wrong = [score for score, _ in cases], [bad for _, bad in cases]
    choice = threshold_for_risk(scores, wrong, risk, 0.1)
    if choice is not None:
        kept = [bad for score, bad in cases if score >= choice.threshold]
        assert (choice.answered, choice.wrong) == (len(kept), sum(kept))
        assert choice.risk <= choice.bound <= risk


def test_the_promise_holds_on_new_questions() -> None:
    """Over 150 draws of 300 questions, the true risk at the chosen threshold passes the one asked for in at most δ of them; the
    threshold that only looks at the observed risk breaks its promise far more often."""
    random = np.random.default_rng(7)
    risk, delta, broken, naive_broken, chosen = 0.2, 0.1, 0, 0, 0

    def true_risk(threshold: float) -> float:
        # Scores are uniform, and right with probability .4 + .6 · score.
        return 0.6 - 0.6 * (threshold + 1) / 2

    for _ in range(150):
        scores = random.random(300)
        wrong = random.random(300) > 0.4 + 0.6 * scores
        choice = threshold_for_risk(scores.tolist(), wrong.tolist(), risk, delta)
        if choice is not None:
            chosen += 1
            broken += true_risk(choice.threshold) > risk
        order = np.argsort(-scores)
        running = np.cumsum(wrong[order]) / np.arange(1, 301)
        if (running <= risk).any():
            naive_broken += true_risk(scores[order][np.flatnonzero(running <= risk)[-1]]) > risk
    assert chosen > 100
    assert broken <= delta * 150
    assert naive_broken > 45


@given(SCORES)
@settings(deadline=None)
def test_platt_is_the_best_sigmoid(cases: list[tuple[float, bool]]) -> None:
    scores, right = np.array([score for score, _ in cases]), np.array([good for _, good in cases])
    targets = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))

    def loss(weights: np.ndarray) -> float:
        logits = weights[0] * scores + weights[1]
        return float((np.logaddexp(0, logits) - targets * logits).sum())

    fitted = fit_platt(scores.tolist(), right.tolist())
    theirs = optimize.minimize(loss, np.zeros(2), method="BFGS")
    assert loss(np.array([fitted.slope, fitted.intercept])) <= theirs.fun + 1e-6
    if abs(fitted.slope) < 100:
        assert fitted([0.5]) == pytest.approx([1 / (1 + exp(-(0.5 * fitted.slope + fitted.intercept)))])


def test_platt_stays_finite_where_the_score_separates() -> None:
    fitted = fit_platt([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert np.isfinite([fitted.slope, fitted.intercept]).all()
    assert fitted.slope > 0
    low, high = fitted([0.1, 0.9])
    assert 0.1 < low < 0.5 < high < 0.9
    assert fit_platt([0.5, 0.5], [True, False])([0.5]) == pytest.approx([0.5])
    with pytest.raises(ValueError, match="finite"):
        fit_platt([-inf, 0.5], [True, False])


@given(SCORES)
@settings(deadline=None)
def test_isotonic_equals_scipy(cases: list[tuple[float, bool]]) -> None:
    scores, right = [score for score, _ in cases], [good for _, good in cases]
    different, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    shares = np.bincount(place, weights=np.array(right, dtype=float)) / counts
    theirs = optimize.isotonic_regression(shares, weights=counts.astype(float)).x
    fitted = fit_isotonic(scores, right)
    assert fitted(different.tolist()) == pytest.approx(theirs.tolist(), abs=1e-9)
    values = fitted(np.linspace(-1, 2, 50).tolist())
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(values))
    assert 0 <= min(values) <= max(values) <= 1


def test_isotonic_by_hand() -> None:
    # .2 (wrong) and .3 (right), .4 (wrong): the last two pool to one half.
    assert fit_isotonic([0.2, 0.3, 0.4], [False, True, False]) == Isotonic(((0.2, 0.0), (0.3, 0.5), (0.4, 0.5)))
    assert fit_isotonic([0.2, 0.4], [False, True])([0.0, 0.3, 9.0]) == pytest.approx([0.0, 0.5, 1.0])


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.sampled_from("abcdefgh"), min_size=1),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.integers(0, 5),
)
def test_a_group_is_on_one_side_only(groups: dict[str, str], share: float, seed: int) -> None:
    train, test = group_split(groups, share, seed)
    assert sorted(train + test) == sorted(groups)
    assert {groups[id_] for id_ in train}.isdisjoint(groups[id_] for id_ in test)
    assert group_split(dict(reversed(groups.items())), share, seed)[0] == [i for i in reversed(groups) if i in train]
    largest = max(list(groups.values()).count(group) for group in groups.values())
    assert abs(len(train) - share * len(groups)) <= largest


def test_seed_changes_the_split_and_one_group_is_none() -> None:
    groups = {str(n): n // 2 for n in range(100)}
    assert group_split(groups, 0.5, 1) != group_split(groups, 0.5, 2)
    assert not too_few_groups(groups)
    assert too_few_groups({"1": "a", "2": "a", "3": "b"})
    with pytest.raises(ValueError, match="between 0 and 1"):
        group_split(groups, 1.0)
