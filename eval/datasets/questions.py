"""Questions with answers and pages over a folder of real files: `questions.jsonl`, or `questions.json` with one list.

    {"id": "7", "question": "…", "answer": "…", "source": "reports/2024.pdf", "page": 12, "kind": "table"}

`answer` may be a list of alternatives, `source` a list of files, `page` a list of pages; `page` is null or left out for formats
without pages. `source: null` (or `"unanswerable": true`) says that no file answers the question: abstaining is right. Sources are
paths below the folder of documents: `--corpus`, else `corpus` beside the questions, else the folder of the questions.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.datasets.corpus import FileCorpus
from eval.datasets.lines import Place, json_objects, string
from eval.datasets.model import Dataset, Question
from eval.metrics.page_hit import PageKey
from rag.errors import BadRequest

_NAMES = ("questions.jsonl", "questions.json")


def find_questions(place: Path) -> Path | None:
    """The file itself, or the one in the folder."""
    if place.is_file():
        return place if place.suffix in {".json", ".jsonl"} else None
    return next((place / name for name in _NAMES if (place / name).is_file()), None)


def read_questions(path: Path, names: Sequence[str], root: Path) -> Dataset:
    """`names` are the documents below `root`. Raises BadRequest naming file and line."""
    known = frozenset(names)
    questions: list[Question] = []
    places: dict[str, Place] = {}
    documents: dict[str, dict[str, int]] = {}
    pages: dict[str, frozenset[PageKey]] = {}
    for place, record in json_objects(path):
        id_ = string(place, record, "id")
        if id_ in places:
            raise BadRequest(f"{place}: question {id_!r} is already on line {places[id_].line}.", "Give it another id.")
        places[id_] = place
        text = string(place, record, "question").strip()
        if not text:
            raise BadRequest(f"{place}: question {id_!r} is empty.", "Give it a text, or remove it.")
        sources = [_source(place, one, known, root) for one in _list(record.get("source"))]
        answerable = bool(sources) and not record.get("unanswerable", False)
        answers = tuple(str(one) for one in _list(record.get("answer"))) if answerable else ()
        questions.append(Question(id_, text, answers, answerable, string(place, record, "kind", required=False)))
        if answerable:
            documents[id_] = dict.fromkeys(sources, 1)
            numbers = [_page(place, one) for one in _list(record.get("page"))]
            if numbers and len(sources) > 1:
                raise BadRequest(f"{place}: pages of several sources.", "Give one source with its pages, or no page.")
            if numbers:
                pages[id_] = frozenset((sources[0], number) for number in numbers)
    if not questions:
        raise BadRequest(
            f"{path} holds no questions.", 'Write one {"id", "question", "answer", "source", "page"} per line.'
        )
    name = path.resolve().parent.name
    return Dataset(name, tuple(questions), documents, pages, FileCorpus(root, tuple(names)))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _source(place: Place, value: Any, known: frozenset[str], root: Path) -> str:
    name = str(value)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" Is {near[0]!r} meant?" if near else ""
    raise BadRequest(
        f"{place}: there is no file {name!r} below {root}.{hint}",
        "Correct the source, or name the folder with --corpus.",
    )


def _page(place: Place, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRequest(
            f"{place}: {value!r} is no page.", "Pages are whole numbers from 1; leave it out where there are none."
        )
    return value
