"""`tuwen eval report`: a run, a comparison or a sweep as one HTML file, as JSON, or as a table for a pull request."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from eval.commands.options import Json
from rag.errors import BadRequest

NAME = "report.html"


def write_report(
    run: Annotated[Path | None, typer.Argument(help="Folder of a run (--out). May be left out with --sweep.")] = None,
    against: Annotated[Path | None, typer.Option(help="Folder of the run before, to compare with.")] = None,
    sweep: Annotated[Path | None, typer.Option(help="Folder of a sweep, to show with its plots.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The HTML file (default: report.html in the folder).")
    ] = None,
    measure: Annotated[
        str, typer.Option("--metric", help="The measure to lead with (default: nDCG@10, or what there is).")
    ] = "",
    pictures: Annotated[bool, typer.Option(help="Show pages of documents beside the failures.")] = True,
    picture_bytes: Annotated[int, typer.Option(min=0, help="Most bytes of page pictures.")] = 4_000_000,
    texts: Annotated[
        bool, typer.Option(help="Quote questions, answers and passages, and name documents. Without: figures only.")
    ] = True,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request.")] = False,
    as_json: Json = False,
) -> None:
    """Write what a run, a comparison or a sweep found into one HTML file; with --json or --markdown, print it."""
    from eval.report.report import figures

    with terminal.errors(as_json):
        if markdown and as_json:
            raise BadRequest("--markdown and --json are both given.", "Give one of them.")
        from eval.report.markdown import markdown as table
        from eval.runner import default_settings, page_images

        numbers = figures(run, against=against, sweep=sweep, measure=measure, defaults=default_settings, texts=texts)
        if out is not None or not (markdown or as_json):
            from eval.report.html import html

            target = out or Path(sweep if sweep is not None and run is None else numbers["run"]["folder"]) / NAME
            with ExitStack() as stack:
                images = (
                    stack.enter_context(page_images(numbers["run"]["index"] or "", numbers["run"]["server"] or ""))
                    if pictures and texts
                    else None
                )
                page = html(numbers, page_image=images, budget=picture_bytes, command=_command() if texts else "")
            _write(target, page)
            if not (markdown or as_json):
                for one in (numbers.get("sweep", {}).get("verdict"), numbers.get("comparison", {}).get("verdict")):
                    if one:
                        terminal.out.print(one, markup=False)
                terminal.out.print(str(target), markup=False)
        if markdown:
            terminal.out.print(table(numbers), markup=False, end="")
        elif as_json:
            terminal.print_json(numbers)


def _command() -> str:
    return shlex.join(["tuwen", *sys.argv[1:]])


def _write(target: Path, page: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{target} cannot be written: {error.strerror}.", "Name another file with -o.") from error
