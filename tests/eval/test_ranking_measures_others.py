"""The ranking measures that trec_eval does not have, and all of them against further libraries."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eval.metrics.auc import ranking_auc
from eval.metrics.f1 import f1
from eval.metrics.order import trec_order
from eval.metrics.precision import precision
from eval.metrics.ranking import evaluate, mean
from eval.metrics.recall import recall
from eval.metrics.roc import auroc

DOCUMENTS = st.sampled_from([f"d{n}" for n in range(12)])
QUESTIONS = st.sampled_from(["q1", "q2", "q3"])
SCORES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, -2.0])
RUNS = st.dictionaries(QUESTIONS, st.dictionaries(DOCUMENTS, SCORES))
JUDGEMENTS = st.dictionaries(QUESTIONS, st.dictionaries(DOCUMENTS, st.integers(0, 3), min_size=1), min_size=1)
RANKED = st.lists(DOCUMENTS, unique=True)


@given(JUDGEMENTS, RUNS)
@settings(max_examples=100, deadline=None)
def test_equal_to_ir_measures(judgements: dict[str, dict[str, int]], run: dict[str, dict[str, float]]) -> None:
    ir = pytest.importorskip("ir_measures")
    names = {
        "ndcg@5": ir.nDCG @ 5,
        "ndcg": ir.nDCG,
        "mrr": ir.RR,
        "map": ir.AP,
        "map@5": ir.AP @ 5,
        "precision@5": ir.P @ 5,
        "recall@5": ir.R @ 5,
        "hit_rate@2": ir.Success @ 2,
        "f1": ir.SetF,
    }
    theirs = {(one.query_id, one.measure): one.value for one in ir.iter_calc(names.values(), judgements, run)}
    for question, values in evaluate(judgements, run, list(names)).items():
        for name, value in values.items():
            # Nothing is said of a question that is not in the run, or has no document there: it counts as 0.
            expected = theirs.get((question, names[name]), 0.0)
            assert value == pytest.approx(expected, abs=1e-9), (question, name)


@pytest.mark.slow
def test_equal_to_ranx() -> None:
    """On random runs without ties, which ranx breaks in no documented order."""
    ranx = pytest.importorskip("ranx")
    import numpy as np

    random = np.random.default_rng(3)
    names = {
        "ndcg@10": "ndcg@10",
        "recall@10": "recall@10",
        "map": "map",
        "map@5": "map@5",
        "mrr@10": "mrr@10",
        "precision@5": "precision@5",
        "hit_rate@5": "hit_rate@5",
        "f1@10": "f1@10",
        "f1@3": "f1@3",
    }
    for _ in range(20):
        judgements, run = {}, {}
        for question in ("q1", "q2", "q3", "q4"):
            grades = random.integers(0, 4, 15)
            grades[0] = max(1, grades[0])  # ranx divides by the number of relevant documents
            judgements[question] = {f"d{n}": int(grade) for n, grade in enumerate(grades)}
            found = random.permutation(30)[: random.integers(1, 25)]
            run[question] = {f"d{n}": float(score) for n, score in zip(found, random.permutation(100), strict=False)}
        theirs = ranx.evaluate(ranx.Qrels(judgements), ranx.Run(run), list(names.values()), make_comparable=True)
        for name, value in mean(evaluate(judgements, run, list(names))).items():
            assert value == pytest.approx(theirs[names[name]], abs=1e-9), name


@given(RANKED, st.dictionaries(DOCUMENTS, st.integers(0, 2)), st.sampled_from([1, 3, 5]))
def test_f1_is_the_harmonic_mean(ranked: list[str], judged: dict[str, int], k: int) -> None:
    value = f1(ranked, judged, k)
    precise, complete = precision(ranked, judged, k), recall(ranked, judged, k)
    assert min(precise, complete) - 1e-12 <= value <= max(precise, complete) + 1e-12
    assert (value == 0) == (precise == 0)


def test_f1_by_hand() -> None:
    # 2 of the first 4 are relevant, 2 of 3 relevant ones found: P = 1/2, R = 2/3.
    assert f1(["a", "x", "b", "y", "c"], {"a": 1, "b": 2, "c": 1}, 4) == pytest.approx(4 / 7)
    assert f1(["a"], {"a": 1}, 4) == pytest.approx(2 * 0.25 / 1.25)


def test_auc_by_hand() -> None:
    # Behind a: x, y; behind b: y; c was not found and stands behind everything. 3 of 3 · 2 pairs.
    assert ranking_auc(["a", "x", "b", "y"], {"a": 1, "b": 1, "c": 1}) == pytest.approx(3 / 6)
    assert ranking_auc(["a", "b"], {"a": 1, "b": 1, "c": 1}) == pytest.approx(2 / 3)
    assert ranking_auc([], {"a": 1}) == 0.0
    assert ranking_auc(["a", "x"], {"x": 0}) == 0.0


@given(RANKED, st.dictionaries(DOCUMENTS, st.integers(0, 1), min_size=1))
def test_auc_is_that_of_the_scores(ranked: list[str], judged: dict[str, int]) -> None:
    """Over the returned documents, and the relevant ones that were not returned behind them."""
    missing = [document for document, grade in judged.items() if grade and document not in ranked]
    scores = [float(-place) for place in range(len(ranked))] + [float("-inf")] * len(missing)
    labels = [judged.get(document, 0) > 0 for document in ranked] + [True] * len(missing)
    expected = auroc(scores, labels)
    assume(expected is not None)
    assert ranking_auc(ranked, judged) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.5000001, 1.0, -3.0]), st.booleans())))
def test_auroc_is_the_share_of_pairs_in_order(cases: list[tuple[float, bool]]) -> None:
    up = [score for score, positive in cases if positive]
    down = [score for score, positive in cases if not positive]
    found = auroc([score for score, _ in cases], [positive for _, positive in cases])
    if not up or not down:
        assert found is None
        return
    pairs = sum((high > low) + 0.5 * (high == low) for high in up for low in down)
    assert found == pytest.approx(pairs / (len(up) * len(down)), abs=1e-9)
    turned = auroc([-score for score, _ in cases], [positive for _, positive in cases])
    assert turned == pytest.approx(1 - found, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2))
@settings(deadline=None)
def test_auroc_equals_scipy(cases: list[tuple[int, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    up = [score for score, positive in cases if positive]
    down = [score for score, positive in cases if not positive]
    assume(up and down)
    theirs = stats.mannwhitneyu(up, down).statistic / (len(up) * len(down))
    assert auroc(*zip(*cases, strict=True)) == pytest.approx(theirs, abs=1e-9)  # type: ignore[arg-type]


def test_order_breaks_ties_as_trec_eval() -> None:
    assert trec_order({"a": 1.0, "b": 1.0, "c": 2.0}) == ["c", "b", "a"]
