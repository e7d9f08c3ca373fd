from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from eval.calibration import evidence_model as model
from eval.calibration.evidence_model import Case
from eval.calibration.logistic import fit_logistic
from rag.retrieval import abstain


def test_the_fit_is_where_the_loss_is_least() -> None:
    chance = np.random.default_rng(1)
    features = chance.normal(size=(300, 3)) * [1.0, 5.0, 0.1] + [0.0, 3.0, -2.0]
    positive = features @ [1.0, 0.2, 4.0] + chance.normal(size=300) > -7.4
    sample = chance.uniform(0.5, 2, 300)
    ridge = 3.0
    found = fit_logistic(features, positive, sample, ridge)
    weight = np.where(positive, sample / sample[positive].sum(), sample / sample[~positive].sum()) * 150
    mean = np.average(features, axis=0, weights=weight)
    spread = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weight))

    def loss(beta: np.ndarray) -> float:
        logits = (features - mean) / spread @ beta[:3] + beta[3]
        return float((weight * (np.logaddexp(0, logits) - positive * logits)).sum() + ridge / 2 * (beta[:3] ** 2).sum())

    best = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8})
    assert found.weights * spread == pytest.approx(best.x[:3], abs=1e-4)
    assert found.bias + float(mean @ found.weights) == pytest.approx(best.x[3], abs=1e-4)


def test_a_feature_that_never_changes_weighs_nothing_and_one_kind_is_refused() -> None:
    features = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.2], [1.0, 0.9]])
    positive = np.array([False, True, False, True])
    assert fit_logistic(features, positive, np.ones(4)).weights[0] == 0
    with pytest.raises(ValueError, match="both kinds"):
        fit_logistic(features, np.ones(4, bool), np.ones(4))


def cases(count: int = 200) -> list[Case]:
    chance = np.random.default_rng(0)
    made = []
    for number in range(count):
        kind = ("answerable", "near", "answerable", "without the article")[number % 4]
        features = {name: float(chance.uniform()) for name in model.WITH_VECTORS}
        features["likeness"] = float(chance.normal(1.0 if kind == "answerable" else 0.0, 0.5))
        made.append(Case(str(number), "s", f"article {number % 10}", kind, "en", features, False))
    return made


def test_a_fitted_model_keeps_what_it_promises() -> None:
    made = cases()
    weights = model.fit(made, model.WITH_VECTORS)
    kept = [
        abstain.probability(weights, case.features) >= abstain.THRESHOLD for case in made if case.kind == "answerable"
    ]
    assert sum(kept) / len(kept) == pytest.approx(model.KEPT, abs=0.011)


def test_no_case_is_judged_by_a_model_that_saw_its_article(monkeypatch: pytest.MonkeyPatch) -> None:
    made, fitted = cases(40), []

    def recording(given: list[Case], names: object) -> list[dict[str, float]]:
        fitted.append({case.group for case in given})
        return [{"likeness": 1.0, "bias": float(len(fitted))}]

    monkeypatch.setattr(model, "fit", recording)
    scores = model.cross_fit(made, model.WITH_VECTORS, folds=5)
    for case, score in zip(made, scores, strict=True):
        number = round(-np.log(1 / score - 1) - case.features["likeness"])
        assert case.group not in fitted[number - 1]


def test_figures_by_hand() -> None:
    def one(id_: str, group: str, kind: str) -> Case:
        return Case(id_, "s", group, kind, "en", {}, False)

    made = [one("1", "a", "answerable"), one("2", "a", "near"), one("3", "b", "answerable"), one("4", "b", "near")]
    (row,) = model.against(made, [0.9, 0.1, 0.1, 0.5]).values()
    # Of the four pairs one is in order, one tied, … : (0.9 > 0.1), (0.9 > 0.5), (0.1 = 0.1), (0.1 < 0.5).
    assert row["auroc"] == pytest.approx(2.5 / 4)
    assert (row["refused"], row["kept"]) == (0.5, 0.5)
    low, high = row["interval"]
    assert 0 <= low <= 0.625 <= high <= 1


def test_storing_a_model_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "models.toml"
    shutil.copy(abstain.MODELS, file)
    before = abstain.models()
    monkeypatch.setattr(abstain, "MODELS", file)
    abstain.models.cache_clear()
    try:
        model.store(
            {("words", "en"): [{"names*length": 1.23456, "bias": -2.0}], ("another", "en"): [{"bias": 0.5}] * 2}
        )
        after = abstain.models()
        assert after["words"]["en"] == [{"names*length": 1.235, "bias": -2.0}]
        assert after["another"] == {"en": [{"bias": 0.5}, {"bias": 0.5}]}
        assert after["words"]["zh"] == before["words"]["zh"]
    finally:
        abstain.models.cache_clear()


def test_the_curve_stands_alone_as_a_picture() -> None:
    from lxml import etree

    made = cases(20)
    root = etree.fromstring(model.drawn(made, [case.features["likeness"] for case in made]).encode())
    assert root.tag.endswith("svg")
    assert root.nsmap[None] == "http://www.w3.org/2000/svg"
