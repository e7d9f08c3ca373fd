"""Gold passages: which chunks of the present index answer a question, from judgements that know no chunks.

Labels name documents, pages, quoted words or characters, and stay valid when the chunk size changes. They are looked up in the index at the
finest grain that they have:

- `span`, `quote`: the chunks that hold the words. Words that no chunk has whole are *split* when neighbouring chunks have their parts,
  and *unparsed* when they do not.
- `page`: the chunks that lie on the page. `document`: all chunks of the document.

A page or a document says less than the expected answer does: where some of its chunks carry the answer, they alone are gold (`narrowed`);
where none does, and the answer is one whose absence says something, the text *lacks* it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.datasets.evidence import Evidence, coverage, covers, evidence
from eval.datasets.model import Dataset, Question
from eval.failures.carries import carries, checkable, flat, has_numbers, literally
from eval.metrics.relevance import relevant
from eval.system import IndexedChunk, System

State = Literal["found", "split", "unparsed", "missing", "unjudged", "unanswerable"]
Grain = Literal["span", "quote", "page", "document", ""]

NEARLY = 0.8
"""Share of a quote's letters that make a chunk hold it."""


@dataclass(frozen=True, slots=True)
class Gold:
    """`chunks` answer the question, by id and with the name of their document; `labelled` are all that the labels allow (what a
    citation may point at): more than `chunks` where these were narrowed. Of a split quote `chunks` are its parts."""

    state: State
    grain: Grain = ""
    chunks: Mapping[str, tuple[str, IndexedChunk]] = ()  # type: ignore[assignment]
    labelled: frozenset[str] = frozenset()
    narrowed: bool = False
    lacks: bool = False
    """The judged text carries no expected answer, and should."""
    documents: tuple[str, ...] = ()
    """Names of the judged documents."""
    quotes: tuple[str, ...] = ()
    """The judged words, where words are judged."""
    why: str = ""


def find_gold(system: System, dataset: Dataset, question: Question, names: Mapping[str, str]) -> Gold:
    """`names` gives the name in the system by document id."""
    if not question.answerable:
        return Gold("unanswerable", chunks={})
    judged = _judged(dataset, question)
    if not judged:
        return Gold("unjudged", chunks={})
    documents = {id_: names.get(id_, id_) for id_ in judged}
    shown = tuple(documents.values())
    indexed = {id_: system.chunks(name) for id_, name in documents.items()}
    if not any(indexed.values()):
        return Gold("missing", chunks={}, documents=shown, why=f"no passage of {_list(shown)} is in the index")
    if quoted := evidence(dataset, question.id):
        grain: Grain = "quote" if dataset.quotes.get(question.id) else "span"
        return _from_quotes(quoted, grain, documents, indexed, shown)
    pages = dataset.pages.get(question.id, frozenset())
    if pages:
        pool = {
            id_: [c for c in chunks if any((id_, page) in pages for page in c.pages)] for id_, chunks in indexed.items()
        }
        if not any(pool.values()):
            there = ", ".join(f"{documents.get(id_, id_)} page {page}" for id_, page in sorted(pages))
            return Gold("unparsed", "page", {}, documents=shown, why=f"no passage lies on {there}")
        return _narrow(pool, "page", documents, shown, question.answers)
    return _narrow(indexed, "document", documents, shown, question.answers)


def _judged(dataset: Dataset, question: Question) -> list[str]:
    ids = set(relevant(dataset.documents.get(question.id, {})))
    ids |= {id_ for id_, _ in dataset.pages.get(question.id, ())} | {
        id_ for id_, _ in dataset.quotes.get(question.id, ())
    }
    ids |= {id_ for id_, _, _ in dataset.spans.get(question.id, ())}
    return sorted(ids)


def _narrow(
    pool: Mapping[str, Sequence[IndexedChunk]],
    grain: Grain,
    documents: Mapping[str, str],
    shown: tuple[str, ...],
    answers: Sequence[str],
) -> Gold:
    every = {chunk.chunk_id: (documents[id_], chunk) for id_, chunks in pool.items() for chunk in chunks}
    labelled = frozenset(every)
    exact = _that(every, answers, literally)
    # Cut apart word for word says more than words that stand somewhere in a passage.
    if not exact and (parts := _split_answer(pool, answers)):
        id_, answer, chunks = parts
        found = {chunk.chunk_id: (documents[id_], chunk) for chunk in chunks}
        return Gold("split", grain, found, labelled, True, documents=shown, why=_cut(answer, chunks))
    # An answer of two parts may have its words on one page and its number on another: without the number it cannot be given.
    carrying = exact or _that(every, answers, carries) or _that(every, answers, has_numbers)
    if carrying:
        return Gold("found", grain, carrying, labelled, len(carrying) < len(every), documents=shown)
    whole = "\n".join(chunk.text for _, chunk in every.values())
    lacks = bool(answers) and all(checkable(a, whole) and not carries(a, whole) for a in answers)
    why = f"no passage of the judged {grain} carries {_short(answers[0])}" if lacks else ""
    return Gold("found", grain, every, labelled, lacks=lacks, documents=shown, why=why)


def _that(
    every: Mapping[str, tuple[str, IndexedChunk]], answers: Sequence[str], says: Callable[[str, str], bool]
) -> dict[str, tuple[str, IndexedChunk]]:
    return {id_: pair for id_, pair in every.items() if any(says(answer, pair[1].text) for answer in answers)}


def _split_answer(
    pool: Mapping[str, Sequence[IndexedChunk]], answers: Sequence[str]
) -> tuple[str, str, list[IndexedChunk]] | None:
    for id_, chunks in pool.items():
        for answer in answers:
            if parts := _parts(answer, chunks):
                return id_, answer, parts
    return None


def _from_quotes(
    quoted: Sequence[Evidence],
    grain: Grain,
    documents: Mapping[str, str],
    indexed: Mapping[str, Sequence[IndexedChunk]],
    shown: tuple[str, ...],
) -> Gold:
    found: dict[str, tuple[str, IndexedChunk]] = {}
    cut: dict[str, tuple[str, IndexedChunk]] = {}
    why = ""
    for wanted in quoted:
        chunks = indexed.get(wanted.document, ())
        whole = [chunk for chunk in chunks if covers(chunk.text, wanted)]
        parts = [] if whole else _parts(wanted.text, chunks)
        if not whole and not parts:
            # Recognised text and tables are seldom letter by letter what was quoted.
            whole = [chunk for chunk in chunks if coverage([chunk.text], wanted) >= NEARLY]
            parts = [] if whole else _run(wanted, chunks)
        name = documents[wanted.document]
        found |= {chunk.chunk_id: (name, chunk) for chunk in whole}
        cut |= {chunk.chunk_id: (name, chunk) for chunk in parts}
        if parts and not why:
            why = _cut(wanted.text, parts)
    words = tuple(wanted.text for wanted in quoted)
    if found:
        return Gold("found", grain, found, frozenset(found) | frozenset(cut), documents=shown, quotes=words)
    if cut:
        return Gold("split", grain, cut, frozenset(cut), documents=shown, why=why, quotes=words)
    why = f"no passage of {_list(shown)} has the words {_short(words[0])}"
    return Gold("unparsed", grain, {}, documents=shown, why=why, quotes=words)


def _run(wanted: Evidence, chunks: Sequence[IndexedChunk]) -> list[IndexedChunk]:
    """The fewest neighbouring chunks that have nearly all letters of the quote together; empty where none have."""
    having = [coverage([chunk.text], wanted) > 0 for chunk in chunks]
    best: list[IndexedChunk] = []
    start = 0
    while start < len(chunks):
        end = start
        while end < len(chunks) and having[end]:
            end += 1
        run = list(chunks[start:end])
        enough = len(run) > 1 and coverage([chunk.text for chunk in run], wanted) >= NEARLY
        if enough and (not best or len(run) < len(best)):
            best = run
        start = end + 1
    return best


def _parts(quote: str, chunks: Sequence[IndexedChunk]) -> list[IndexedChunk]:
    """The neighbouring chunks that hold the quote together, in order; empty when they do not. Chunks may overlap."""
    wanted = flat(quote).split()
    if len(wanted) < 2:
        return []
    texts = [(chunk, flat(chunk.text)) for chunk in chunks if chunk.kind != "image"]
    for place, (first, text) in enumerate(texts):
        had = _ends_with(text, wanted)
        if not had:
            continue
        parts = [first]
        for chunk, following in texts[place + 1 :]:
            parts.append(chunk)
            rest = " ".join(wanted[had:])
            begun = _begins_with(following, wanted)
            if begun and len(wanted) - begun <= had:
                return parts
            # A middle part lies in the quote as a whole.
            if not following.strip() or not f" {rest} ".startswith(following):
                break
            had += len(following.split())
    return []


def _ends_with(text: str, wanted: Sequence[str]) -> int:
    """Words of the quote's beginning that the text ends with; the longest beginning, 0 for none."""
    for count in range(len(wanted) - 1, 0, -1):
        if text.endswith(f" {' '.join(wanted[:count])} "):
            return count
    return 0


def _begins_with(text: str, wanted: Sequence[str]) -> int:
    """Words of the quote's end that the text begins with."""
    for count in range(len(wanted) - 1, 0, -1):
        if text.startswith(f" {' '.join(wanted[-count:])} "):
            return count
    return 0


def _cut(quote: str, parts: Sequence[IndexedChunk]) -> str:
    return f"{_short(quote)} lies across {len(parts)} passages: {', '.join(chunk.chunk_id for chunk in parts)}"


def _short(text: str, length: int = 80) -> str:
    flat_text = " ".join(text.split())
    return f"“{flat_text if len(flat_text) <= length else flat_text[: length - 1] + '…'}”"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
