"""A labelled set from a folder, whichever layout it has."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.beir import is_beir, is_beir_corpus, read_beir
from eval.datasets.model import Dataset
from eval.datasets.questions import find_questions, read_questions
from ingest.files import find
from rag.errors import BadRequest


def load(place: Path, corpus: Path | None = None) -> Dataset:
    """The set at `place` (a folder, or a file of questions), over the documents of `corpus` if given. Raises BadRequest."""
    for path in (place, corpus):
        if path is not None and not path.exists():
            raise BadRequest(f"There is no {path}.", "Check the path.")
    if corpus is not None and not corpus.is_dir():
        raise BadRequest(f"{corpus} is not a folder.", "Name the folder that holds the documents.")
    if place.is_dir() and is_beir(place):
        if corpus is not None and not is_beir_corpus(corpus):
            raise BadRequest(
                f"{corpus} has no corpus.jsonl.", "Judgements by document id need the corpus they are about."
            )
        return read_beir(place, corpus)
    path = find_questions(place)
    if path is None:
        raise BadRequest(
            f"{place} holds no labelled set.",
            "A set is corpus.jsonl, queries.jsonl and qrels.tsv (BEIR), or questions.jsonl beside its files.",
        )
    beside = path.parent / "corpus"
    root = corpus or (beside if beside.is_dir() else path.parent)
    # The questions are no document, even where they lie among them.
    names = [file.name for file in find([root]) if file.path != path.resolve()]
    return read_questions(path, names, root)
