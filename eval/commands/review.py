"""`tuwen eval review`: accept, edit or reject proposed questions in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import terminal
from eval.commands.options import Json

if TYPE_CHECKING:
    from eval.review.session import Session


def review_set(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="questions.jsonl, or the folder that it is in.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also the questions that were decided about already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Review a set question by question; every decision is written at once, so you may stop at any time.

    With --json it only tells how far the review is.
    """
    from eval.review.session import Session
    from rag.errors import BadRequest
    from rag.stores.question_sets import QuestionSet

    with terminal.errors(as_json):
        questions = QuestionSet(path)
        if as_json:
            terminal.print_json({"set": str(questions.path)} | questions.counts())
            return
        if not sys.stdin.isatty():
            raise BadRequest(
                "A review needs a terminal to read keys from.", "Run it in one, or open /review in the page."
            )
        _go_through(Session(questions, everything))
        counts = questions.counts()
        terminal.out.print(", ".join(f"{counts[name]} {name}" for name in counts))


def _go_through(session: Session) -> None:
    from eval.review.screen import KEYS, screen

    moves = {"a": session.accept, "r": session.reject, "s": session.skip, "b": session.back}
    while (record := session.current) is not None:
        terminal.out.clear()
        terminal.out.print(screen(record, session.place), soft_wrap=False)
        terminal.out.print(KEYS, style="bold", markup=False)
        while True:
            key = _key()
            if key in {"q", "\x03", "\x04", "\x1b"}:
                return
            if key == "e":
                edited = _edited(record)
                if edited is not None:
                    session.edit(*edited)
                break
            if key in moves:
                moves[key]()
                break


def _key() -> str:
    import click

    return click.getchar().lower()


def _edited(record: dict[str, Any]) -> tuple[str, str | None] | None:
    """The two texts in the person's editor ($EDITOR), one after the other; None where nothing was changed."""
    import click

    answer = record.get("answer")
    head = "# The first line is the question, the lines below it the answer. Lines that begin with # are left out.\n"
    text = click.edit(f"{head}{record['question']}\n{answer if isinstance(answer, str) else ''}\n", extension=".txt")
    lines = [line for line in (text or "").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    new = "\n".join(lines[1:]).strip() or None
    unchanged = lines[0].strip() == record["question"] and (new or "") == (answer or "")
    return None if unchanged else (lines[0].strip(), new)
