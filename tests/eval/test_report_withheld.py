"""A report without texts: nothing of what was read, asked and answered is in it, and every figure is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.report.html import html
from eval.report.markdown import markdown
from eval.report.report import figures
from eval.report.withheld import withhold
from tests.support.run_folders import lost, record, write_run, write_sweep

SECRET = "Kestrel"


def made(tmp_path: Path, **options: Any) -> dict[str, Any]:
    passage = {"document": f"{SECRET}.pdf", "pages": [2], "text": f"The {SECRET} passage", "gold": True}
    told = lost(1)["lost"] | {"why": f"no passage has {SECRET}", "missed_by": ["dense"]}
    told["evidence"] = {
        "gold": [passage],
        "stages": {"fuse": {"size": 7, "gold": 6, "top": [passage]}},
        "answer": {"expected": [SECRET], "citations": []},
    }
    answer = record(1)["answer"] | {"text": f"It is {SECRET}."}
    answer["cited"][0] |= {"document": f"{SECRET}.pdf", "quote": SECRET}
    first = record(1, question=f"What is {SECRET}?", lost=told, answer=answer, metrics={"ndcg@10": 0.25})
    first |= {"documents": [[f"{SECRET}.pdf", 1.0]], "documents_judged": {f"{SECRET}.pdf": 1}}
    first["doubt"] = {"why": f"{SECRET} stands elsewhere"}
    settings = {"profile": "embedded", "models": {"dir": f"/home/{SECRET}/models"}, "ingest": {"chunk_tokens": 300}}
    config = {"system": {"settings": settings, "server": f"http://{SECRET}:8080"}, "labels": "l", "depth": 100}
    index = {"documents": 1, "chunks": 1, "failed": 1, "failures": [{"name": SECRET, "reason": "torn"}]}
    home = tmp_path / SECRET
    run = write_run(home / "run", [first, record(2)], config=config, index=index, warnings=[f"{SECRET}.jsonl: odd"])
    base = write_run(home / "base", [record(1, question=f"What is {SECRET}?"), record(2)], warnings=[SECRET])
    cells = [{"settings": {"retrieval.depth": depth}, "value": 0.5, "run": str(run)} for depth in (50, 100)]
    cells.append({"settings": {"retrieval.depth": 10}, "value": 0.1, "error": f"{SECRET} is torn"})
    sweep = write_sweep(home / "sweep", cells, metric="ndcg@10", warnings=[SECRET])
    return figures(run, against=base, sweep=sweep, **options)


def test_nothing_is_quoted_or_named(tmp_path: Path) -> None:
    whole = made(tmp_path)
    assert json.dumps(whole).count(SECRET) > 10
    without = made(tmp_path / "b", texts=False)
    assert SECRET not in json.dumps(without)
    assert SECRET not in html(without)
    assert SECRET not in markdown(without)


def test_every_figure_stays(tmp_path: Path) -> None:
    whole = made(tmp_path)
    without = withhold(whole)
    for name in ("metrics", "by_kind", "spread", "recall", "knowing", "times", "questions", "measure", "abstract"):
        assert without[name] == whole[name]
    assert without["comparison"]["metrics"] == whole["comparison"]["metrics"]
    assert [cell["value"] for cell in without["sweep"]["cells"]] == [cell["value"] for cell in whole["sweep"]["cells"]]
    (case,) = without["failures"]["list"]
    assert (case["id"], case["class"], case["judged"]) == ("q1", "not recalled", True)
    assert [(stage["size"], stage["gold"]) for stage in case["stages"]] == [(7, 6)]
    assert without["settings"] | {"models.dir": "…/models"} == without["settings"]


def test_the_page_says_that_texts_are_left_out(tmp_path: Path) -> None:
    page = html(made(tmp_path, texts=False))
    assert "are left out of this report" in page
    assert "2 warnings are left out with the texts" in page
    assert ">q1</bdi></h3>" in page
    assert "What each stage saw" in page


@pytest.mark.parametrize("metric", ["ndcg@10", "recall@5"])
def test_a_sweep_leads_with_what_it_was_chosen_by(tmp_path: Path, metric: str) -> None:
    run = write_run(tmp_path / "run", [record(1), record(2)])
    cells = [{"settings": {"retrieval.depth": 50}, "value": 0.5, "run": str(run)}]
    sweep = write_sweep(tmp_path / "sweep", cells, metric=metric)
    assert figures(run, sweep=sweep)["measure"] == metric
    assert figures(run, sweep=sweep, measure="source_hit@5")["measure"] == "source_hit@5"
