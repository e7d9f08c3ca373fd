"""`tuwen eval generate`: a labelled set from one's own documents, or from what users said about answers."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.options import Data, Json, Server

Kind = StrEnum("Kind", {name: name for name in ("heading", "definition", "table", "caption")})  # type: ignore[misc]


def generate_set(
    data: Data = None,
    server: Server = "",
    collection: Annotated[str, typer.Option("--collection", "-c", help="Collection of documents.")] = "default",
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=10_000, help="How many questions.")] = 50,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the set (default: sets/COLLECTION in the data directory).")
    ] = None,
    generator: Annotated[
        bool, typer.Option(help="Let the generator write questions, too (default: rules only; nothing is made up).")
    ] = False,
    near_misses: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of unanswerable questions that look answerable.")
    ] = 0.2,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only rules of this kind; may be given several times.")
    ] = None,
    document: Annotated[list[str] | None, typer.Option(help="Only this document; may be given several times.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only passages of this language: en, zh.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed chooses other questions.")] = 0,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="From the feedback of users instead: thumbs and chosen citations.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Propose questions with answers and places, for review with `tuwen eval review`."""
    from eval.generate.output import free_name, write_set
    from eval.runner import open_collection

    with terminal.errors(as_json):
        source = open_collection(collection, data, server)
        try:
            folder = out or source.data / "sets" / free_name(source.data / "sets", collection)
            if from_feedback:
                lines, report = _feedback(source, collection)
            else:
                lines, report = _generated(
                    source, data, collection, number, near_misses, kind, document, language, seed, generator, as_json
                )
            path = write_set(folder, folder.name, lines, source.folder())
        finally:
            source.close()
        report |= {"set": str(path), "questions": len(lines)}
        if as_json:
            terminal.print_json(report)
            return
        counts = Counter(line["kind"] for line in lines)
        terminal.out.print(f"{len(lines)} questions: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()))
        if report.get("rejected"):
            reasons = ", ".join(f"{n} {reason}" for reason, n in report["rejected"].items())
            terminal.err.print(f"[dim]{report['proposed']} proposed; left out: {reasons}[/]", highlight=False)
        if report.get("unusable"):
            terminal.err.print(f"[dim]{report['unusable']} questions had no good answer and no chosen citation[/]")
        if not from_feedback and len(lines) < number:
            terminal.err.print(
                f"[dim]{number} were wanted: these passages give no more good ones. --generator and more documents do.[/]"
            )
        terminal.out.print(f"Review them: tuwen eval review {path}", markup=False)


def _feedback(source: Any, collection: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from eval.generate.from_feedback import from_feedback
    from rag.errors import BadRequest

    lines, unusable = from_feedback(source.feedback(), collection)
    if not lines:
        raise BadRequest(
            f"No feedback about {collection!r} names a good answer or a citation.",
            "Give thumbs in the page, or over HTTP (POST /v1/feedback).",
        )
    return lines, {"unusable": unusable}


def _generated(
    source: Any,
    data: Path | None,
    collection: str,
    number: int,
    near_misses: float,
    kinds: list[Kind] | None,
    documents: list[str] | None,
    languages: list[str] | None,
    seed: int,
    with_generator: bool,
    as_json: bool,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from eval.generate.flow import Wanted, generate
    from eval.generate.output import record
    from eval.generate.rules import RULES
    from eval.progress import progress
    from eval.runner import open_generator

    wanted = Wanted(
        number=number,
        near_misses=near_misses,
        seed=seed,
        kinds=tuple(name for name in RULES if not kinds or name in kinds),
        documents=tuple(documents or ()),
        languages=tuple(languages or ()),
    )
    writer = open_generator(data) if with_generator else None
    try:
        with progress("questions", number, not as_json and sys.stderr.isatty()) as step:
            made = generate(source, wanted, writer, step)
    finally:
        if writer is not None:
            writer.close()
    lines = [record(candidate, collection=collection, seed=seed) for candidate in made.candidates]
    report: dict[str, Any] = {"proposed": made.proposed, "rejected": dict(made.rejected.most_common())}
    return lines, report | {"written_by": dict(Counter(candidate.written_by for candidate in made.candidates))}
