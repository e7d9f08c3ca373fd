"""`tuwen eval …`: one command a file. What a command works with is imported when it runs."""

from __future__ import annotations

import typer

from eval.commands.calibrate import calibrate_run
from eval.commands.compare import compare_runs
from eval.commands.failures import show_failures
from eval.commands.generate import generate_set
from eval.commands.report import write_report
from eval.commands.review import review_set
from eval.commands.run import run_set
from eval.commands.sweep import sweep_settings

app = typer.Typer(help="Measure retrieval and answers on a labelled set.", no_args_is_help=True)
app.command("run")(run_set)
app.command("sweep")(sweep_settings)
app.command("compare")(compare_runs)
app.command("failures")(show_failures)
app.command("calibrate")(calibrate_run)
app.command("generate")(generate_set)
app.command("review")(review_set)
app.command("report")(write_report)
