from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.commands import app
from eval.records import RunFolder


def write_run(path: Path, records: list[dict[str, Any]]) -> Path:
    folder = RunFolder(path)
    folder.open(
        "made up", {"dataset": "made up", "config": {"system": {"settings": {"answer": {"abstain_below": 0.1}}}}}
    )
    for record in records:
        folder.add(record)
    return path


@pytest.fixture
def records() -> list[dict[str, Any]]:
    draw = random.Random(3)
    found = []
    for number in range(300):
        answerable = number % 3 > 0
        evidence = round(draw.uniform(0.4, 1.0) if answerable else draw.uniform(0.0, 0.6), 3)
        right = float(answerable and draw.random() < 0.95)
        found.append(
            {
                "id": str(number),
                "question": "茶园在哪里？" if number % 2 else "Where is the garden?",
                "answerable": answerable,
                "documents": [[f"d{number % 31}", 1.0]],
                "ms": 4.0,
                "evidence": evidence,
                "answer": {"abstained": False, "evidence": evidence},
                "metrics": {"answer_recall": right, "ndcg@10": right} if answerable else {},
            }
        )
    return found


def test_a_threshold_is_shown_and_written_only_when_asked(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    run = write_run(tmp_path / "run", records)
    data = tmp_path / "data"
    shown = CliRunner().invoke(app, ["calibrate", str(run), "--risk", "0.2", "--data", str(data)])
    assert shown.exit_code == 0, shown.output
    for said in ("answer.abstain_below = 0.", "test, zh", "test, as it is", "Platt"):
        assert said in shown.output
    assert not data.exists()
    written = CliRunner().invoke(
        app, ["calibrate", str(run), "--risk", "0.2", "--data", str(data), "--write", "--json"]
    )
    report = json.loads(written.stdout)
    assert tomllib.loads((data / "tuwen.toml").read_text())["answer"]["abstain_below"] == report["threshold"]
    assert report["now"]["coverage"] > report["test"]["coverage"]


def test_what_cannot_be_done_is_an_error(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    run = write_run(tmp_path / "run", records)
    for arguments, said in (
        (["--risk", "0.001", "--write"], "no threshold to write"),
        ([], "a risk or a coverage"),
        (["--risk", "0.1", "--rerank", str(run)], "decides about the reranker only"),
        (["--risk", "0.1", "--measure", "bleu"], "does not have the measure 'bleu'"),
    ):
        found = CliRunner().invoke(app, ["calibrate", str(run), *arguments, "--json", "--data", str(tmp_path / "data")])
        assert found.exit_code == 1, arguments
        assert said in json.loads(found.stdout)["error"]["message"]
    assert not (tmp_path / "data").exists()


def test_the_gate_between_two_runs(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    run = write_run(tmp_path / "run", [record | {"metrics": {"ndcg@10": 0.5}} for record in records])
    better = write_run(tmp_path / "better", [record | {"ms": 90.0, "metrics": {"ndcg@10": 0.6}} for record in records])
    shown = CliRunner().invoke(app, ["calibrate", str(run), "--rerank", str(better)])
    assert shown.output.startswith("rerank\n"), shown.output
    assert "p50 4.0 → 90.0 ms" in shown.output
    assert CliRunner().invoke(app, ["calibrate", str(better), "--rerank", str(run)]).output.startswith("leave")


def test_a_run_with_self_checks_fits_how_far_they_count(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    draw = random.Random(5)
    for record in records:
        # The search knows nothing here, the generator nearly everything.
        record["evidence"] = round(draw.uniform(0.2, 0.9), 3)
        said = draw.uniform(0.5, 0.99) if record["answerable"] else draw.uniform(0.01, 0.6)
        record["answer"] = {"abstained": False, "evidence": record["evidence"], "self_check": round(said, 3)}
    run, data = write_run(tmp_path / "run", records), tmp_path / "data"
    arguments = ["calibrate", str(run), "--risk", "0.25", "--data", str(data), "--write"]
    report = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert set(report["self_check"]) == {"en", "zh"}
    for checked in report["self_check"].values():
        search, yes, _ = checked["weights"]
        assert yes > abs(search)
        assert checked["auroc_answerable"]["both"] > 0.85 > 0.65 > checked["auroc_answerable"]["search"]
    assert report["evidence"]["auroc_answerable"] > 0.85
    written = tomllib.loads((data / "tuwen.toml").read_text("utf-8"))["answer"]
    assert written == {
        "self_check": True,
        "self_check_weights": {language: row["weights"] for language, row in report["self_check"].items()},
        "abstain_below": report["threshold"],
    }
    shown = CliRunner().invoke(app, arguments)
    assert "self-check: AUROC answerable by search" in shown.output


def test_without_self_checks_nothing_is_fitted_of_them(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    run = write_run(tmp_path / "run", records)
    report = json.loads(CliRunner().invoke(app, ["calibrate", str(run), "--risk", "0.2", "--json"]).stdout)
    assert report["self_check"] is None
