"""`tuwen eval compare`: two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from eval.commands.options import Json


def compare_runs(
    first: Annotated[Path, typer.Argument(help="Folder of a run (--out).")],
    second: Annotated[Path, typer.Argument(help="Folder of another run over the same set.")],
    as_json: Json = False,
) -> None:
    """Compare two runs question by question: difference, confidence interval, randomisation test, Holm's correction."""
    from eval.compare import compare

    with terminal.errors(as_json):
        result = compare(first, second)
        if as_json:
            terminal.print_json(result)
            return
        terminal.out.print(f"{result['questions']} questions")
        for name, row in result["metrics"].items():
            low, high = row["interval"]
            terminal.out.print(
                f"{name:>22}  {row['a']:.4f} → {row['b']:.4f}  ({row['difference']:+.4f}, 95 % {low:+.4f} … {high:+.4f}, "
                f"p {row['p']:.3f}, Holm {row['p_holm']:.3f}; {row['better']} better, {row['worse']} worse)",
                markup=False,
            )
