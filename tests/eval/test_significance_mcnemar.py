"""McNemar's test and effect sizes, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.significance import bootstrap_interval, cohen_dz, mcnemar, randomisation_test

COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))


def sides(better: int, worse: int, same: int = 0) -> tuple[list[bool], list[bool]]:
    return [False] * better + [True] * worse + [True] * same, [True] * better + [False] * worse + [True] * same


def test_mcnemar_by_hand() -> None:
    # 6 of 7 changed for the better: both tails have 1 + 7 of 128 outcomes.
    found = mcnemar(*sides(6, 1, 40))
    assert (found.better, found.worse, found.odds_ratio) == (6, 1, 6.0)
    assert found.p_exact == pytest.approx(2 * 8 / 128)
    # Half of the observed outcome (7 of 128) counts.
    assert found.p_mid == pytest.approx(2 * (1 + 3.5) / 128)


def test_mcnemar_where_nothing_or_everything_changed_one_way() -> None:
    none = mcnemar(*sides(0, 0, 9))
    assert (none.p_exact, none.p_mid, none.odds_ratio, none.interval) == (1.0, 1.0, None, (0.0, None))
    all_better = mcnemar(*sides(5, 0))
    assert all_better.p_exact == pytest.approx(2 / 32)
    assert all_better.odds_ratio is None
    # All of five: the share's lower end is .025^(1/5) = .4782, as odds .9165.
    assert all_better.interval == (pytest.approx(0.4782 / 0.5218, abs=1e-3), None)
    assert mcnemar(*sides(4, 4)).p_mid == pytest.approx(1.0)


@given(COUNTS)
@settings(deadline=None, max_examples=60)
def test_mcnemar_equals_scipy(counts: tuple[int, int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    better, worse, same = counts
    found = mcnemar(*sides(better, worse, same))
    if better + worse == 0:
        return
    test = stats.binomtest(better, better + worse)
    assert found.p_exact == pytest.approx(test.pvalue, rel=1e-9)
    least = min(better, worse)
    distribution = stats.binom(better + worse, 0.5)
    assert found.p_mid == pytest.approx(
        min(1.0, 2 * (distribution.cdf(least - 1) + distribution.pmf(least) / 2)), rel=1e-9
    )
    share = test.proportion_ci(0.95, method="exact")
    assert found.interval[0] == pytest.approx(share.low / (1 - share.low), rel=1e-6)
    if worse:
        assert found.interval[1] == pytest.approx(share.high / (1 - share.high), rel=1e-6)
    # Seen from the other side it is the same test.
    other = mcnemar(*reversed(sides(better, worse, same)))
    assert (other.p_exact, other.p_mid) == pytest.approx((found.p_exact, found.p_mid))


def test_effect_size_by_hand_and_against_scipy() -> None:
    # Mean 0.2; squares of the deviations .01 + .01 + 0, over 2: deviation .1.
    assert cohen_dz([0.1, 0.3, 0.2]) == pytest.approx(2.0)
    assert cohen_dz([0.1, 0.1]) is None
    assert cohen_dz([0.4]) is None
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(3).normal(0.1, 0.3, 50)
    # t = d_z · √n
    assert cohen_dz(list(values)) == pytest.approx(stats.ttest_1samp(values, 0).statistic / np.sqrt(50))


def test_randomisation_and_bootstrap_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(5).normal(0.1, 0.3, 12).round(2)
    exact = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert randomisation_test(list(values)) == pytest.approx(exact.pvalue)
    more = np.random.default_rng(6).normal(0.1, 0.3, 80)
    theirs = stats.bootstrap((more,), np.mean, n_resamples=10_000, method="percentile", rng=1).confidence_interval
    assert bootstrap_interval(list(more)) == pytest.approx((theirs.low, theirs.high), abs=0.004)
