"""`tuwen eval run`: measure the system that is served on a labelled set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.options import Data, Json, Server

Metrics = Annotated[
    str,
    typer.Option(
        "--metrics",
        help="More measures, separated by commas: ndcg@20, f1@10, auc, bleu, chrf, rouge1, rougeL, meteor, similarity, judge, …",
        show_default=False,
    ),
]
AtOnce = Annotated[int, typer.Option("--concurrency", help="Questions asked at once; latency is measured with 1 only.")]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn: samples, splits, intervals.")]
Sample = Annotated[int | None, typer.Option("--sample", help="Only so many questions, drawn by --seed.")]


def run_set(
    dataset: Annotated[Path, typer.Argument(help="A labelled set: docs/datasets.md lists the layouts.")],
    data: Data = None,
    server: Server = "",
    corpus: Annotated[Path | None, typer.Option(help="Ask this set's questions of another set's documents.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first questions.")] = None,
    sampled: Sample = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run: per-question results; an interrupted run goes on.")
    ] = None,
    answers: Annotated[bool, typer.Option(help="Measure answers, too, where the set has them.")] = False,
    metrics: Metrics = "",
    prices: Annotated[
        Path | None, typer.Option(help="TOML file with what a model's tokens cost: the run's cost is told.")
    ] = None,
    concurrency: AtOnce = 1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure the system that is served on a labelled set."""
    from eval.runner import run

    with terminal.errors(as_json):
        result = run(
            dataset,
            corpus=corpus,
            data=data,
            server=server,
            out=out,
            limit=limit,
            sampled=sampled,
            answers=answers,
            measures=names(metrics),
            prices=prices,
            at_once=concurrency,
            seed=seed,
            show_progress=not as_json and sys.stderr.isatty(),
        )
        if as_json:
            terminal.print_json(result)
            return
        _show(result)


def names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


def _show(result: dict[str, Any]) -> None:
    for name, value in result["metrics"].items():
        terminal.out.print(f"{name:>26}  {value:.4f}", markup=False)
    latency = result["latency_ms"]
    beside = f" ({latency['at_once']} questions at once: no latency)" if "at_once" in latency else ""
    terminal.out.print(f"{'search':>26}  p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms{beside}")
    if used := result.get("usage"):
        cost = f", {used['cost']:.4f} {used['currency']}".rstrip() if "cost" in used else ""
        terminal.out.print(f"{'tokens':>26}  {used['prompt']:,} read, {used['completion']:,} written{cost}")
    index = result["index"]
    if index["failed"]:
        terminal.err.print(f"[yellow]{index['failed']} documents could not be read:[/]")
        for failure in index["failures"]:
            terminal.err.print(f"  {failure['name']}: {failure['reason']}", markup=False)
    terminal.err.print(f"[dim]{result['config']['run']}[/]")
