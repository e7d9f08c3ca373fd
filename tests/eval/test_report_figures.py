"""The figures of a report, against numbers worked out by hand from a few questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.report.reading import read_run
from eval.report.report import figures
from rag.errors import BadRequest
from tests.support.run_folders import lost, record, unanswerable, write_run, write_sweep

RECORDS = [
    record(1),
    record(2, documents=[["other.pdf", 0.9], ["d2.pdf", 0.5]]),
    record(3),
    lost(4, documents=[["other.pdf", 0.9]]),
    unanswerable(5, abstained=True),
    unanswerable(6, abstained=False, evidence=0.6),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", RECORDS)


def test_means_are_over_the_questions_that_have_the_measure(run: Path) -> None:
    metrics = figures(run)["metrics"]
    assert (metrics["ndcg@10"]["value"], metrics["ndcg@10"]["questions"]) == (0.75, 4)
    # Three right answers, one wrong, one abstention that is right, one answer that should not be.
    assert metrics["answer_recall"]["value"] == pytest.approx(4 / 6, abs=1e-6)
    assert metrics["abstention_recall"]["value"] == 0.5
    assert metrics["abstention_precision"]["value"] == 1.0
    low, high = metrics["ndcg@10"]["interval"]
    assert 0 <= low < 0.75 < high <= 1


def test_recall_by_depth_comes_from_the_labels(run: Path) -> None:
    points = {point["k"]: point["value"] for point in figures(run)["recall"]}
    assert points == {1: 0.5, 2: 0.75}


def test_recall_by_depth_falls_back_on_what_was_measured(tmp_path: Path) -> None:
    records = [record(n, documents_judged={}, metrics={"recall@5": 1.0, "recall@10": 0.5}) for n in (1, 2)]
    points = figures(write_run(tmp_path / "run", records))["recall"]
    assert [(point["k"], point["value"]) for point in points] == [(5, 1.0), (10, 0.5)]


def test_groups(run: Path) -> None:
    found = figures(run)
    assert {name: group["questions"] for name, group in found["by_kind"].items()} == {
        "table": 2,
        "text": 2,
        "unanswerable": 2,
    }
    assert found["by_kind"]["table"]["metrics"]["ndcg@10"]["value"] == 0.5
    assert found["by_language"] == {}


def test_time_that_no_step_accounts_for_is_told(run: Path) -> None:
    search = figures(run)["times"]["search"]
    assert search["latency_ms"]["p50"] == 13.5
    assert search["steps"]["encode"]["mean"] == 6.0
    # Mean 13.5 ms, of which encoding and recall take 9.
    assert search["steps"]["rest"]["mean"] == 4.5
    assert "total" not in search["steps"]
    assert sum(step["share"] for step in search["steps"].values()) == pytest.approx(1, abs=1e-3)


def test_times_of_questions_asked_together_are_no_latencies(tmp_path: Path) -> None:
    mixed = [record(1), record(2, ms=900.0, at_once=4)]
    assert figures(write_run(tmp_path / "mixed", mixed))["times"]["search"]["latency_ms"]["max"] == 11.0
    together = figures(write_run(tmp_path / "together", [record(n, at_once=4) for n in (1, 2)]))
    assert any("at once" in warning for warning in together["warnings"])


def test_what_is_known_of_what_is_not_known(run: Path) -> None:
    known = figures(run)["knowing"]
    assert sorted(known["unanswerable"]) == [0.1, 0.6]
    # Evidence of answerable questions: .8 .8 .8 and .2 (the answer of q4 says .8, and is what was decided by).
    assert known["auroc"] == 1.0
    # By what was found, three of the four most certain questions are right.
    assert known["search"]["curve"][0] == {"threshold": 0.8, "coverage": round(4 / 6, 4), "risk": 0.25}
    assert known["search"]["curve"][-1]["risk"] == 0.5
    # Five answers were given: three right, one wrong, one to an unanswerable question.
    assert (known["answers"]["coverage"], known["answers"]["risk"]) == (round(5 / 6, 4), 0.4)


def test_failures_stand_in_the_order_of_the_flow(run: Path) -> None:
    found = figures(run)["failures"]
    assert [(case["id"], case["class"]) for case in found["list"]] == [
        ("q4", "not recalled"),
        ("q6", "wrongly answered"),
    ]
    assert found["by_kind"] == {"table": {"not recalled": 1}, "unanswerable": {"wrongly answered": 1}}
    assert found["classes"]["not recalled"]["meaning"].startswith("No retriever found")
    case = found["list"][0]
    assert case["expected"] == ["so"]
    assert case["places"] == [{"document": "d4.pdf", "pages": [2]}]
    # What a step passes on unchanged is said once.
    assert [(stage["name"], len(stage["top"]), stage["as"]) for stage in case["stages"]] == [
        ("dense", 1, ""),
        ("fuse", 0, "dense"),
        ("hits", 0, "dense"),
    ]


def test_an_older_run_is_classed_by_its_outcome_and_says_what_is_missing(tmp_path: Path) -> None:
    bare = ("lost", "facts", "stages", "evidence", "documents_judged", "language", "at_once")
    good, bad, answered = record(1), lost(2), unanswerable(3, abstained=False)
    refused = record(4, answer=record(4)["answer"] | {"abstained": True})
    wrong = record(5, metrics={"ndcg@10": 1.0, "source_hit@5": 1.0, "answer_recall": 0.2})
    records = [{k: v for k, v in one.items() if k not in bare} for one in (good, bad, answered, refused, wrong)]
    for one in records:
        one["answer"].pop("evidence")
        one["answer"].pop("cited")
    found = figures(write_run(tmp_path / "run", records, index={}, config={"system": {}}))
    assert {case["id"]: case["class"] for case in found["failures"]["list"]} == {
        "q2": "found too low",
        "q3": "answered without an answer",
        "q4": "refused",
        "q5": "answer lacks what is expected",
    }
    assert len(found["missing"]) == 3
    assert found["knowing"] == {}
    assert found["settings"] == {}


def test_a_run_of_searches_only(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [{k: v for k, v in record(n).items() if k != "answer"} for n in (1, 2)]
    found = figures(write_run(tmp_path / "run", records))
    assert any("--answers" in one for one in found["missing"])
    assert "answer" not in found["times"]


def test_the_least_that_a_record_can_be(tmp_path: Path) -> None:
    found = figures(write_run(tmp_path / "run", [{"id": "a", "question": "?"}], config={}))
    assert (found["questions"]["all"], found["metrics"], found["measure"]) == (1, {}, "")


def test_unfinished_and_empty_runs(tmp_path: Path) -> None:
    unfinished = write_run(tmp_path / "half", [record(1)])
    text = (
        (unfinished / "run.json")
        .read_text()
        .replace('"metrics": {}', '"none": {}')
        .replace('"questions": 1', '"questions": 9')
    )
    (unfinished / "run.json").write_text(text)
    assert "1 of 9 questions" in read_run(unfinished).missing[0]
    with pytest.raises(BadRequest, match="no finished question"):
        figures(write_run(tmp_path / "empty", []))
    with pytest.raises(BadRequest, match="no run"):
        figures(tmp_path)
    with pytest.raises(BadRequest, match="no measure"):
        figures(unfinished, measure="bleu")


def test_settings_that_differ_from_those_of_the_profile(run: Path) -> None:
    found = figures(
        run,
        defaults=lambda profile: {"profile": profile, "retrieval": {"rrf_k": 10.0, "retrievers": ["dense", "lexical"]}},
    )
    assert found["settings_changed"] == [{"setting": "retrieval.rrf_k", "before": 10.0, "after": 60.0}]


def test_comparison(tmp_path: Path) -> None:
    better = write_run(tmp_path / "b", [record(n) for n in range(30)])
    worse = write_run(tmp_path / "a", [*(lost(n) for n in range(12)), *(record(n) for n in range(12, 30))])
    found = figures(better, against=worse)["comparison"]
    assert found["verdict"].startswith("Better: nDCG@10 +0.400 (95 % interval +0.")
    assert (len(found["changed"]["better"]), found["changed"]["worse"]) == (12, [])
    assert figures(worse, against=better)["comparison"]["verdict"].startswith("Worse: nDCG@10 −0.400")
    assert figures(worse, against=worse)["comparison"]["verdict"].startswith("No difference")
    one = write_run(tmp_path / "c", [lost(0), *(record(n) for n in range(1, 30))])
    assert figures(better, against=one)["comparison"]["verdict"].startswith("No clear difference")


def test_a_sweep_alone_reports_its_best_run_against_the_baseline(tmp_path: Path) -> None:
    for number, records in enumerate(([lost(1), record(2)], [record(1), record(2)])):
        write_run(tmp_path / "sweep" / "runs" / f"{number:03}", records)
    cells = [
        {"settings": {"retrieval.rrf_k": k}, "value": value, "run": f"/gone/runs/{number:03}"}
        for number, (k, value) in enumerate(((60, 0.5), (20, 1.0)))
    ]
    sweep = write_sweep(tmp_path / "written", cells)
    (tmp_path / "sweep" / "sweep.json").write_bytes((sweep / "sweep.json").read_bytes())
    found = figures(None, sweep=tmp_path / "sweep")
    # The folder was moved: its runs are found below it.
    assert found["run"]["folder"].endswith("runs/001")
    assert found["comparison"]["a"]["run"].endswith("runs/000")
    assert found["sweep"]["best"] == 1
    with pytest.raises(BadRequest, match="not there any more"):
        figures(None, sweep=sweep)


def test_what_a_sweep_says_of_its_best(tmp_path: Path) -> None:
    cells = [{"settings": {"k": k}, "value": value} for k, value in ((60, 0.5), (20, 0.9))]
    run = write_run(tmp_path / "run", [record(1)])

    def told(name: str, **changes: Any) -> str:
        return str(figures(run, sweep=write_sweep(tmp_path / name, cells, **changes))["sweep"]["verdict"])

    confirmed = {"on": "test", "questions": 40, "difference": 0.1, "interval": [0.02, 0.2], "p": 0.01}
    assert "is better than" in told("a", confirmed=confirmed)
    assert "not made on" in told("b", confirmed=confirmed)
    assert "is not clearly better" in told("c", confirmed=confirmed | {"interval": [-0.02, 0.2]})
    assert "as they stand are the best" in told("d", best=0)
    assert told("e", best=None, finished=False) == "No combination was chosen."
    with pytest.raises(BadRequest, match="holds no sweep"):
        figures(run, sweep=tmp_path)
