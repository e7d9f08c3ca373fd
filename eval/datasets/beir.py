"""BEIR's layout: `corpus.jsonl[.gz]`, `queries.jsonl[.gz]` and `qrels.tsv` or `qrels/test.tsv`.

Thakur et al., "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (2021). Lines of the
corpus are `{"_id", "title", "text"}`, of the queries `{"_id", "text"}` and here optionally `"answers"` and `"unanswerable"`;
judgements are `query-id ⇥ corpus-id ⇥ grade`, or TREC's four columns `query-id 0 corpus-id grade`.
"""

from __future__ import annotations

from pathlib import Path

from eval.datasets.corpus import TextCorpus
from eval.datasets.description import Description
from eval.datasets.lines import Place, json_lines, string, twice
from eval.datasets.model import Dataset, Question
from eval.datasets.qrels import read_qrels
from eval.datasets.sources import Sources
from eval.datasets.values import flag
from eval.datasets.warn import shorten
from rag.errors import BadRequest

_LAYOUT = "BEIR's layout is corpus.jsonl[.gz], queries.jsonl[.gz] and qrels.tsv or qrels/test.tsv in one folder."
_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
_QUERIES = ("queries.jsonl", "queries.jsonl.gz")
_QRELS = ("qrels.tsv", "qrels/test.tsv")


def is_beir(folder: Path) -> bool:
    return _find(folder, _QUERIES) is not None or is_beir_corpus(folder)


def is_beir_corpus(folder: Path) -> bool:
    return _find(folder, _CORPUS) is not None


def read_beir(folder: Path, corpus_folder: Path | None = None, description: Description | None = None) -> Dataset:
    """Questions and judgements of `folder` over the documents of `corpus_folder` (its own by default). Raises BadRequest."""
    description = description or Description(folder)
    corpus = read_corpus(corpus_folder or folder)
    queries = _required(folder, _QUERIES)
    questions, unasked = _read_questions(queries, description)
    qrels = folder / description.qrels if description.qrels else _required(folder, _QRELS)
    known = questions.keys() | unasked.keys()
    documents = Sources(corpus.ids, corpus.root, exact=True)
    judgements = read_qrels(qrels, known, queries, documents, "missing" in description.skip)
    judged = {id_: grades for id_, grades in judgements.grades.items() if id_ in questions}
    # BEIR's queries hold all splits, its judgements one; a question without either judgement or label is of another split.
    kept = tuple(q for q in questions.values() if q.id in judged or not q.answerable)
    empty = [id_ for id_, text in corpus.texts.items() if not text]
    warnings = [*shorten([(place, "the question is empty and left out.") for place in unasked.values()])]
    warnings += judgements.warnings
    if empty:
        named = ", ".join(empty[:5])
        warnings.append(f"{len(empty)} documents of {corpus.root} have no text and cannot be found: {named}")
    name = description.title if corpus_folder is None else f"{description.title} on {corpus_folder.resolve().name}"
    return Dataset(name, kept, judged, {}, corpus, tuple(warnings))


def read_corpus(folder: Path) -> TextCorpus:
    """Raises BadRequest naming file and line."""
    path = _required(folder, _CORPUS)
    texts: dict[str, str] = {}
    places: dict[str, Place] = {}
    for place, record in json_lines(path):
        id_ = string(place, record, "_id")
        if id_ in places:
            raise twice(place, places[id_], f"document {id_!r}")
        places[id_] = place
        title, text = string(place, record, "title", required=False), string(place, record, "text", required=False)
        texts[id_] = "\n\n".join(part for part in (title.strip(), text.strip()) if part)
    if not texts:
        raise BadRequest(f"{path} holds no documents.", _LAYOUT)
    return TextCorpus(folder, texts)


def _read_questions(path: Path, description: Description) -> tuple[dict[str, Question], dict[str, Place]]:
    """Questions by id, and where those that are left out stand."""
    language = description.rule(path).language
    questions: dict[str, Question] = {}
    places: dict[str, Place] = {}
    empty: dict[str, Place] = {}
    for place, record in json_lines(path):
        id_ = string(place, record, "_id")
        if id_ in places:
            raise twice(place, places[id_], f"question {id_!r}")
        places[id_] = place
        text = string(place, record, "text").strip()
        if not text and "empty" in description.skip:
            empty[id_] = place
            continue
        if not text:
            raise BadRequest(f"{place}: question {id_!r} is empty.", "Give it a text, or remove it and its judgements.")
        answers = record.get("answers") or []
        if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
            raise BadRequest(f"{place}: 'answers' is not a list of texts.", 'Write "answers": ["…", "…"].')
        answerable = not flag(place, record.get("unanswerable"))
        # What no judgement ties to a document still belongs to one.
        group = "" if answerable else string(place, record, "source_doc", required=False)
        questions[id_] = Question(id_, text, tuple(answers), answerable, language=language, group=group)
    if not questions:
        raise BadRequest(f"{path} holds no questions.", _LAYOUT)
    return questions, empty


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _required(folder: Path, names: tuple[str, ...]) -> Path:
    found = _find(folder, names)
    if found is None:
        raise BadRequest(f"{folder} has no {' or '.join(names)}.", _LAYOUT)
    return found
