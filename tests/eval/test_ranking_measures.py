from __future__ import annotations

from math import log2

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.ranking import DEFAULT, MEASURES, evaluate, mean, parse, score
from rag.errors import BadRequest

# Our name -> trec_eval's. The cut-offs of `map` and the absence of one for MRR are trec_eval's own.
SAME = {
    "ndcg@5": "ndcg_cut_5",
    "ndcg@10": "ndcg_cut_10",
    "ndcg": "ndcg",
    "recall@5": "recall_5",
    "recall@100": "recall_100",
    "map": "map",
    "map@10": "map_cut_10",
    "mrr": "recip_rank",
    "precision@5": "P_5",
    "precision@10": "P_10",
    "precision": "set_P",
    "hit_rate@1": "success_1",
    "hit_rate@5": "success_5",
}
DOCUMENTS = st.sampled_from([*(f"d{n}" for n in range(14)), "D2", "文档", "é"])
# Few distinct values give ties; values that differ only beyond single precision are ties to trec_eval.
SCORES = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, -1.0, 1.0 + 1e-12, 0.1, 0.1 + 1e-10]),
    st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False),
)
QUESTIONS = st.sampled_from(["q1", "q2", "q3", "q4"])
# No grades below 0 here: on some of them trec_eval's own loop never ends.
JUDGEMENTS = st.dictionaries(QUESTIONS, st.dictionaries(DOCUMENTS, st.integers(0, 4), min_size=1), min_size=1)
RUNS = st.dictionaries(QUESTIONS, st.dictionaries(DOCUMENTS, SCORES))


@given(JUDGEMENTS, RUNS)
@settings(max_examples=400, deadline=None)
def test_equal_to_trec_eval(judgements: dict[str, dict[str, int]], run: dict[str, dict[str, float]]) -> None:
    measures = {name.rsplit("_", 1)[0] if name[-1].isdigit() else name for name in SAME.values()}
    theirs = pytrec_eval.RelevanceEvaluator(judgements, measures).evaluate(run)
    ours = evaluate(judgements, run, list(SAME))
    assert set(ours) == set(judgements)
    for question, values in ours.items():
        for name, value in values.items():
            # trec_eval says nothing of a question that is not in the run; with -c it counts as 0.
            expected = theirs[question][SAME[name]] if question in theirs else 0.0
            assert value == pytest.approx(expected, abs=1e-9), (question, name)


@given(JUDGEMENTS, RUNS)
@settings(max_examples=50, deadline=None)
def test_cut_off_mrr_is_that_of_the_run_cut_off(
    judgements: dict[str, dict[str, int]], run: dict[str, dict[str, float]]
) -> None:
    for judged in judgements.values():
        for scores in run.values():
            ranked = list(scores)
            assert score(ranked, judged, ["mrr@3"])["mrr@3"] == score(ranked[:3], judged, ["mrr"])["mrr"]


@given(st.permutations([f"d{n}" for n in range(12)]), st.dictionaries(DOCUMENTS, st.integers(-1, 4), min_size=1))
def test_within_bounds_and_best_order_is_perfect(ranked: list[str], judged: dict[str, int]) -> None:
    values = score(ranked, judged, [*DEFAULT, *MEASURES])
    assert all(0.0 <= value <= 1.0 + 1e-12 for value in values.values())
    best = sorted(judged, key=lambda document: -judged[document])
    if max(judged.values()) > 0:
        assert score(best, judged, ["ndcg@10", "map", "mrr@10"]) == pytest.approx(
            {"ndcg@10": 1.0, "map": 1.0, "mrr@10": 1.0}
        )


def test_worked_out_by_hand() -> None:
    judged = {"a": 3, "b": 1, "c": 2, "d": 0}
    ranked = ["d", "c", "x", "a"]
    got = score(ranked, judged, ["ndcg@4", "recall@3", "precision@2", "map", "mrr@10", "hit_rate@1"])
    ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
    assert got == pytest.approx(
        {
            "ndcg@4": (2 / log2(3) + 3 / log2(5)) / ideal,
            "recall@3": 1 / 3,
            "precision@2": 1 / 2,
            "map": (1 / 2 + 2 / 4) / 3,
            "mrr@10": 1 / 2,
            "hit_rate@1": 0.0,
        }
    )


def test_a_grade_below_zero_is_as_good_as_none() -> None:
    for name in (*DEFAULT, *MEASURES):
        assert score(["a", "b"], {"a": -1, "b": 2}, [name]) == score(["a", "b"], {"b": 2}, [name])


def test_mean_counts_a_question_without_results_as_zero() -> None:
    values = evaluate({"q1": {"a": 1}, "q2": {"b": 1}, "unjudged": {}}, {"q1": {"a": 1.0}}, ["mrr@10"])
    assert mean(values) == {"mrr@10": 0.5}


@pytest.mark.parametrize("name", ["ndgc@10", "ndcg@0", "ndcg@", "ndcg@-1", "", "NDCG@10"])
def test_unknown_measure_is_named(name: str) -> None:
    with pytest.raises(BadRequest, match=r"ndcg@10"):
        parse(name)
