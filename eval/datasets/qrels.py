"""Judgements (qrels): `query-id ⇥ document-id ⇥ grade`, or TREC's four columns `query-id 0 document-id grade`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from eval.datasets.lines import Place, text_lines, twice
from eval.datasets.sources import Sources
from eval.datasets.warn import Warned, shorten
from rag.errors import BadRequest


@dataclass(frozen=True)
class Judgements:
    """Grades by query and document id, and what was tolerated."""

    grades: dict[str, dict[str, int]]
    warnings: tuple[str, ...] = ()


def read_qrels(
    path: Path, queries: Container[str], queries_path: Path, documents: Sources, skip_missing: bool = False
) -> Judgements:
    """`documents` finds the document an id means. Raises BadRequest naming file and line."""
    judged: dict[str, dict[str, int]] = {}
    places: dict[tuple[str, str], Place] = {}
    found: dict[str, str] = {}
    missing: list[Warned] = []
    for place, line in text_lines(path):
        query, called, text = _columns(place, line)
        grade = _grade(text)
        if grade is None:
            if place.line == 1:
                continue  # the header
            raise BadRequest(f"{place}: the grade {text!r} is not a whole number.", "0 is not relevant, 1 and more is.")
        if query not in queries:
            raise BadRequest(
                f"{place}: there is no question {query!r} in {queries_path}.", "Correct the id, or remove the line."
            )
        if called not in found:
            meant = documents.find(called)
            if len(meant) != 1:
                if skip_missing and not meant:
                    missing.append((place, f"there is no document {called!r}; the judgement is left out."))
                    continue
                raise _unknown(place, called, meant, documents.root)
            found[called] = meant[0]
        document = found[called]
        if (query, document) in places:
            raise twice(place, places[query, document], f"the judgement of {document!r} for {query!r}")
        places[query, document] = place
        judged.setdefault(query, {})[document] = grade
    if not judged:
        raise BadRequest(
            f"{path} holds no judgements.", "Write one line per question and document: query-id, corpus-id, grade."
        )
    return Judgements(judged, tuple(shorten(missing)))


def _columns(place: Place, line: str) -> tuple[str, str, str]:
    fields = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
    if len(fields) == 4:
        fields = [fields[0], fields[2], fields[3]]
    if len(fields) != 3:
        raise BadRequest(f"{place}: {len(fields)} columns.", "Write query-id, corpus-id and grade, separated by tabs.")
    query, document, grade = (field.strip() for field in fields)
    return query, document, grade


def _grade(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _unknown(place: Place, called: str, meant: list[str], root: Path) -> BadRequest:
    if meant:
        return BadRequest(f"{place}: {called!r} may be {' or '.join(meant[:3])}.", "Write the id of one of them.")
    return BadRequest(
        f"{place}: there is no document {called!r} in {root}.",
        'Correct the id, remove the line, name the right documents with --corpus, or put skip = ["missing"] into dataset.toml.',
    )
