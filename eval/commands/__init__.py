"""`tuwen eval …`: one command a file. What a command works with is imported when it runs."""

from __future__ import annotations

import typer

from eval.commands.compare import compare_runs
from eval.commands.run import run_set

app = typer.Typer(help="Measure retrieval and answers on a labelled set.", no_args_is_help=True)
app.command("run")(run_set)
app.command("compare")(compare_runs)
