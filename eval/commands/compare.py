"""`tuwen eval compare`: two runs side by side, and a gate for CI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.options import Json

STYLES = {"passed": "green", "inconclusive": "yellow", "failed": "red"}
IDS = 8
_WIDE = 118
"""Columns of a terminal that has room for the whole table."""
_DECIDING = ("n", "a", "b", "difference", "p (Holm)")


def compare_runs(
    first: Annotated[Path, typer.Argument(help="Folder of a run (--out).")],
    second: Annotated[Path, typer.Argument(help="Folder of another run over the same set.")],
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Only this measure; may be repeated.")] = None,
    by: Annotated[
        str, typer.Option(help="The main measure: what questions, kinds and languages are compared by.")
    ] = "ndcg@10",
    fail_below: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-below",
            help="Exit with 1 if METRIC fell by more than DELTA and that is more than chance: METRIC:DELTA, or DELTA for the main measure.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 1 unless a fall by more than DELTA is excluded (non-inferiority)."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two runs question by question: differences with their intervals, tests, effect sizes, and what changed sides."""
    from eval.compare import compare
    from eval.gate import judge, parse

    with terminal.errors(as_json):
        limits = [parse(given, by) for given in fail_below or ()]
        chosen = list(dict.fromkeys([*metric, by, *(limit.measure for limit in limits)])) if metric else []
        result = compare(first, second, measures=chosen, by=by)
        judged = judge(result, limits, strict=strict) if limits else []
        if as_json:
            gate = [{"verdict": one.verdict, "line": one.line} for one in judged]
            terminal.print_json(result | ({"gate": gate} if limits else {}))
        else:
            _show(result)
            for one in judged:
                terminal.out.print(one.line, style=STYLES[one.verdict], markup=False, soft_wrap=True)
    if any(one.verdict == "failed" for one in judged):
        raise typer.Exit(1)


def _show(result: Mapping[str, Any]) -> None:
    out = terminal.out
    out.print(f"a  {result['a']['run']}", markup=False, soft_wrap=True)
    out.print(f"b  {result['b']['run']}", markup=False, soft_wrap=True)
    out.print(f"{result['questions']} questions, b against a")
    for warning in result["warnings"]:
        terminal.err.print(f"! {warning}", style="yellow", markup=False)
    _rows(result["metrics"], "measure")
    for table, title in (("kinds", "kind"), ("languages", "language")):
        if table in result:
            out.print(f"\n{result['changed']['by']} by {title}")
            _rows(result[table], title)
    if "right" in result:
        _sides(result["right"])
    changed = result["changed"]
    for side in ("better", "worse"):
        if changed[side]:
            out.print(f"most {side} in {changed['by']}: {', '.join(changed[side])}", markup=False)


def _rows(rows: Mapping[str, Mapping[str, Any]], title: str) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(title, no_wrap=True)
    names = ("n", "a", "b", "difference", "95 % interval", "p", "p (Holm)", "d_z", "better", "worse")
    # A terminal of 80 columns shows what decides, and nothing cut short.
    shown = [name for name in names if terminal.out.width >= _WIDE or name in _DECIDING]
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for name, row in rows.items():
        low, high = row["interval"]
        effect = "–" if row["effect"] is None else f"{row['effect']:+.2f}"
        figures = (
            f"{row['difference']:+.4f}",
            f"{low:+.4f} … {high:+.4f}",
            f"{row['p']:.3f}",
            f"{row['p_holm']:.3f}",
            effect,
        )
        counts = (str(row["better"]), str(row["worse"]))
        style = "" if row["p_holm"] >= 0.05 else "green" if row["difference"] > 0 else "red"
        cells = (str(row["questions"]), f"{row['a']:.4f}", f"{row['b']:.4f}", *figures, *counts)
        kept = (cell for column, cell in zip(names, cells, strict=True) if column in shown)
        table.add_row(name or "–", *kept, style=style)
    terminal.out.print(table)


def _sides(right: Mapping[str, Any]) -> None:
    out = terminal.out
    low, high = right["interval"]
    odds = "–" if right["odds_ratio"] is None else f"{right['odds_ratio']:.2f}"
    upper = "∞" if high is None else f"{high:.2f}"
    out.print(
        f"\nright: {right['a']} → {right['b']} of {right['questions']}; {right['better']} became right, {right['worse']} wrong "
        f"(McNemar p {right['p']:.3f}, mid-p {right['p_mid']:.3f}; odds ratio {odds}, 95 % {low:.2f} … {upper})",
        soft_wrap=True,
    )
    for move in right["moves"]:
        ids = ", ".join(move["questions"][:IDS]) + (" …" if len(move["questions"]) > IDS else "")
        out.print(f"  {len(move['questions']):>3}  {move['from']} → {move['to']}: {ids}", markup=False, soft_wrap=True)
