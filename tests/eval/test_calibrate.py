"""Calibration and the gate for reranking over the records of made-up runs."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.calibration.fit import Target, calibrate
from eval.calibration.gate import rerank_gate
from eval.calibration.outcomes import outcomes
from eval.settings_file import write_setting
from rag.errors import BadRequest, BadSetting


def record(number: int, evidence: float | None, value: float | None, **more: Any) -> dict[str, Any]:
    answerable = more.pop("answerable", True)
    return {
        "id": f"q{number}",
        "question": more.pop("question", f"What is {number}?"),
        "answerable": answerable,
        "documents": [[more.pop("document", f"d{number % 40}"), 1.0]],
        "ms": 5.0,
        "answer": {"abstained": more.pop("abstained", False), "evidence": evidence},
        "metrics": {} if value is None else {"answer_recall": value, "ndcg@10": more.pop("ndcg", value)},
        **more,
    }


def made_up(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Right with a probability that rises with the evidence; a third is unanswerable, with less evidence."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        answerable = number % 3 != 0
        evidence = round(float(random.beta(6, 2) if answerable else random.beta(2, 5)), 4)
        right = answerable and random.random() < 0.7 + 0.3 * evidence
        found.append(record(number, evidence, float(right), answerable=answerable))
    return found


def test_outcomes_by_hand() -> None:
    records = [
        record(1, 0.9, 1.0, document="a"),
        record(2, 0.8, 0.4),
        record(3, 0.7, 0.0, answerable=False),
        record(4, 0.2, 0.0, abstained=True),
        record(5, 0.1, 1.0, answerable=False, abstained=True),
        record(6, None, 0.0) | {"documents": []},
        record(7, 0.5, None),
    ]
    found, measure = outcomes(records)
    assert measure == "answer_recall"
    assert [(one.id, one.evidence, one.wrong, one.assumed) for one in found] == [
        ("q1", 0.9, False, False),
        ("q2", 0.8, True, False),
        ("q3", 0.7, True, False),
        ("q4", 0.2, True, True),
        # Abstaining was right; answering would have been wrong.
        ("q5", 0.1, True, False),
        ("q6", -inf, True, False),
    ]
    assert found[0].group == "a"
    assert outcomes(records, right_from=0.3)[0][1].wrong is False


def test_a_run_without_answers_is_judged_by_what_was_found() -> None:
    records = [
        {"id": "1", "question": "谁？", "answerable": True, "evidence": 0.6, "metrics": {"source_hit@5": 1.0}},
        {"id": "2", "question": "Who?", "answerable": False, "evidence": 0.6, "metrics": {}},
    ]
    found, measure = outcomes(records)
    assert measure == "source_hit@5"
    assert [(one.language, one.wrong) for one in found] == [("zh", False), ("en", True)]


def test_the_verdict_of_the_run_goes_before_a_measure() -> None:
    records = [
        record(1, 0.9, 1.0, facts={"right": False}, documents_judged={"z": 1, "b": 2, "a": 2}, language="zh"),
        record(2, 0.9, 0.0, facts={"right": True}),
        record(3, 0.9, 1.0, facts={"right": None}),
        record(4, 0.9, 0.0, facts={"right": None}, answerable=False),
    ]
    found, measure = outcomes(records)
    assert measure == "right"
    assert [(one.id, one.wrong, one.group) for one in found] == [
        ("q1", True, "a"),
        ("q2", False, "d2"),
        ("q4", True, "d4"),
    ]
    assert found[0].language == "zh"
    assert outcomes(records, "answer_recall")[0][0].wrong is False


def test_runs_that_cannot_be_judged_are_named() -> None:
    with pytest.raises(BadRequest, match="evidence"):
        outcomes([{"id": "1", "question": "x", "answerable": True, "metrics": {"answer_recall": 1.0}}])
    with pytest.raises(BadRequest, match=r"'bleu'.*answer_recall"):
        outcomes([record(1, 0.5, 1.0)], "bleu")
    with pytest.raises(BadRequest, match="not both"):
        Target()
    with pytest.raises(BadRequest, match="not both"):
        Target(risk=0.1, coverage=0.5)
    with pytest.raises(BadRequest, match="between 0 and 1"):
        Target(risk=10)
    with pytest.raises(BadRequest, match="two sides"):
        calibrate([record(1, 0.5, 1.0)], Target(risk=0.1))


def test_a_threshold_for_a_risk_is_reported_on_both_sides() -> None:
    report = calibrate(made_up(900), Target(risk=0.2))
    train, test = report["train"], report["test"]
    assert report["threshold"] is not None
    assert train["risk"] <= report["bound"] <= 0.2
    assert test["risk"] <= 0.2
    assert test["coverage"] > 0.4
    assert test["unanswerable_refused"] > 0.8 * test["unanswerable"]
    assert train["questions"] + test["questions"] == 900
    assert report["split"]["by"] == "documents"
    # The evidence is no probability; both fits bring it nearer on questions they have not seen.
    probability = report["probability"]
    for name in ("platt", "isotonic"):
        assert probability[name]["test"]["brier"] < probability["raw"]["test"]["brier"]
        assert probability[name]["test"]["brier"] < probability["base_rate"]["test"]["brier"]
        assert probability[name]["test"]["ece"] < probability["raw"]["test"]["ece"]
    assert report["evidence"]["auroc_answerable"] > 0.9
    assert report["curve"][-1]["coverage"] == 1.0
    assert report["notes"] == []
    json.dumps(report, allow_nan=False)


def test_the_sides_do_not_share_what_they_are_judged_by() -> None:
    """Other outcomes on the test side change its figures and nothing else."""
    records = made_up(400)
    before = calibrate(records, Target(risk=0.25))
    groups = {one["id"]: one["documents"][0][0] for one in records}
    from eval.sides import group_split

    _, test = group_split(groups, 0.5, 0)
    spoilt = [
        one | {"metrics": {"answer_recall": 0.0}} if one["id"] in set(test) and one["answerable"] else one
        for one in records
    ]
    after = calibrate(spoilt, Target(risk=0.25))
    assert after["threshold"] == before["threshold"]
    assert after["train"] == before["train"]
    assert after["probability"]["platt"]["slope"] == before["probability"]["platt"]["slope"]
    assert after["test"]["risk"] == 1.0
    assert "above the 0.25 asked for, by more than chance" in after["notes"][0]


def test_coverage_can_be_asked_for() -> None:
    report = calibrate(made_up(300), Target(coverage=0.5))
    assert 0.5 <= report["train"]["coverage"] < 0.55
    assert 0.3 < report["test"]["coverage"] < 0.7


def test_an_unreachable_risk_says_what_it_would_take() -> None:
    report = calibrate(made_up(60), Target(risk=0.01))
    assert report["threshold"] is None
    assert report["test"]["answered"] == 0
    assert report["test"]["risk"] is None
    assert "408 answered questions without a mistake" in report["notes"][0]
    assert "The lowest that could be promised is about" in report["notes"][0]


def test_what_is_odd_about_a_run_is_said() -> None:
    one_document = [
        record(n, 0.5 + n / 1000, 1.0, document="a", abstained=n % 9 == 0) for n in range(120)
    ] + [record(200, 0.5, None, document="a")]  # fmt: skip
    notes = " ".join(calibrate(one_document, Target(coverage=0.9))["notes"])
    for said in ("TUWEN_ANSWER__ABSTAIN=false", "lack the measure: 1.", "No question of the set", "about one document"):
        assert said in notes


def reranked(records: list[dict[str, Any]], gain: float, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        one | {"ms": 50.0, "metrics": {"ndcg@10": float(np.clip(one["metrics"]["ndcg@10"] + random.normal(gain, 0.2), 0, 1))}}
        for one in records
    ]  # fmt: skip


def coarse(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(5)
    return [record(n, 0.5, float(random.uniform(0.3, 0.7))) for n in range(count)]


@pytest.mark.parametrize(("gain", "decision"), [(0.1, "rerank"), (0.0, "leave"), (-0.1, "leave")])
def test_the_gate_follows_the_measurement(gain: float, decision: str) -> None:
    before = coarse(200)
    found = rerank_gate(before, reranked(before, gain))
    assert found["decision"] == decision
    assert found["train"]["questions"] + found["test"]["questions"] == 200
    assert found["latency_ms"]["reranked"]["p50"] == 50.0
    assert found["test"]["difference"] == pytest.approx(gain, abs=0.06)


def test_the_gate_needs_both_sides() -> None:
    from eval.calibration.outcomes import group_of
    from eval.sides import group_split

    before = coarse(200)
    train, _ = group_split({one["id"]: group_of(one) for one in before}, 0.5, 0)
    better = {one["id"]: one for one in reranked(before, 0.1)}
    worse = {one["id"]: one for one in reranked(before, -0.1)}
    mixed = [better[one["id"]] if one["id"] in set(train) else worse[one["id"]] for one in before]
    found = rerank_gate(before, mixed)
    assert found["decision"] == "leave"
    assert "not on the test side" in found["reason"]
    with pytest.raises(BadRequest, match="no question in common"):
        rerank_gate(before, [])


def test_a_setting_is_written_beside_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "tuwen.toml"
    file.write_text("# mine\n[retrieval]\ndepth = 7 # deep\n\n[answer]\nabstain = true\n", encoding="utf-8")
    assert write_setting(tmp_path, "answer", "abstain_below", 0.25) == file
    write_setting(tmp_path, "answer", "abstain_below", 0.375)
    assert file.read_text(encoding="utf-8") == (
        "# mine\n[retrieval]\ndepth = 7 # deep\n\n[answer]\nabstain = true\nabstain_below = 0.375\n"
    )
    from api.settings import load

    assert load(tmp_path).answer.abstain_below == 0.375
    new = write_setting(tmp_path / "new", "answer", "abstain_below", 0.5)
    assert new.read_text(encoding="utf-8") == "[answer]\nabstain_below = 0.5\n"
    file.write_text("[answer\n", encoding="utf-8")
    with pytest.raises(BadSetting, match=r"tuwen\.toml"):
        write_setting(tmp_path, "answer", "abstain_below", 0.5)
    assert file.read_text(encoding="utf-8") == "[answer\n"
    file.write_text("answer = 3\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="not a table"):
        write_setting(tmp_path, "answer", "abstain_below", 0.5)
