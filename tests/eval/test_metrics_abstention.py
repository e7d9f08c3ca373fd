from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.abstention import (
    abstention_auroc,
    abstention_f1,
    abstention_precision,
    abstention_recall,
    credit,
)
from eval.metrics.brier import brier
from eval.metrics.calibration_error import calibration_error, reliability
from eval.metrics.risk_coverage import Point, aurc, e_aurc, risk_coverage_curve

CASES = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.2, 0.5, 0.9]), st.sampled_from([0.0, 1.0])), min_size=1)


def test_the_convention_for_unanswerable_questions() -> None:
    assert credit(0.7, answerable=True, abstained=False) == 0.7
    assert credit(0.7, answerable=True, abstained=True) == 0.0
    assert credit(0.7, answerable=False, abstained=False) == 0.0
    assert credit(0.0, answerable=False, abstained=True) == 1.0


def test_abstention_by_hand() -> None:
    abstained = [True, True, True, False, False, False]
    answerable = [False, False, True, False, True, True]
    assert abstention_precision(abstained, answerable) == pytest.approx(2 / 3)
    assert abstention_recall(abstained, answerable) == pytest.approx(2 / 3)
    assert abstention_f1(abstained, answerable) == pytest.approx(2 / 3)
    assert abstention_auroc([0.9, 0.1, 0.5], [True, False, False]) == 1.0
    assert abstention_precision([False], [False]) is None
    assert abstention_recall([True], [True]) is None
    assert abstention_f1([False], [True]) is None
    assert abstention_f1([False], [False]) == 0.0


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_f1_is_the_harmonic_mean(cases: list[tuple[bool, bool]]) -> None:
    abstained, answerable = [one for one, _ in cases], [two for _, two in cases]
    precise, complete = abstention_precision(abstained, answerable), abstention_recall(abstained, answerable)
    if precise and complete:
        assert abstention_f1(abstained, answerable) == pytest.approx(2 * precise * complete / (precise + complete))


def test_risk_and_coverage_by_hand() -> None:
    # Sorted: .9 right, .7 wrong, .5 right and .5 right (a tie), .1 wrong.
    scores, losses = [0.5, 0.9, 0.1, 0.7, 0.5], [0, 0, 1, 1, 0]
    assert risk_coverage_curve(scores, losses) == [
        Point(0.9, 0.2, 0.0),
        Point(0.7, 0.4, 0.5),
        Point(0.5, 0.8, 0.25),
        Point(0.1, 1.0, 0.4),
    ]
    assert aurc(scores, losses) == pytest.approx((0 + 0.5 + 0.25 + 0.25 + 0.4) / 5)
    # Best: the three right ones first, then risks 1/4 and 2/5.
    assert e_aurc(scores, losses) == pytest.approx((0.5 + 0.5 + 0.4) / 5 - (0.25 + 0.4) / 5)
    with pytest.raises(ValueError, match="one loss for each score"):
        aurc([], [])


@given(CASES)
def test_the_curve_against_its_definition(cases: list[tuple[float, float]]) -> None:
    scores, losses = [score for score, _ in cases], [loss for _, loss in cases]

    def risk(threshold: float) -> float:
        kept = [loss for score, loss in cases if score >= threshold]
        return sum(kept) / len(kept)

    for point in risk_coverage_curve(scores, losses):
        assert point.risk == pytest.approx(risk(point.threshold))
        assert point.coverage == pytest.approx(sum(score >= point.threshold for score in scores) / len(scores))
    assert aurc(scores, losses) == pytest.approx(sum(map(risk, scores)) / len(scores), abs=1e-9)
    assert 0 <= e_aurc(scores, losses) <= aurc(scores, losses) + 1e-12
    assert e_aurc([-loss for loss in losses], losses) <= aurc([-loss for loss in losses], losses)


def test_the_best_order_has_no_excess() -> None:
    assert e_aurc([5, 4, 3, 2, 1], [0, 0, 0, 1, 1]) == pytest.approx(0.0)
    assert e_aurc([1, 2, 3, 4, 5], [0, 0, 0, 1, 1]) > 0.4
    # A question that is never answered has a score of minus infinity: it counts when everything is.
    assert risk_coverage_curve([1.0, float("-inf")], [0, 1])[0] == Point(1.0, 0.5, 0.0)


def test_brier_and_calibration_error_by_hand() -> None:
    assert brier([1.0, 0.5, 0.25], [True, True, False]) == pytest.approx((0 + 0.25 + 0.0625) / 3)
    # Bin .2 to .3: two cases, stated .25, observed .5; bin .9 to 1: one case, stated 1, observed 1.
    assert calibration_error([0.2, 0.299999, 1.0], [True, False, True]) == pytest.approx(
        2 / 3 * abs(0.5 - 0.2499995), abs=1e-9
    )
    assert [bar.count for bar in reliability([0.2, 0.299999, 1.0], [True, False, True])] == [2, 1]
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        calibration_error([1.5], [True])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(1, 20))
def test_calibration_error_is_bounded_and_bins_hold_every_case(cases: list[tuple[float, bool]], bins: int) -> None:
    given_, seen = [p for p, _ in cases], [y for _, y in cases]
    assert 0 <= calibration_error(given_, seen, bins) <= 1
    assert sum(bar.count for bar in reliability(given_, seen, bins)) == len(cases)
    assert calibration_error(given_, seen, 1) == pytest.approx(abs(sum(given_) - sum(seen)) / len(cases), abs=1e-9)
