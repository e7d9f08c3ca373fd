"""BEIR's layout: `corpus.jsonl[.gz]`, `queries.jsonl[.gz]` and `qrels.tsv` or `qrels/test.tsv`.

Thakur et al., "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (2021). Lines of the
corpus are `{"_id", "title", "text"}`, of the queries `{"_id", "text"}` and here optionally `"answers"` and `"unanswerable"`;
judgements are `query-id ⇥ corpus-id ⇥ grade`, or TREC's four columns `query-id 0 corpus-id grade`.
"""

from __future__ import annotations

from pathlib import Path

from eval.datasets.corpus import TextCorpus
from eval.datasets.lines import Place, json_lines, string, text_lines
from eval.datasets.model import Dataset, Question
from rag.errors import BadRequest

_LAYOUT = "BEIR's layout is corpus.jsonl[.gz], queries.jsonl[.gz] and qrels.tsv or qrels/test.tsv in one folder."
_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
_QUERIES = ("queries.jsonl", "queries.jsonl.gz")
_QRELS = ("qrels.tsv", "qrels/test.tsv")


def is_beir(folder: Path) -> bool:
    return _find(folder, _QUERIES) is not None or is_beir_corpus(folder)


def is_beir_corpus(folder: Path) -> bool:
    return _find(folder, _CORPUS) is not None


def read_beir(folder: Path, corpus_folder: Path | None = None) -> Dataset:
    """Questions and judgements of `folder` over the documents of `corpus_folder` (its own by default). Raises BadRequest."""
    corpus = read_corpus(corpus_folder or folder)
    queries = _required(folder, _QUERIES)
    questions = _read_questions(queries)
    judged = _read_judgements(_required(folder, _QRELS), questions, queries, corpus)
    # BEIR's queries hold all splits, its judgements one; a question without either judgement or label is of another split.
    kept = tuple(q for q in questions.values() if q.id in judged or not q.answerable)
    empty = [id_ for id_, text in corpus.texts.items() if not text]
    warnings = [f"{len(empty)} documents of {corpus.root} have no text and cannot be found: {', '.join(empty[:5])}"]
    name = (
        folder.resolve().name if corpus_folder is None else f"{folder.resolve().name} on {corpus_folder.resolve().name}"
    )
    return Dataset(name, kept, judged, {}, corpus, tuple(warnings) if empty else ())


def read_corpus(folder: Path) -> TextCorpus:
    """Raises BadRequest naming file and line."""
    path = _required(folder, _CORPUS)
    texts: dict[str, str] = {}
    places: dict[str, Place] = {}
    for place, record in json_lines(path):
        id_ = string(place, record, "_id")
        if id_ in places:
            raise _twice(place, places[id_], f"document {id_!r}")
        places[id_] = place
        title, text = string(place, record, "title", required=False), string(place, record, "text", required=False)
        texts[id_] = "\n\n".join(part for part in (title.strip(), text.strip()) if part)
    if not texts:
        raise BadRequest(f"{path} holds no documents.", _LAYOUT)
    return TextCorpus(folder, texts)


def _read_questions(path: Path) -> dict[str, Question]:
    questions: dict[str, Question] = {}
    places: dict[str, Place] = {}
    for place, record in json_lines(path):
        id_ = string(place, record, "_id")
        if id_ in places:
            raise _twice(place, places[id_], f"question {id_!r}")
        places[id_] = place
        text = string(place, record, "text").strip()
        if not text:
            raise BadRequest(f"{place}: question {id_!r} is empty.", "Give it a text, or remove it and its judgements.")
        answers = record.get("answers") or []
        if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
            raise BadRequest(f"{place}: 'answers' is not a list of texts.", 'Write "answers": ["…", "…"].')
        questions[id_] = Question(id_, text, tuple(answers), not record.get("unanswerable", False))
    if not questions:
        raise BadRequest(f"{path} holds no questions.", _LAYOUT)
    return questions


def _read_judgements(
    path: Path, questions: dict[str, Question], queries: Path, corpus: TextCorpus
) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    places: dict[tuple[str, str], Place] = {}
    for place, line in text_lines(path):
        fields = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
        if len(fields) == 4:
            fields = [fields[0], fields[2], fields[3]]
        if len(fields) != 3:
            raise BadRequest(
                f"{place}: {len(fields)} columns.", "Write query-id, corpus-id and grade, separated by tabs."
            )
        question, document, grade = (field.strip() for field in fields)
        if place.line == 1 and not _is_grade(grade):
            continue  # the header
        if not _is_grade(grade):
            raise BadRequest(
                f"{place}: the grade {grade!r} is not a whole number.", "0 is not relevant, 1 and more is."
            )
        if question not in questions:
            raise BadRequest(
                f"{place}: there is no question {question!r} in {queries}.", "Correct the id, or remove the line."
            )
        if document not in corpus.texts:
            raise BadRequest(
                f"{place}: there is no document {document!r} in {corpus.root}.",
                "Correct the id, remove the line, or name the right documents with --corpus.",
            )
        if (question, document) in places:
            raise _twice(place, places[question, document], f"the judgement of {document!r} for {question!r}")
        places[question, document] = place
        judged.setdefault(question, {})[document] = int(grade)
    if not judged:
        raise BadRequest(
            f"{path} holds no judgements.", "Write one line per question and document: query-id, corpus-id, grade."
        )
    return judged


def _is_grade(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _required(folder: Path, names: tuple[str, ...]) -> Path:
    found = _find(folder, names)
    if found is None:
        raise BadRequest(f"{folder} has no {' or '.join(names)}.", _LAYOUT)
    return found


def _twice(place: Place, before: Place, what: str) -> BadRequest:
    return BadRequest(f"{place}: {what} is already on line {before.line}.", "Remove one of the two lines.")
