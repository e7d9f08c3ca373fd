"""SQuAD's JSON and its kin: paragraphs become documents, questions bring answers and the characters they stand at.

Rajpurkar et al., "SQuAD" (2016) and "Know What You Don't Know" (2018, unanswerable questions); XQuAD (Artetxe et al. 2020); CMRC 2018
(Cui et al. 2019), in this form and in its own (`context_text`, `qas` with `query_text`, a list); DRCD (Shao et al. 2018).

    {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}

Offsets that do not fit their answer are corrected to the nearest place that does, and told as a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.datasets.corpus import TextCorpus
from eval.datasets.description import Description
from eval.datasets.json_tree import JsonPlace, read_json
from eval.datasets.lines import twice
from eval.datasets.model import Dataset, Question, Span
from eval.datasets.warn import Warned, shorten
from rag.errors import BadRequest


def is_squad(value: Any) -> bool:
    if isinstance(value, dict):
        articles = value.get("data")
        return isinstance(articles, list) and bool(articles) and "paragraphs" in articles[0]
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "context_text" in value[0]


def read_squad(path: Path, description: Description) -> Dataset:
    """Raises BadRequest naming file and line."""
    tree = read_json(path)
    reader = _Reader(description.rule(path).language, "empty" in description.skip)
    for number, (title, paragraph) in enumerate(_paragraphs(tree)):
        reader.paragraph(paragraph, title, str(number))
    if not reader.questions:
        raise BadRequest(f"{path} holds no questions.", 'Paragraphs have their questions in "qas".')
    corpus = TextCorpus(path.parent, reader.texts)
    name, warnings = description.name or path.stem, tuple(shorten(reader.warnings))
    return Dataset(name, tuple(reader.questions), reader.documents, {}, corpus, warnings, reader.spans)


def _paragraphs(tree: JsonPlace) -> Iterator[tuple[str, JsonPlace]]:
    """Title of the article, and the paragraph."""
    if isinstance(tree.value, list):
        for paragraph in tree.items(""):
            yield paragraph.string("title", required=False), paragraph
        return
    for article in tree.items("data"):
        # Wikipedia's addresses have underscores where its titles have spaces.
        title = article.string("title", required=False).replace("_", " ").strip()
        for paragraph in article.items("paragraphs"):
            yield title, paragraph


@dataclass
class _Reader:
    language: str
    skip_empty: bool
    texts: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    documents: dict[str, dict[str, int]] = field(default_factory=dict)
    spans: dict[str, frozenset[Span]] = field(default_factory=dict)
    warnings: list[Warned] = field(default_factory=list)
    _paragraphs: dict[str, JsonPlace] = field(default_factory=dict)
    _places: dict[str, JsonPlace] = field(default_factory=dict)

    def paragraph(self, place: JsonPlace, title: str, number: str) -> None:
        own = place.has("context_text")
        context = place.string("context_text" if own else "context")
        if not context.strip():
            raise place.wrong("the paragraph is empty")
        id_ = place.string("context_id" if own else "id", required=False) or number
        if id_ in self._paragraphs:
            raise twice(place, self._paragraphs[id_], f"paragraph {id_!r}")
        self._paragraphs[id_] = place
        head = f"{title}\n\n" if title else ""
        self.texts[id_] = head + context
        for asked in place.items("qas"):
            self._question(asked, id_, title or id_, len(head), "query_" if own else "")

    def _question(self, place: JsonPlace, document: str, group: str, start: int, prefix: str) -> None:
        id_ = place.string(f"{prefix}id")
        if id_ in self._places:
            raise twice(place, self._places[id_], f"question {id_!r}")
        self._places[id_] = place
        text = place.string("query_text" if prefix else "question").strip()
        if not text and self.skip_empty:
            self.warnings.append((place, f"question {id_!r} is empty and left out."))
            return
        if not text:
            raise place.wrong(f"question {id_!r} is empty")
        answers = list(place.items("answers")) if place.has("answers") else []
        answerable = bool(answers) and not place.value.get("is_impossible", False)
        answers = answers if answerable else []
        found: dict[str, None] = {}
        spans: set[Span] = set()
        for answer in answers:
            words, at = self._answer(answer, self.texts[document][start:])
            found[words] = None
            if at is not None:
                spans.add((document, start + at, start + at + len(words)))
        if answerable:
            self.documents[id_] = {document: 1}
        if spans:
            self.spans[id_] = frozenset(spans)
        self.questions.append(Question(id_, text, tuple(found), answerable, language=self.language, group=group))

    def _answer(self, place: JsonPlace, context: str) -> tuple[str, int | None]:
        """The words and where they stand in the paragraph; without a place where they are not the paragraph's."""
        if isinstance(place.value, str | int | float):
            words, at = str(place.value), None
        else:
            words, at = place.string("text"), place.value.get("answer_start")
            if at is not None and (isinstance(at, bool) or not isinstance(at, int)):
                raise place.wrong(f"answer_start {at!r} is no whole number")
        if not words.strip():
            raise place.wrong("the answer is empty")
        if at is not None and at >= 0 and context[at : at + len(words)] == words:
            return words, at
        places = [match.start() for match in re.finditer(f"(?={re.escape(words)})", context)]
        if not places:
            self.warnings.append((place, f"the answer {words[:40]!r} does not stand in its paragraph."))
            return words, None
        if at is None or at < 0:
            # Only one place can be meant; of several, none is known to be.
            return words, places[0] if len(places) == 1 else None
        nearest = min(places, key=lambda i: abs(i - at))
        self.warnings.append((place, f"{words[:40]!r} stands at {nearest}, not at {at}."))
        return words, nearest
