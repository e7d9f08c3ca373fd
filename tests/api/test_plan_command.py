from __future__ import annotations

import json

from typer.testing import CliRunner

from tuwen import app

run = CliRunner()


def test_a_person_reads_what_fits_what_limits_and_what_to_change() -> None:
    said = run.invoke(app, ["plan", "Qwen/Qwen2.5-7B-Instruct", "--gpu", "L4", "--users", "100"])
    assert said.exit_code == 0
    for words in ("users fit", "limited by", "To change", "It rests on", "57.3 KB a token"):
        assert words in said.output


def test_a_machine_reads_json() -> None:
    said = run.invoke(app, ["plan", "deepseek-r1", "--gpu", "h200", "--gpus", "8", "--users", "128", "--json"])
    shown = json.loads(said.output)
    assert shown["fits"]
    assert shown["users_that_fit"] > 128
    assert shown["asked"]["precision"] == "fp8"
    assert shown["speed"]["limit"] == "reading weights"


def test_what_does_not_fit_is_said() -> None:
    said = run.invoke(app, ["plan", "llama-3-70b", "--gpu", "24,600,125"])
    assert said.exit_code == 0
    assert "do not fit" in said.output
    assert "missing" in said.output


def test_a_wrong_name_is_a_failure_with_a_remedy() -> None:
    said = run.invoke(app, ["plan", "gpt-9", "--json"])
    assert said.exit_code == 1
    assert json.loads(said.output)["error"]["remedy"]
