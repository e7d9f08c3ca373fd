"""TAT-QA: questions over a table and the paragraphs around it (Zhu et al., "TAT-QA", ACL 2021).

Each table with its paragraphs becomes a Markdown document. An answer of several spans is one answer; a number is expected with
its scale ("percent", "million"). Questions that are answered from the text alone are judged down to their paragraphs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval.datasets.corpus import TextCorpus
from eval.datasets.description import Description
from eval.datasets.json_tree import JsonPlace, read_json
from eval.datasets.lines import twice
from eval.datasets.model import Dataset, Question, Quote
from rag.errors import BadRequest


def is_tatqa(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and {"table", "questions"} <= value[0].keys()
    )


def read_tatqa(path: Path, description: Description) -> Dataset:
    """Raises BadRequest naming file and line."""
    texts: dict[str, str] = {}
    questions: list[Question] = []
    documents: dict[str, dict[str, int]] = {}
    quotes: dict[str, frozenset[Quote]] = {}
    places: dict[str, JsonPlace] = {}
    for context in read_json(path).items(""):
        table = context.child("table")
        document = table.string("uid")
        if document in texts:
            raise table.wrong(f"there are two tables {document!r}")
        paragraphs = {one.string("order"): one.string("text") for one in context.items("paragraphs")}
        texts[document] = "\n\n".join([_markdown(table), *paragraphs.values()])
        for place in context.items("questions"):
            id_, text = place.string("uid"), place.string("question").strip()
            if id_ in places:
                raise twice(place, places[id_], f"question {id_!r}")
            places[id_] = place
            if not text:
                raise place.wrong(f"question {id_!r} is empty")
            kind, origin = place.string("answer_type"), place.string("answer_from")
            answers = _answers(place, place.string("scale", required=False))
            questions.append(Question(id_, text, answers, kind=kind, language="en", metadata={"answer_from": origin}))
            documents[id_] = {document: 1}
            related = [str(one.value) for one in place.items("rel_paragraphs")]
            if origin == "text" and related:
                quotes[id_] = frozenset((document, paragraphs[one]) for one in related if one in paragraphs)
    if not questions:
        raise BadRequest(f"{path} holds no questions.", 'Each table has its questions in "questions".')
    corpus = TextCorpus(path.parent, texts, ".md")
    return Dataset(description.name or path.stem, tuple(questions), documents, {}, corpus, quotes=quotes)


def _answers(place: JsonPlace, scale: str) -> tuple[str, ...]:
    value = place.child("answer").value
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    answer = str(value)
    if not answer.strip():
        raise place.wrong("the answer is empty")
    if not scale or scale in answer:
        return (answer,)
    return (f"{answer}%", f"{answer} percent") if scale == "percent" else (f"{answer} {scale}", answer)


def _markdown(table: JsonPlace) -> str:
    rows = [[str(cell).replace("|", "\\|").strip() for cell in row.value] for row in table.items("table")]
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
