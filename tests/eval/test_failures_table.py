"""Failures of a run and the comparison of two, from run folders as they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api import terminal
from eval.commands import app
from eval.compare import compare
from eval.failures.classes import FailureClass
from eval.failures.classify import first_loss
from eval.failures.facts import Facts, Seen
from eval.failures.rule import Rule
from eval.failures.table import failures
from eval.failures.trace import as_json
from eval.gate import Limit, judge, parse
from rag.errors import BadRequest

C = FailureClass
SYSTEM = {"settings": {"generator": {"passages": 3}, "retrieval": {"rerank_depth": 10}}}


def record(id_: str, rank: int | None, metric: float, **more: Any) -> dict[str, Any]:
    """A question whose gold passage stood at `rank`; `right` and others as in Facts."""
    stages = {name: Seen(20, rank) for name in ("dense", "fuse", "hits")}
    answered = "right" in more
    facts = Facts(
        more.pop("state", "found"), stages, answered=answered, cites_gold=answered, cites_labelled=answered, **more
    )
    lost = first_loss(facts, Rule.of(SYSTEM))
    shown: dict[str, Any] = {
        "id": id_,
        "question": f"question {id_}",
        "kind": "table" if id_ < "q5" else "text",
        "language": "en",
        "metrics": {"ndcg@10": metric, "answer_recall": metric},
        "stages": {name: {"size": step.size, "gold": step.gold} for name, step in stages.items()},
        "facts": facts.as_json(),
        "about": {
            "kind": "table" if id_ < "q5" else "text",
            "language": "en",
            "documents": [f"{id_}.pdf"],
            "page": "digital",
        },
    }
    if lost is None:
        return shown
    passage = {"chunk_id": "c", "gold": True, "document": "d.pdf", "pages": [2], "text": "says [it]"}
    seen = {"gold": [passage], "stages": {"dense": {"size": 20, "gold": rank, "top": [passage]}}}
    return shown | {"lost": as_json(lost) | {"evidence": seen}}


def write(folder: Path, records: list[dict[str, Any]], *, finished: bool = True, labels: str = "same") -> Path:
    folder.mkdir()
    config = {"labels": labels, "system": SYSTEM, "questions": len(records), "depth": 100, "answers": False}
    head = {"fingerprint": "f", "dataset": "zoo", "config": config, "index": {"documents": 3}}
    (folder / "run.json").write_text(json.dumps(head | ({"metrics": {}} if finished else {})), encoding="utf-8")
    (folder / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(
        tmp_path / "run",
        [
            record("q1", 1, 1.0),
            record("q2", 9, 0.3),
            record("q3", None, 0.0),
            record("q5", 2, 0.6) | {"doubt": {"why": "twice"}},
        ],
    )


def test_failures_are_counted_and_listed_in_the_order_of_the_flow(run: Path) -> None:
    found = failures(run)
    assert (found["questions"], found["wrong"]) == (4, 2)
    assert {name: row["count"] for name, row in found["classes"].items()} == {"not recalled": 1, "recalled too low": 1}
    assert [failure["id"] for failure in found["list"]] == ["q3", "q2"]
    assert found["by"]["kind"]["table"] == {
        "questions": 3,
        "wrong": 2,
        "classes": {"not recalled": 1, "recalled too low": 1},
    }
    assert found["by"]["document"]["q1.pdf"]["wrong"] == 0
    assert [doubt["id"] for doubt in found["doubts"]] == ["q5"]
    assert [failure["id"] for failure in failures(run, classes=["not recalled"])["list"]] == ["q3"]


def test_another_rule_judges_what_was_kept_anew(run: Path, tmp_path: Path) -> None:
    assert {f["id"] for f in failures(run, read=1)["list"]} == {"q2", "q3", "q5"}
    assert failures(run, read=9)["wrong"] == 1
    answered = write(tmp_path / "answered", [record("q1", 1, 0.7, right=True), record("q2", 1, 0.2, right=False)])
    assert [f["class"] for f in failures(answered)["list"]] == ["wrong though in context"]
    assert failures(answered, measure="ndcg@10", at_least=0.8)["wrong"] == 2
    assert failures(answered, measure="ndcg@10", at_least=0.1)["wrong"] == 0
    with pytest.raises(BadRequest, match="has no 'bleu'"):
        failures(answered, measure="bleu", at_least=0.1)


def test_a_question_without_an_answer_counts_only_where_answers_were_measured(tmp_path: Path) -> None:
    searched = [record("q1", 1, 1.0), record("q2", None, 0.0, state="unanswerable")]
    answered = [record("q1", 1, 1.0, right=True), record("q2", None, 0.0, state="unanswerable", right=None)]
    run_, other = write(tmp_path / "searched", searched), write(tmp_path / "answered", answered)
    assert (failures(run_)["questions"], failures(run_)["wrong"]) == (1, 0)
    assert [f["class"] for f in failures(other)["list"]] == ["wrongly answered"]
    assert compare(run_, run_)["right"]["questions"] == 1


def test_wrong_requests(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no class 'lost'"):
        failures(run, classes=["lost"])
    old = {name: value for name, value in record("q1", 1, 1.0).items() if name not in ("facts", "stages", "about")}
    with pytest.raises(BadRequest, match="no traced questions"):
        failures(write(tmp_path / "old", [old]))
    with pytest.raises(BadRequest, match="holds no run"):
        failures(tmp_path)


def test_the_command_shows_every_failure(run: Path) -> None:
    shown = CliRunner().invoke(app, ["failures", str(run)], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    for part in ("2 of 4 questions wrong", "recalled too low", "rank 9 of 20", "says [it]", "q5  twice"):
        assert part in shown.output
    as_json_ = CliRunner().invoke(app, ["failures", str(run), "--json"])
    assert json.loads(as_json_.output) == failures(run)
    assert CliRunner().invoke(app, ["failures", str(run), "--answer", "much"]).exit_code != 0


def test_what_changed_sides_and_from_what_to_what(run: Path, tmp_path: Path) -> None:
    other = write(
        tmp_path / "other",
        [record("q1", 8, 0.3), record("q2", 2, 0.6), record("q3", 7, 0.3), record("q5", 2, 0.6)],
    )
    found = compare(run, other)
    right = found["right"]
    assert (right["a"], right["b"], right["better"], right["worse"]) == (2, 2, 1, 1)
    assert right["p"] == right["p_mid"] == right["odds_ratio"] == 1.0
    assert [(m["from"], m["to"], m["questions"]) for m in right["moves"]] == [
        ("not recalled", "recalled too low", ["q3"]),
        ("recalled too low", "right", ["q2"]),
        ("right", "recalled too low", ["q1"]),
    ]
    assert {kind: row["questions"] for kind, row in found["kinds"].items()} == {"table": 3, "text": 1}
    assert found["kinds"]["text"]["effect"] is None
    assert "languages" not in found
    assert found["a"]["lost"] == {"recalled too low": 1, "not recalled": 1}
    shown = CliRunner().invoke(app, ["compare", str(run), str(other)], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    assert "not recalled → recalled too low: q3" in shown.output


def test_a_narrow_terminal_shows_whole_columns_that_decide(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other", [record("q1", 8, 0.3), record("q2", 2, 0.6)])
    for width, there, absent in (
        (80, ["ndcg@10", "difference", "p (Holm)"], ["95 % interval"]),
        (160, ["95 % interval", "d_z"], []),
    ):
        monkeypatch.setattr(terminal.out, "width", width)
        shown = CliRunner().invoke(app, ["compare", str(run), str(other)]).output
        assert all(name in shown for name in there)
        assert not any(name in shown for name in absent)
        assert "…" not in "".join(line for line in shown.splitlines() if line.startswith("ndcg") and width == 80)


@pytest.mark.parametrize(
    ("is_terminal", "environment", "width"), [(True, {}, None), (False, {"COLUMNS": "90"}, None), (False, {}, 160)]
)
def test_what_goes_to_a_file_is_not_cut_to_80_columns(
    is_terminal: bool, environment: dict[str, str], width: int | None
) -> None:
    assert terminal.file_width(is_terminal, environment) == width


def test_what_makes_a_comparison_doubtful_is_said(run: Path, tmp_path: Path) -> None:
    assert compare(run, run)["warnings"] == ["With 4 questions neither an interval nor a p says much."]
    other = write(tmp_path / "other", [record("q1", 1, 1.0)], finished=False, labels="others")
    said = " ".join(compare(run, other)["warnings"])
    for part in (
        "other is not finished: 1 of 1",
        "judgements or documents",
        "Only the 1 questions of both",
        "3 of a and 0 of b",
    ):
        assert part in said


def rows(folder: Path, values: list[float]) -> Path:
    return write(folder, [record(f"q{n:03}", 1, value) for n, value in enumerate(values)])


def test_the_gate(tmp_path: Path) -> None:
    base = rows(tmp_path / "base", [0.8] * 100)
    fallen = rows(tmp_path / "fallen", [0.7] * 100)
    # Nine questions lost, eight won: a fall by .01 that is mostly chance.
    unsure = rows(tmp_path / "unsure", [0.0] * 9 + [1.0] * 31 + [0.8] * 60)
    small = Limit("ndcg@10", 0.01)

    def verdict(run_: Path, limit: Limit, *, strict: bool = False) -> str:
        return judge(compare(base, run_), [limit], strict=strict)[0].verdict

    assert verdict(base, Limit("ndcg@10", 0.0)) == verdict(base, Limit("ndcg@10", 0.0), strict=True) == "passed"
    assert verdict(fallen, small) == verdict(fallen, small, strict=True) == "failed"
    assert verdict(fallen, Limit("ndcg@10", 0.1)) == "passed"
    assert verdict(unsure, Limit("ndcg@10", 0.005)) == "inconclusive"
    assert verdict(unsure, Limit("ndcg@10", 0.005), strict=True) == "failed"
    assert verdict(unsure, Limit("ndcg@10", 0.2), strict=True) == "passed"
    with pytest.raises(BadRequest, match="do not both have 'bleu'"):
        verdict(fallen, Limit("bleu", 0.1))


def test_the_gate_of_the_command(tmp_path: Path) -> None:
    base, fallen = rows(tmp_path / "base", [0.8] * 30), rows(tmp_path / "fallen", [0.7] * 30)

    def exit_code(*arguments: str) -> int:
        return CliRunner().invoke(app, ["compare", str(base), *arguments]).exit_code

    assert exit_code(str(base), "--fail-below", "0") == 0
    assert exit_code(str(fallen), "--fail-below", "0.01") == 1
    assert exit_code(str(fallen), "--fail-below", "0.2", "--fail-below", "answer_recall:0.05") == 1
    assert exit_code(str(fallen), "--fail-below", "0.2", "--metric", "ndcg@10") == 0
    shown = CliRunner().invoke(app, ["compare", str(base), str(fallen), "--fail-below", "0.01", "--json"])
    assert shown.exit_code == 1
    assert json.loads(shown.output)["gate"][0]["verdict"] == "failed"
    unfinished = write(tmp_path / "unfinished", [record("q000", 1, 0.8)], finished=False)
    assert exit_code(str(unfinished), "--fail-below", "1") == 1


@pytest.mark.parametrize("given", ["", "much", "ndcg@10:", "-0.1", "map:-1", "map:nan", "inf"])
def test_a_limit_that_means_nothing(given: str) -> None:
    with pytest.raises(BadRequest, match="no tolerated fall"):
        parse(given, "ndcg@10")


def test_a_limit() -> None:
    assert parse("0.02", "map") == Limit("map", 0.02)
    assert parse("ndcg@10:0", "map") == Limit("ndcg@10", 0.0)
