"""`tuwen eval run`: measure the system that is served on a labelled set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from eval.commands.options import Data, Json, Server


def run_set(
    dataset: Annotated[Path, typer.Argument(help="A labelled set: docs/datasets.md lists the layouts.")],
    data: Data = None,
    server: Server = "",
    corpus: Annotated[Path | None, typer.Option(help="Ask this set's questions of another set's documents.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first questions.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run: per-question results; an interrupted run goes on.")
    ] = None,
    answers: Annotated[bool, typer.Option(help="Measure answers, too, where the set has them.")] = False,
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
            answers=answers,
            show_progress=not as_json and sys.stderr.isatty(),
        )
        if as_json:
            terminal.print_json(result)
            return
        for name, value in result["metrics"].items():
            shown = f"{value:.4f}" if isinstance(value, float) else value
            terminal.out.print(f"{name:>22}  {shown}", markup=False)
        latency = result["latency_ms"]
        terminal.out.print(f"{'latency':>22}  p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms")
        if result["index"]["failed"]:
            terminal.err.print(f"[yellow]{result['index']['failed']} documents could not be read:[/]")
            for failure in result["index"]["failures"]:
                terminal.err.print(f"  {failure['name']}: {failure['reason']}", markup=False)
        terminal.err.print(f"[dim]{result['config']['run']}[/]")
