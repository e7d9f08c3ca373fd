"""How the command line shows things to a person. Progress goes to stderr, results to stdout."""

from __future__ import annotations

import json
import logging
import os
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rag.errors import SetupError, TuwenError

if TYPE_CHECKING:
    from ingest.events import FileEvent, Report
    from rag.stores.vectors import Precision

_FILE_WIDTH = 160


def file_width(is_terminal: bool, environment: Mapping[str, str]) -> int | None:
    """Columns of what goes to a file or a pipe, whose width nobody knows: tables are cut to 80 else. None leaves it to the terminal."""
    return None if is_terminal or "COLUMNS" in environment else _FILE_WIDTH


out = Console(highlight=False, soft_wrap=True, width=file_width(sys.stdout.isatty(), os.environ))
# In a file or a pipe a message is one line, whatever its length.
err = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())

SHOWN_CHANGES = 20
_MARKS = {"published": "[green]+[/]", "unchanged": "[dim]=[/]", "failed": "[red]![/]"}


@contextmanager
def errors(as_json: bool) -> Iterator[None]:
    """Around every command: an error that a person can meet is shown with its remedy, and the exit status is 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    try:
        yield
    except TuwenError as error:
        if as_json:
            shown = {"type": type(error).__name__, "message": error.message, "remedy": error.remedy}
            print_json({"error": shown})
        else:
            show_error(error)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, BrokenPipeError):
        raise typer.Exit(1) from None
    except ModuleNotFoundError as error:
        show_error(
            SetupError(f"The Python package {error.name} is not installed.", "Install Tuwen again: make install")
        )
        raise typer.Exit(1) from None


def print_json(value: Any) -> None:
    """For machines: on one line where nobody looks."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
    sys.stdout.write("\n")


def show_error(error: TuwenError) -> None:
    err.print(f"[red bold]{escape(error.message)}[/]")
    if error.remedy:
        err.print(f"→ {escape(error.remedy)}")


class IngestView:
    """A line for the file under way, counts, and each failure as it happens; with `each`, what was published, too."""

    def __init__(self, total: int, each: bool = False) -> None:
        self._each = each
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=err,
            transient=True,
        )
        self._task = self._progress.add_task("ingesting", total=total or None)

    def __enter__(self) -> IngestView:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: FileEvent) -> None:
        if event.state == "embedding":
            self._progress.update(
                self._task, description=escape(f"{textwrap.shorten(event.name, 50)}: embedding {event.chunks} chunks")
            )
            return
        if event.state == "parsing":
            pages = f" page {event.page}" + (f" of {event.pages}" if event.pages else "") if event.page else ""
            self._progress.update(self._task, description=escape(textwrap.shorten(event.name, 50) + pages))
            return
        self._progress.update(self._task, advance=1)
        if event.state == "failed":
            self._progress.console.print(f"{_MARKS['failed']} {escape(event.message)}")
            if event.remedy:
                self._progress.console.print(f"  → {escape(event.remedy)}")
        elif event.state == "published" and self._each:
            self._progress.console.print(f"{_MARKS['published']} {escape(event.name)}")


@contextmanager
def ingest_view(
    total: int, *, as_json: bool, events: bool, each: bool = False
) -> Iterator[Callable[[FileEvent], None]]:
    """What to tell the progress of an ingest to: a line for a person, lines of JSON for a program, or nobody."""
    if events:
        yield lambda event: print(json.dumps(asdict(event), ensure_ascii=False), file=sys.stderr, flush=True)  # noqa: T201
    elif as_json:
        yield lambda _: None
    else:
        with IngestView(total, each) as view:
            yield view.show


@contextmanager
def interruptible(*, quiet: bool) -> Iterator[None]:
    """Says to whoever presses Ctrl-C what becomes of the rest."""
    try:
        yield
    except KeyboardInterrupt:
        if not quiet:
            err.print(
                "Interrupted: what is not published yet is set aside. The same command again, or `tuwen jobs resume`, goes on with it."
            )
        raise


def show_report(report: Report) -> None:
    for name, warning in report.warnings:
        err.print(f"[yellow]{escape(name)}:[/] {escape(warning)}")
    changes = [f"moved: {old} → {new}" for old, new in report.moved] + [f"deleted: {name}" for name in report.deleted]
    for change in changes[:SHOWN_CHANGES]:
        out.print(escape(change))
    if len(changes) > SHOWN_CHANGES:
        out.print(f"… and {len(changes) - SHOWN_CHANGES:,} more")
    states = ("published", "unchanged", "failed", "cancelled", "deleted")
    parts = [f"{report.states[state]} {state}" for state in states if report.states[state]]
    summary = ", ".join(parts) or "no files"
    chunks = f"; {report.chunks} chunk{'s' if report.chunks > 1 else ''}" if report.chunks else ""
    out.print(f"{summary}{chunks} in {report.seconds:.1f} s{' (cancelled)' if report.cancelled else ''}")


def report_json(report: Report) -> dict[str, Any]:
    return {
        "published": report.states["published"],
        "unchanged": report.states["unchanged"],
        "failed": report.states["failed"],
        "deleted": report.states["deleted"],
        "moved": [{"from": old, "to": new} for old, new in report.moved],
        "chunks": report.chunks,
        "embedded": report.embedded,
        "pages": report.pages,
        "seconds": round(report.seconds, 3),
        "cancelled": report.cancelled,
        "failures": [
            {"name": f.name, "error": {"type": f.error, "message": f.message, "remedy": f.remedy}}
            for f in report.failures
        ],
        "warnings": [{"name": name, "warning": warning} for name, warning in report.warnings],
    }


def show_hits(result: dict[str, Any]) -> None:
    for number, hit in enumerate(result["hits"], start=1):
        page = f", page {hit['page']}" if hit["page"] else ""
        headings = f" — {' › '.join(hit['headings'])}" if hit["headings"] else ""
        out.print(f"[bold]{number}. {escape(hit['document']['name'])}{page}[/][dim]{escape(headings)}[/]")
        ranks = ", ".join(f"{name} #{rank}" for name, rank in sorted(hit["ranks"].items()))
        out.print(f"   [dim]{hit['kind']}, score {hit['score']:.4f} ({escape(ranks)})[/]")
        if "steps" in hit:
            out.print(f"   [cyan]{escape(_steps(hit['steps']))}[/]")
        text = textwrap.shorten(hit["text"].replace("\n", " "), 300, placeholder=" …")
        out.print(textwrap.indent(escape(text), "   "))
        for place in hit.get("also", ()):
            where = f", page {place['page']}" if place["page"] else ""
            out.print(f"   [dim]says the same: {escape(place['document']['name'])}{where}[/]")
    if not result["hits"]:
        out.print("Nothing was found.")
    for note in result.get("notes", ()):
        err.print(f"[dim]{escape(note)}[/]")
    timings = result["timings"]
    err.print(f"[dim]{timings.get('total', 0):.0f} ms (encoding {timings.get('encode', 0):.0f} ms)[/]")


def show_citations(answer: dict[str, Any]) -> None:
    for item in answer["citations"]:
        page = f", page {item['page']}" if item["page"] else ""
        verdict = "[green]verified[/]" if item["verified"] else "[yellow]not verified[/]"
        out.print(f"[bold]\\[{item['marker']}][/] {escape(item['document']['name'])}{page} ({verdict})")
        quote = textwrap.shorten(item["quote"].replace("\n", " "), 300, placeholder=" …")
        out.print(textwrap.indent(escape(f"“{quote}”"), "    "))
    for claim in answer.get("unsupported", ()):
        out.print(f"[yellow]not supported:[/] {escape(claim)}")
    if answer.get("support") is not None:
        err.print(f"[dim]support: {answer['support']:.0%} of the claims[/]")
    for note in answer["notes"]:
        err.print(f"[dim]{escape(note)}[/]")
    timings = answer["timings"]
    first = f", first word after {timings['first_token'] / 1000:.1f} s" if "first_token" in timings else ""
    err.print(f"[dim]{escape(answer['generator'])}: {timings['total'] / 1000:.1f} s{first}[/]")


def _steps(steps: list[dict[str, Any]]) -> str:
    """How a hit came through the steps: `dense #1 0.527 → lexical #2 18.1 → fuse #1 0.852`."""
    return " → ".join(
        f"{item['step']} #{item['rank']} {item['score']:.3g}" for item in steps if item["step"] not in ("fold", "hits")
    )


def show_explained(result: dict[str, Any]) -> None:
    """How it was searched, how many chunks each step left, what an answer was written from, and the prompt, where the request asked."""
    explained = result.get("explain")
    if not explained:
        return
    how = explained["search"]
    if how:
        reranker = how["reranker"]
        fine = "none"
        if reranker:
            let_through = (
                f"on {reranker['depth']}, weight {reranker['weight']:g}" if reranker["depth"] else "not let through"
            )
            fine = f"{reranker['name']} {let_through}"
        out.print(
            f"[bold]searched for[/] {escape(how['question'])} [dim]({how['language']}; scheme {how['scheme']}, fusion {how['fusion']}, "
            f"reranker {escape(fine)})[/]"
        )
        for kind, texts in how["variants"].items():
            for text in texts:
                out.print(f"[bold]and {'for' if kind == 'questions' else 'by the passage'}[/] {escape(text)}")
    sizes = [f"{stage['name']} {len(stage['ranking'])}" for stage in explained["stages"]]
    out.print(f"[bold]left by each step[/] {escape(' → '.join(sizes))}")
    for hit in result.get("context", ()):
        page = f", page {hit['page']}" if hit["page"] else ""
        out.print(f"[bold]{escape(hit['document']['name'])}{page}[/] [cyan]{escape(_steps(hit['steps']))}[/]")
    if explained["evidence"] is not None:
        checked = f", self-check {result['self_check']:.3f} in it" if "self_check" in result else ""
        out.print(f"[bold]evidence[/] {explained['evidence']:.3f}{checked}")
    if explained.get("prompt"):
        out.print(f"[bold]prompts[/] {escape(explained['prompts'])}")
    for message in explained.get("prompt", ()):
        out.rule(message["role"], align="left")
        out.print(message["content"], markup=False)


def show_documents(files: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("id", "collection", "name", "status", "pages", "chunks"):
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for file in files:
        status = file["status"]
        if "error" in file:
            status += f": {file['error']['message']}"
        numbers = [str(file.get(key) or "") for key in ("pages", "chunks")]
        table.add_row(file["id"], escape(file["collection"]), escape(file["name"]), escape(status), *numbers)
    out.print(table)


SHOWN_JOBS = 50
SETTLED = frozenset({"published", "unchanged", "cancelled"})


def show_jobs(jobs: list[dict[str, Any]], *, everything: bool = False) -> None:
    """What waits, is under way or failed, each with its reason; how many there are in each state."""
    shown = [job for job in jobs if everything or job["status"] not in SETTLED]
    for job in shown if everything else shown[:SHOWN_JOBS]:
        _show_job(job)
    if len(shown) > SHOWN_JOBS and not everything:
        out.print(f"… and {len(shown) - SHOWN_JOBS:,} more (--all)")
    counts = Counter(job["status"] for job in jobs)
    out.print(", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "The queue is empty.")


def show_dead_letters(letters: list[dict[str, Any]]) -> None:
    for letter in letters:
        _show_job(letter)
    if letters:
        out.print(f"{len(letters):,} failed. `tuwen jobs retry` tries them again, or those that you name.")
    else:
        out.print("Nothing has failed.")


def _show_job(job: dict[str, Any]) -> None:
    status = job["status"]
    progress = job.get("progress", {})
    if "chunks" in progress:
        status += f" {progress['chunks']:,} chunks"
    elif progress:
        of = f" of {progress['pages']}" if progress["pages"] else ""
        status += f", page {progress['page']}{of}"
    if job.get("attempts", 1) > 1:
        status += f", attempt {job['attempts']}"
    collection = f" [dim]in {escape(job['collection'])}[/]" if job["collection"] != "default" else ""
    when = f" [dim]{time.strftime('%Y-%m-%d %H:%M', time.localtime(job['at']))}[/]" if job.get("at") else ""
    out.print(f"[bold]{escape(job['name'])}[/]{collection}: {status}{when} [dim]{job['id']}[/]")
    if "error" in job:
        out.print(f"  {escape(job['error']['message'])}")
        if job["error"]["remedy"]:
            out.print(f"  → {escape(job['error']['remedy'])}")


def show_versions(versions: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("published", "bytes", "chunks", "embedded anew", "sha256"):
        table.add_column(column, justify="left" if column in ("published", "sha256") else "right")
    for item in versions:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(item["published_at"]))
        numbers = [f"{item[key]:,}" for key in ("size", "chunks", "embedded")]
        table.add_row(when, *numbers, item["sha256"][:16])
    out.print(table)


def show_precisions(found: Mapping[Precision, int], wanted: Precision) -> None:
    """How vectors are stored, where that is not all in single precision as it is set."""
    other = sum(count for name, count in found.items() if name != wanted)
    if other:
        err.print(
            f"[yellow]{other} of {sum(found.values())} vectors are not stored as `index.vectors` says ({wanted}).[/]\n"
            "→ Search works with both. `tuwen doctor --rebuild` stores all of them so"
            + ("." if wanted == "int8" else ": those in bytes are embedded again.")
        )
    elif wanted != "float32" and found.get(wanted):
        out.print(f"{found[wanted]} vectors, stored as {wanted}")


@contextmanager
def downloading() -> Iterator[Progress]:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    with progress:
        yield progress
