"""Plots: what goes into the page is only what a plot needs, and every shape of a sweep has its figure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from eval.report.plots import comparison, knowing, results
from eval.report.plots.svg import INKS, drawing, finish, words
from eval.report.plots.sweep import sweep_plots
from eval.report.sweeping import read_sweep
from tests.support.run_folders import write_sweep

HOSTILE = '<script>alert(1)</script> "&\x07\u202e $\\frac{1}{0}$'


def texts(svg: str) -> str:
    return "".join(etree.fromstring(svg).itertext())


def test_svg_has_classes_and_no_colours_styles_or_addresses() -> None:
    plot = results.spread([0.0, 0.5, 1.0, 1.0], "ndcg@10")
    assert not re.search(r"style=|#[0-9a-f]{6}|xmlns|http|<script|<style|<metadata|<image", plot.svg)
    assert {"f-c1", "s-ink", "f-ink"} <= set(re.findall(r"[fs]-[a-z0-9]+", plot.svg))
    for target in re.findall(r'href="(.*?)"|url\((.*?)\)', plot.svg):
        assert (target[0] or target[1]).startswith("#spread-")
    assert "mean 0.625" in texts(plot.svg)
    assert plot.alt == "Of 4 questions, 2 have nDCG@10 1 and 1 have 0; the mean is 0.625."


def test_every_ink_survives_the_way_through_matplotlib() -> None:
    with drawing() as figure:
        axes = figure.add_subplot()
        for place, ink in enumerate(INKS.values()):
            axes.bar([place], [1], color=ink)
        svg = finish(figure, "inks")
    assert {f"f-{name}" for name in INKS} <= set(re.findall(r"f-[a-z0-9]+", svg))


def test_labels_are_text_whatever_they_say() -> None:
    with drawing() as figure:
        figure.add_subplot().set_title(words(HOSTILE, 80))
        svg = finish(figure, "x")
    assert "<script>" not in svg
    assert "<script>alert(1)</script>" in texts(svg)
    assert "\\frac" in texts(svg)
    assert "\u202e" not in texts(svg)


def test_chinese_labels_are_text_for_the_fonts_of_the_browser() -> None:
    with drawing() as figure:
        figure.add_subplot().set_title("检索深度")
        assert "检索深度" in texts(finish(figure, "x"))


def test_the_same_figures_give_the_same_svg() -> None:
    first, second = (results.spread([0.1, 0.9], "map").svg for _ in range(2))
    assert first == second


def test_time_recall_and_steps_tell_their_figures() -> None:
    spent: dict[str, Any] = {
        "latency_ms": {"p50": 12.0, "p95": 80.0},
        "values": [10.0, 12.0, 80.0],
        "steps": {
            "encode": {"median": 5, "mean": 5.0, "share": 0.5},
            "rest": {"median": None, "mean": 5.0, "share": 0.5},
        },
    }
    plot = results.latency(
        {"search": spent, "answer": spent | {"values": [1500.0], "latency_ms": {"p50": 1500.0, "p95": 1500.0}}}
    )
    assert "search: median 12 ms" in plot.alt
    assert "1.5 s" in plot.alt
    assert "everything else 5 ms" in results.steps(spent, "search").alt
    points = [{"k": k, "value": v, "interval": [v - 0.1, v]} for k, v in ((1, 0.5), (10, 0.9))]
    assert results.recall(points).alt == "Recall is 0.500 at 1, 0.900 at 10."


def test_certainty() -> None:
    curve = [{"threshold": 0.9, "coverage": 0.5, "risk": 0.0}, {"threshold": 0.1, "coverage": 1.0, "risk": 0.25}]
    found = {"search": {"curve": curve}, "answers": {"coverage": 0.5, "risk": 0.1, "curve": curve[:1]}}
    assert "50 % are answered, and 10 % of those wrongly" in knowing.risk_coverage(found).alt
    assert "median 0.70 for the 2 answerable" in knowing.evidence([0.6, 0.8], [0.1], 1.0).alt
    bins = [{"low": 0, "high": 0.1, "count": 3, "stated": 0.05, "observed": 0.0}]
    assert "0.00 at 0.05 (3)" in knowing.reliability({"bins": bins, "ece": 0.05, "brier": 0.01}).alt


def test_a_difference_beyond_chance_is_filled() -> None:
    row = {"difference": -0.2, "interval": [-0.3, -0.1], "p": 0.001, "p_holm": 0.002}
    clear, unclear = (comparison.forest({"map": row | {"p_holm": p}}).svg for p in (0.002, 0.3))
    assert "s-c2" in clear
    assert "s-c2" not in unclear


CELLS = {
    "line": [{"settings": {"k": k}, "value": 0.5 + k / 100} for k in (60, 5, 20)],
    "map": [{"settings": {"k": k, "f": f}, "value": 0.5 + k / 100} for k in (1, 2) for f in ("a", "b")],
    "panels": [
        {"settings": {"k": k, "f": f, "s": s}, "value": 0.1 * s} for k in (1, 2) for f in ("a", "b") for s in (1, 2, 3)
    ],
    "ranked": [{"settings": {"r": [name]}, "value": 0.5} for name in ("dense", "词", "lexical")],
    "random": [{"settings": {"a": 0.1 * n, "b": 7 - n}, "value": 0.1 * n} for n in range(6)],
}


@pytest.mark.parametrize("name", CELLS)
def test_a_sweep_is_drawn_by_what_varies(name: str, tmp_path: Path) -> None:
    (plot,) = sweep_plots(read_sweep(write_sweep(tmp_path / "sweep", CELLS[name])))
    expected = {
        "line": "nDCG@10 by k, with 95 % intervals.",
        "map": "nDCG@10 by k and f. Darker is better; the best cell is framed, the baseline dashed.",
        "panels": "nDCG@10 by s and k, a panel for each f. Darker is better; the best cell is framed, the baseline dashed.",
        "ranked": "nDCG@10 of 3 settings, best first; the baseline is hollow.",
        "random": "nDCG@10 of 6 settings, best first; the baseline is hollow.",
    }
    assert plot.caption == expected[name]
    shown = texts(plot.svg)
    if name == "line":
        assert "best" in shown
        assert "baseline" in shown
        assert plot.alt.endswith("0.550 at 5, 0.700 at 20, 1.100 at 60.")
    if name == "map":
        assert shown.count(".510") == 2
    if name == "ranked":
        assert "词" in shown


def test_cells_that_failed_or_stopped_are_not_drawn(tmp_path: Path) -> None:
    cells = [{"settings": {"k": 1}, "value": 0.5}, {"settings": {"k": 2}, "value": None, "error": "too large"}]
    assert sweep_plots(read_sweep(write_sweep(tmp_path / "sweep", cells))) == []
