"""`tuwen eval failures`: which step lost each wrong question, and what every step saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.options import Json

TABLES = {"kind": "kind of question", "language": "language", "page": "page", "document": "document"}
ROWS = 10


def show_failures(
    run: Annotated[Path, typer.Argument(help="Folder of a run (--out).")],
    only: Annotated[
        list[str] | None, typer.Option("--class", help="Only failures of this class; may be repeated.")
    ] = None,
    read: Annotated[
        int | None, typer.Option(min=1, help="Hits that count as read (default: those of the run).")
    ] = None,
    answer: Annotated[
        str,
        typer.Option(
            help="When an answer is right, as MEASURE:AT_LEAST: token_f1:0.4 (default: words, names and numbers)."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Say of every wrong question which step lost it, and what each step saw."""
    from eval.failures.rule import parse_answer
    from eval.failures.table import failures

    with terminal.errors(as_json):
        measure, at_least = parse_answer(answer)
        found = failures(run, classes=only or (), read=read, measure=measure, at_least=at_least)
        if as_json:
            terminal.print_json(found)
            return
        _overview(found)
        for failure in found["list"]:
            _one(failure)
        _doubts(found)


def _overview(found: Mapping[str, Any]) -> None:
    from rich.table import Table

    out = terminal.out
    rule = found["rule"]
    out.print(
        f"[bold]{found['wrong']} of {found['questions']} questions wrong[/] (the first {rule['read']} hits are read)"
    )
    if not found["wrong"]:
        return
    classes = Table("class", "n", "what it means", "what usually helps", box=None, pad_edge=False)
    for name, row in found["classes"].items():
        classes.add_row(name, str(row["count"]), row["meaning"], row["remedy"])
    out.print(classes)
    for group, title in TABLES.items():
        rows = {name: row for name, row in found["by"][group].items() if row["wrong"]}
        if len(found["by"][group]) < 2:
            continue
        table = Table(title, "wrong", "of", "classes", box=None, pad_edge=False)
        for name, row in list(rows.items())[:ROWS]:
            classes_ = ", ".join(f"{count} {kind}" for kind, count in row["classes"].items())
            table.add_row(name, str(row["wrong"]), str(row["questions"]), classes_)
        out.print()
        out.print(table)
        if len(rows) > ROWS:
            out.print(f"  and {len(rows) - ROWS} more", style="dim")


def _one(failure: Mapping[str, Any]) -> None:
    out = terminal.out
    out.print()
    out.rule(style="dim")
    out.print(f"{failure['id']}  {failure['question']}", style="bold", markup=False)
    out.print(f"{failure['class']}: {failure['why']}", style="red", markup=False)
    if failure["missed_by"]:
        out.print(f"not found at all by {', '.join(failure['missed_by'])}", markup=False)
    seen = failure.get("evidence")
    if not seen:
        return
    if answer := seen.get("answer"):
        out.print(f"expected  {' | '.join(answer['expected']) or '(no answer)'}", markup=False)
        out.print(f"answered  {answer['text']}", markup=False)
        for cited in answer["citations"]:
            page = "" if cited["page"] is None else f", page {cited['page']}"
            out.print(
                f"cited     {cited['document']}{page}{'' if cited['verified'] else ' (not verified)'}", markup=False
            )
    for passage in seen["gold"]:
        out.print(f"answers   {_passage(passage)}", style="green", markup=False)
    before: list[str] = []
    for name, stage in seen["stages"].items():
        place = "not there" if stage["gold"] is None else f"rank {stage['gold']}"
        top = [passage["chunk_id"] for passage in stage["top"]]
        again = ", the same first ones" if top and top == before else ""
        out.print(f"{name:<9} {place} of {stage['size']}{again}", style="cyan", markup=False)
        for number, passage in enumerate([] if again else stage["top"], 1):
            mark = "+" if passage["gold"] else " "
            out.print(
                f"       {mark}{number} {_passage(passage, 110)}", markup=False, overflow="ellipsis", no_wrap=True
            )
        before = top
    if "doubt" in failure:
        out.print(f"Is the label complete? {failure['doubt']['why']}", style="yellow", markup=False)


def _doubts(found: Mapping[str, Any]) -> None:
    more = [doubt for doubt in found["doubts"] if not doubt["wrong"]]
    if more:
        terminal.out.print()
        terminal.out.print("Questions that are right, whose labels may be incomplete:", style="yellow")
        for doubt in more[:ROWS]:
            terminal.out.print(f"  {doubt['id']}  {doubt['why']}", markup=False)
        if len(more) > ROWS:
            terminal.out.print(f"  and {len(more) - ROWS} more (--json)", style="dim")


def _passage(passage: Mapping[str, Any], length: int = 400) -> str:
    if "document" not in passage:
        return str(passage["chunk_id"])
    pages = passage["pages"]
    where = passage["document"] + (f", page {'–'.join(str(page) for page in pages)}" if pages else "")
    text = str(passage["text"])
    return f"{where}: {text if len(text) <= length else text[: length - 1] + '…'}"
