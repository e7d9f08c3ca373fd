"""A labelled set from a folder, a file or a description, whichever layout it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.datasets import beir, captions, questions, squad, tatqa, trec
from eval.datasets.corpus import Corpus, FileCorpus
from eval.datasets.description import NAME, Description, read_description
from eval.datasets.lines import whole_text
from eval.datasets.model import Dataset
from eval.datasets.passages import passage_corpus
from eval.datasets.records import SUFFIXES, records
from ingest.files import find
from rag.errors import BadRequest

CORPUS_FOLDERS = ("corpus", "documents", "docs", "pdfs", "files")
"""Where the documents of a folder of questions are looked for; else they are the folder itself."""

_LAYOUTS = (
    "A set is corpus.jsonl, queries.jsonl and qrels.tsv (BEIR), topics and qrels (TREC), questions.jsonl, .json or .csv beside its "
    "files, captions.json beside images, a JSON file like SQuAD's, or a folder with a dataset.toml that says where things are."
)


def load(place: Path | str, corpus: Path | None = None) -> Dataset:
    """The set at `place` (a folder, a file of questions, a dataset.toml, or `ir:NAME`), over the documents of `corpus` if given.

    Raises BadRequest for what is wrong with it, naming file and line, and ExtraMissing.
    """
    if str(place).startswith("ir:"):
        from eval.external.ir import read_ir

        return read_ir(str(place).removeprefix("ir:"))
    description, path = _described(Path(place), corpus)
    form = description.format or _guess(description, path)
    if form not in FORMATS:
        raise BadRequest(f"{description.source}: `format` is {form!r}.", f"It is one of {', '.join(FORMATS)}.")
    return FORMATS[form](description, path)


def _described(place: Path, corpus: Path | None) -> tuple[Description, Path | None]:
    """The description, and the file of questions where `place` is one."""
    for path in (place, corpus):
        if path is not None and not path.exists():
            raise BadRequest(f"There is no {path}.", "Check the path.")
    if corpus is not None and not corpus.is_dir():
        raise BadRequest(f"{corpus} is not a folder.", "Name the folder that holds the documents.")
    file = place if place.is_file() else None
    if file is not None and file.suffix == ".toml":
        description, file = read_description(file), None
    elif file is None and (place / NAME).is_file():
        description = read_description(place / NAME)
    else:
        description = Description(file.parent if file else place)
    return (replace(description, corpus=corpus) if corpus is not None else description), file


def _guess(description: Description, path: Path | None) -> str:
    """The format by what is there."""
    root = description.root
    if path is None and not description.questions:
        if beir.is_beir(root):
            return "beir"
        if trec.find_topics(root):
            return "trec"
    files = _question_files(description, path, (*questions.NAMES, *captions.NAMES))
    if files[0].suffix != ".json":
        first = next((record for _, record in records(files[0])), {}) if files[0].suffix in SUFFIXES else {}
        return "captions" if captions.is_captions(first) and "question" not in first else "questions"
    try:
        value = json.loads(whole_text(files[0]))
    except (ValueError, RecursionError):
        return "questions"  # whose reader says on which line
    return next((form for form, is_this in _JSON.items() if is_this(value)), "questions")


def _is_caption_list(value: Any) -> bool:
    listed = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return captions.is_coco(value) or (listed and captions.is_captions(value[0]) and "question" not in value[0])


_JSON: Mapping[str, Callable[[Any], bool]] = {
    "squad": squad.is_squad,
    "tatqa": tatqa.is_tatqa,
    "captions": _is_caption_list,
}


def _beir(description: Description, _: Path | None) -> Dataset:
    corpus = description.corpus
    if corpus is not None and not beir.is_beir_corpus(corpus):
        raise BadRequest(f"{corpus} has no corpus.jsonl.", "Judgements by document id need the corpus they are about.")
    return beir.read_beir(description.root, corpus, description)


def _trec(description: Description, path: Path | None) -> Dataset:
    root = description.root
    topics = [path] if path else description.question_files() or trec.find_topics(root)
    qrels = [root / description.qrels] if description.qrels else trec.find_qrels(root)
    for what, found in (("topics", topics), ("qrels", qrels)):
        if len(found) != 1:
            names = " and ".join(one.name for one in found) or f"no {what}"
            raise BadRequest(f"{root} has {names}.", f"Name the file of {what} in {NAME} (questions = […], qrels = …).")
    corpus, where = _corpus(description, [*topics, *qrels])
    return trec.read_trec(topics[0], qrels[0], corpus, where, description)


def _questions(description: Description, path: Path | None) -> Dataset:
    files = _question_files(description, path, questions.NAMES)
    if "passage" in description.fields:
        corpus: Corpus = passage_corpus(files, description)
        return questions.read_questions(files, corpus, description.root, description)
    corpus, where = _corpus(description, files)
    return questions.read_questions(files, corpus, where, description)


def _captions(description: Description, path: Path | None) -> Dataset:
    file = _one(_question_files(description, path, captions.NAMES))
    beside = description.root / "images"
    where = description.corpus or (beside if beside.is_dir() else description.root)
    names = (found.name for found in find([where]) if found.path.suffix.casefold() in captions.SUFFIXES)
    return captions.read_captions(file, FileCorpus(where, tuple(names)), where, description)


def _squad(description: Description, path: Path | None) -> Dataset:
    return squad.read_squad(_one(_question_files(description, path, ())), description)


def _tatqa(description: Description, path: Path | None) -> Dataset:
    return tatqa.read_tatqa(_one(_question_files(description, path, ())), description)


FORMATS: Mapping[str, Callable[[Description, Path | None], Dataset]] = {
    "beir": _beir,
    "trec": _trec,
    "squad": _squad,
    "captions": _captions,
    "tatqa": _tatqa,
    "questions": _questions,
}


def _question_files(description: Description, path: Path | None, names: Iterable[str]) -> list[Path]:
    """The file itself, those of the description, the usual names, or the only file in the folder that could be one."""
    if path is not None:
        return [path]
    if named := description.question_files():
        return named
    root = description.root
    usual = next((root / name for name in names if (root / name).is_file()), None)
    found = [usual] if usual else [one for one in sorted(root.iterdir()) if one.suffix in SUFFIXES and one.is_file()]
    if not found:
        raise BadRequest(f"{root} holds no labelled set.", _LAYOUTS)
    if len(found) > 1:
        shown = ", ".join(one.name for one in found[:4])
        raise BadRequest(f"{root} has several files that could hold questions: {shown}.", "Name one of them.")
    return found


def _one(files: list[Path]) -> Path:
    if len(files) > 1:
        raise BadRequest(f"{files[0]} and {files[1].name} are two files.", "A set in this format is one file: name it.")
    return files[0]


def _corpus(description: Description, labels: Iterable[Path]) -> tuple[Corpus, Path]:
    """The documents that are asked about, and the folder they are in."""
    root = description.root
    found = (root / name for name in CORPUS_FOLDERS if (root / name).is_dir())
    where = description.corpus or next(found, root)
    if beir.is_beir_corpus(where):
        return beir.read_corpus(where), where
    # The labels are no documents, even where they lie among them.
    hidden = {path.resolve() for path in (*labels, *root.glob(NAME))}
    names = tuple(file.name for file in find([where]) if file.path not in hidden)
    return FileCorpus(where, names, description.links), where
