"""TREC's layout: topics, judgements (qrels), and documents named by their number.

Voorhees & Harman (eds.), "TREC" (2005). Topics are the classic `<top>` blocks or TSV (`number ⇥ text`); judgements have four columns
`topic 0 document grade`; documents are files whose name, with or without its ending, is the document number, or `corpus.jsonl`.

    <top>
    <num> Number: 301
    <title> International Organized Crime
    <desc> Description: Identify organizations that …
    <narr> Narrative: A relevant document must …
    </top>

Tags of a topic need not be closed, and mostly are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from eval.datasets.corpus import Corpus
from eval.datasets.description import Description
from eval.datasets.lines import Place, text_lines, twice
from eval.datasets.model import Dataset, Question
from eval.datasets.qrels import read_qrels
from eval.datasets.sources import Sources
from eval.datasets.warn import Warned, shorten
from rag.errors import BadRequest

TOPICS = ("topics*", "queries.tsv")
QRELS = ("qrels*", "qrels/*")

_TAG = re.compile(r"<(/?)(top|num|title|desc|narr)\b[^>]*>", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(?:Number|Topic|Description|Narrative)\s*:\s*", re.IGNORECASE)
_TOPIC_PARTS: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "description": ("desc",),
    "title+description": ("title", "desc"),
}


def find_topics(folder: Path) -> list[Path]:
    return [path for pattern in TOPICS for path in sorted(folder.glob(pattern)) if path.is_file()]


def find_qrels(folder: Path) -> list[Path]:
    return [path for pattern in QRELS for path in sorted(folder.glob(pattern)) if path.is_file()]


def read_trec(topics: Path, qrels: Path, corpus: Corpus, root: Path, description: Description) -> Dataset:
    """`root` is where the documents are, for messages. Raises BadRequest naming file and line."""
    parts = _TOPIC_PARTS.get(description.topic)
    if parts is None:
        raise BadRequest(
            f"{description.source}: `topic` is {description.topic!r}.", f"It is one of {', '.join(_TOPIC_PARTS)}."
        )
    questions: dict[str, Question] = {}
    places: dict[str, Place] = {}
    warnings: list[Warned] = []
    language = description.rule(topics).language
    for place, number, text in read_topics(topics, parts):
        if number in places:
            raise twice(place, places[number], f"topic {number!r}")
        places[number] = place
        if text:
            questions[number] = Question(number, text, language=language)
        elif "empty" in description.skip:
            warnings.append((place, f"topic {number!r} is empty and left out."))
        else:
            raise BadRequest(f"{place}: topic {number!r} is empty.", "Give it a text, or remove it and its judgements.")
    if not questions:
        raise BadRequest(f"{topics} holds no topics.", "Topics are <top> blocks, or lines of number, tab and text.")
    known = {number: questions.get(number) for number in places}
    judged = read_qrels(qrels, known, topics, Sources(corpus.ids, root), "missing" in description.skip)
    kept = tuple(question for question in questions.values() if question.id in judged.grades)
    notes = [*shorten(warnings), *judged.warnings]
    if len(kept) < len(questions):
        notes.append(f"{len(questions) - len(kept)} topics of {topics} have no judgements and are not asked.")
    grades = {question.id: judged.grades[question.id] for question in kept}
    return Dataset(description.title, kept, grades, {}, corpus, tuple(notes))


def read_topics(path: Path, parts: tuple[str, ...] = ("title",)) -> Iterator[tuple[Place, str, str]]:
    """Place, number and text of each topic. Raises BadRequest naming file and line."""
    lines = list(text_lines(path))
    if any(match[2].casefold() == "top" for _, line in lines for match in _TAG.finditer(line)):
        yield from _blocks(lines, parts)
        return
    for place, line in lines:
        number, tab, text = line.strip("\r\n").partition("\t")
        if not tab:
            raise BadRequest(
                f"{place}: no tab between number and text.", "Write number, tab and text, or <top> blocks."
            )
        if place.line == 1 and number.casefold() in {"qid", "query_id", "query-id", "id", "number", "topic"}:
            continue  # the header
        yield place, number.strip(), text.strip()


def _blocks(lines: list[tuple[Place, str]], parts: tuple[str, ...]) -> Iterator[tuple[Place, str, str]]:
    begun: Place | None = None
    texts: dict[str, str] = {}
    part = ""
    for place, line in lines:
        at = 0
        for tag in [*_TAG.finditer(line), None]:
            if begun is not None and part:
                texts[part] = texts.get(part, "") + line[at : tag.start() if tag else len(line)]
            if tag is None:
                break
            name, closes, at = tag[2].casefold(), bool(tag[1]), tag.end()
            if name != "top":
                part = "" if closes else name
            elif not closes:
                if begun is not None:
                    raise BadRequest(f"{begun}: this <top> is not closed.", "Close it with </top>.")
                begun, texts, part = place, {}, ""
            elif begun is None:
                raise BadRequest(f"{place}: there is no <top> that this </top> closes.", "Remove it.")
            else:
                found = {name: " ".join(_LABEL.sub("", text).split()) for name, text in texts.items()}
                if not found.get("num"):
                    raise BadRequest(f"{begun}: this topic has no number.", "Write <num> Number: 301")
                yield begun, found["num"], ". ".join(text for name in parts if (text := found.get(name, "")))
                begun = None
    if begun is not None:
        raise BadRequest(f"{begun}: this <top> is not closed.", "Close it with </top>.")
