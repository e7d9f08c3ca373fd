"""`tuwen eval sweep`: which settings are best on a labelled set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.options import Data, Json
from eval.commands.run import AtOnce, Metrics, Sample, names

METRIC, SEED = "ndcg@10", 0


def sweep_settings(
    dataset: Annotated[Path, typer.Argument(help="A labelled set: docs/datasets.md lists the layouts.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting and its values: retrieval.rrf_k=5,10,20, or low..high with --random.",
            metavar="NAME=…",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The same in a TOML file (docs/evaluation.md).")] = None,
    metric: Annotated[str | None, typer.Option(help=f"What decides (default: {METRIC}).", show_default=False)] = None,
    random: Annotated[int | None, typer.Option(help="Try so many combinations drawn at random, not all.")] = None,
    halving: Annotated[
        bool | None,
        typer.Option("--halving", help="Ask few questions first and go on with the better half, again and again."),
    ] = None,
    split: Annotated[
        float | None, typer.Option(help="Share of the questions to choose on; the choice is confirmed on the others.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the sweep; an interrupted sweep goes on.")] = None,
    use: Annotated[
        bool, typer.Option("--use", help="Write the best settings to the data directory's tuwen.toml.")
    ] = False,
    data: Data = None,
    corpus: Annotated[Path | None, typer.Option(help="Ask this set's questions of another set's documents.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first questions.")] = None,
    sampled: Sample = None,
    answers: Annotated[bool, typer.Option(help="Measure answers, too, where the set has them.")] = False,
    metrics: Metrics = "",
    concurrency: AtOnce = 1,
    seed: Annotated[
        int | None, typer.Option(help=f"Of everything that is drawn (default: {SEED}).", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Try combinations of settings on a labelled set, and confirm the best one on questions it was not chosen on."""
    from eval.runner import sweep
    from eval.sweep.axes import parse_axis, read_axes
    from eval.sweep.flow import Plan

    with terminal.errors(as_json):
        axes, given = read_axes(config) if config else ([], {})
        axes += [parse_axis(text) for text in settings or ()]
        # The command line before the file.
        chosen = {"metric": metric, "random": random, "halving": halving, "split": split, "seed": seed}
        given |= {name: value for name, value in chosen.items() if value is not None}
        plan = Plan(
            axes=tuple(axes),
            metric=str(given.get("metric", METRIC)),
            random=given.get("random"),
            halving=bool(given.get("halving", False)),
            share=given.get("split"),
            seed=int(given.get("seed", SEED)),
        )
        result = sweep(
            dataset,
            plan,
            corpus=corpus,
            data=data,
            out=out,
            limit=limit,
            sampled=sampled,
            answers=answers,
            measures=names(metrics),
            at_once=concurrency,
            use=use,
            tell=_tell(as_json),
            show_progress=not as_json and sys.stderr.isatty(),
        )
        if as_json:
            terminal.print_json(result)
        else:
            _show(result)


def _tell(as_json: bool) -> Any:
    return (lambda _: None) if as_json else (lambda text: terminal.err.print(f"[dim]{text}[/]", highlight=False))


def _show(result: dict[str, Any]) -> None:
    from eval.sweep.flow import short_names, shown

    metric, halves = result["metric"], result["split"]
    rows = [
        [*short_names(result["axes"]), *(("to choose", "to report") if halves else (metric,)), "difference, 95 %", ""]
    ]
    for number, cell in sorted(enumerate(result["cells"]), key=_order(metric)):
        if "error" not in cell:
            parts = [cell["train"], cell["test"]] if halves else [cell["train"]]
            scores = [f"{part['metrics'][metric]:.4f}" if part else "–" for part in parts]
            notes = [*["best"] * (number == result["best"]), *["as it stands"] * (number == result["baseline"])]
            rows.append([*map(str, cell["settings"].values()), *scores, _against(cell, metric), ", ".join(notes)])
    terminal.out.print(f"{metric}, {_questions(result)}", markup=False)
    # Not a table of rich: that one cuts columns where the terminal is narrow.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(f"{value:<{width}}" for value, width in zip(row, widths, strict=True))
        terminal.out.print(line.rstrip(), markup=False)
    for cell in result["cells"]:
        if "error" in cell:
            terminal.err.print(
                f"{shown(cell['settings'])} cannot be run: {cell['error']}", markup=False, highlight=False
            )
    _verdict(result)
    terminal.err.print(f"[dim]{result['folder']}[/]")


def _questions(result: dict[str, Any]) -> str:
    if halves := result["split"]:
        others = " about other documents" if halves["by"] == "documents" else ""
        return f"{halves['train']} questions to choose on, {halves['test']} to report on{others}"
    return f"{result['cells'][result['baseline']]['questions']} questions"


def _order(metric: str) -> Any:
    def key(item: tuple[int, dict[str, Any]]) -> tuple[float, float]:
        _, cell = item
        if cell["train"]:
            return -1.0, -cell["train"]["metrics"][metric]
        return (0.0, -cell["stopped"][metric]) if "stopped" in cell else (1.0, 0.0)

    return key


def _against(cell: dict[str, Any], metric: str) -> str:
    if "stopped" in cell:
        return f"stopped after {cell['stopped']['questions']} questions ({cell['stopped'][metric]:.4f})"
    if cell["interval"] is None:
        return ""
    low, high = cell["interval"]
    return f"{cell['difference']:+.4f} ({low:+.4f} … {high:+.4f})"


def _verdict(result: dict[str, Any]) -> None:
    found = result["confirmed"]
    if found is None:
        terminal.out.print("Nothing is better than the settings as they stand.")
    else:
        low, high = found["interval"]
        on = (
            f"{found['questions']} other questions"
            if found["on"] == "test"
            else f"the same {found['questions']} questions"
        )
        sure = "" if low > 0 else ": no more than chance may give" if high >= 0 else ": worse there"
        terminal.out.print(
            f"The best one on {on}: {found['difference']:+.4f} (95 % {low:+.4f} … {high:+.4f}, p {found['p']:.3f}){sure}.",
            markup=False,
        )
        if found["on"] == "all" and len(result["cells"]) > 2:
            terminal.out.print("It was chosen on these questions, so this is too good: --split confirms it on others.")
    if used := result.get("used"):
        if not used["settings"]:
            terminal.out.print("Nothing had to be written.")
            return
        written = ", ".join(f"{name} = {value}" for name, value in used["settings"].items())
        terminal.out.print(f"Written to {used['file']}: {written}.", markup=False)
        if used["ingest_again"]:
            terminal.out.print("What is indexed depends on it: run `tuwen ingest` again on your documents.")
