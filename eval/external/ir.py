"""Sets of `ir_datasets` by name: `ir:beir/scifact/test`, `ir:cranfield`, … (MacAvaney et al., SIGIR 2021).

The package fetches a set once, from where its owners publish it, and keeps it. Documents are read into memory and written out as one
file each, which is meant for test collections, not for whole web crawls.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.datasets.corpus import TextCorpus
from eval.datasets.model import Dataset, Question
from eval.datasets.warn import shorten
from rag.errors import BadRequest, ExtraMissing, Unavailable

MAX_DOCUMENTS = 1_000_000


def read_ir(name: str) -> Dataset:
    """Raises ExtraMissing without the package, BadRequest for a name that is none, Unavailable where it cannot be fetched."""
    try:
        import ir_datasets
    except ImportError as error:
        raise ExtraMissing(
            "The Python package ir_datasets is not installed.", "Install it: pip install 'tuwen[ir]'"
        ) from error
    try:
        source = ir_datasets.load(name)
    except KeyError as error:
        raise BadRequest(f"ir_datasets has no {name!r}.", "`ir_datasets list` names them.") from error
    for part in ("docs", "queries", "qrels"):
        if not getattr(source, f"has_{part}")():
            raise BadRequest(f"{name} has no {part}.", "Name the part with judgements, such as beir/scifact/test.")
    try:
        return _read(name, source)
    except (BadRequest, MemoryError):
        raise
    except Exception as error:  # whatever its downloaders and formats raise
        raise Unavailable(
            f"ir_datasets cannot give {name}: {type(error).__name__}: {error}",
            "Fetch it with a network connection first.",
        ) from error


def _read(name: str, source: Any) -> Dataset:
    count = source.docs_count()
    if count is not None and count > MAX_DOCUMENTS:
        raise BadRequest(f"{name} has {count:,} documents.", f"Take a set with at most {MAX_DOCUMENTS:,}.")
    texts = {doc.doc_id: _text(doc) for doc in source.docs_iter()}
    language = source.queries_lang() or ""
    questions = {
        q.query_id: Question(q.query_id, q.default_text().strip(), language=language) for q in source.queries_iter()
    }
    grades: dict[str, dict[str, int]] = {}
    wrong: list[tuple[str, str]] = []
    for judged in source.qrels_iter():
        if judged.query_id not in questions or judged.doc_id not in texts:
            wrong.append((name, f"{judged.query_id} or {judged.doc_id} is judged, and is not there."))
            continue
        grades.setdefault(judged.query_id, {})[judged.doc_id] = int(judged.relevance)
    if not grades:
        raise BadRequest(f"{name} has no judgements of its own documents.", "Name another set.")
    kept = tuple(question for id_, question in questions.items() if id_ in grades and question.text)
    corpus = TextCorpus(Path(f"ir:{name}"), texts)
    return Dataset(f"ir-{name.replace('/', '-')}", kept, grades, {}, corpus, tuple(shorten(wrong)))


def _text(doc: Any) -> str:
    """As everywhere here: title, empty line, text; the package's own choice for documents of another make."""
    if hasattr(doc, "title") and hasattr(doc, "text"):
        return "\n\n".join(_parts(doc.title, doc.text))
    return str(doc.default_text()).strip()


def _parts(*texts: str | None) -> Iterator[str]:
    return (text.strip() for text in texts if text and text.strip())
