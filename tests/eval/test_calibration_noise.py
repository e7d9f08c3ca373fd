"""The score below which hits are noise: by hand, with its bound, and on questions that it was not fitted on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from eval.calibration.noise import noise_threshold
from rag.errors import BadRequest
from tuwen import app


def record(number: int, hits: list[tuple[float, bool]]) -> dict[str, Any]:
    names = [f"d{number}-{n}" for n in range(len(hits))]
    return {
        "id": f"q{number}",
        "question": f"question {number}",
        "documents": [[name, score] for name, (score, _) in zip(names, hits, strict=True)],
        "documents_judged": {name: 1 for name, (_, good) in zip(names, hits, strict=True) if good},
    }


def run(questions: int = 400, seed: int = 0) -> list[dict[str, Any]]:
    """A relevant hit at about .8, two others at about .3."""
    rng = np.random.default_rng(seed)
    return [
        record(n, [(float(rng.normal(0.8, 0.1)), True), *((float(rng.normal(0.3, 0.1)), False) for _ in range(2))])
        for n in range(questions)
    ]


def test_what_is_apart_is_told_apart() -> None:
    found = noise_threshold(run(), loss=0.05)
    assert 0.5 < found["threshold"] < 0.7
    assert found["bound"] <= 0.05
    assert found["test"]["relevant_kept"] > 0.95
    assert found["test"]["noise_left_out"] > 0.95
    assert found["train"]["questions"] + found["test"]["questions"] == 400


def test_a_smaller_loss_keeps_more() -> None:
    strict, lax = (noise_threshold(run(), loss=loss) for loss in (0.02, 0.2))
    assert strict["threshold"] < lax["threshold"]
    assert strict["test"]["noise_left_out"] <= lax["test"]["noise_left_out"]


def test_no_threshold_where_none_can_be_sure() -> None:
    found = noise_threshold(run(20), loss=0.01)
    assert found["threshold"] is None
    assert found["test"]["relevant_kept"] == 1.0
    assert found["notes"]


@given(st.integers(30, 80), st.floats(0.05, 0.5), st.integers(0, 5))
def test_the_train_side_keeps_the_loss(questions: int, loss: float, seed: int) -> None:
    found = noise_threshold(run(questions, seed), loss=loss, seed=seed)
    assert 1 - found["train"]["relevant_kept"] <= loss
    if found["threshold"] is not None:
        assert found["bound"] <= loss + 1e-4


def test_errors() -> None:
    with pytest.raises(BadRequest, match="loss"):
        noise_threshold(run(), loss=0)
    with pytest.raises(BadRequest, match="labelled questions"):
        noise_threshold([record(1, [(0.5, False)])])


def test_the_command_writes_the_setting(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"fingerprint": "x", "dataset": "set", "metrics": {}}))
    (folder / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in run()))
    data = tmp_path / "data"
    data.mkdir()
    command = ["eval", "calibrate", str(folder), "--noise", "0.05", "--write", "--data", str(data)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "retrieval.least_score = " in result.output
    assert "least_score" in (data / "tuwen.toml").read_text()
    refused = CliRunner().invoke(app, [*command, "--risk", "0.1"])
    assert refused.exit_code != 0
