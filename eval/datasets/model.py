"""What a labelled set is, whatever layout it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eval.datasets.corpus import Corpus
from eval.metrics.citations import Region
from eval.metrics.page_hit import PageKey
from rag.answers import Turn

Span = tuple[str, int, int]
"""Document id, first character, character after the last, counted in the document's text as it is ingested."""

Quote = tuple[str, str]
"""Document id and words of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """`answers` are alternatives, any of which is right; an unanswerable question has none, and abstaining answers it."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    kind: str = ""
    language: str = ""
    """`en`, `zh`, …; empty where the set does not tell."""
    turns: tuple[Turn, ...] = ()
    """Earlier messages of the conversation that this question follows up, oldest first."""
    images: tuple[Path, ...] = ()
    """Pictures that are asked with the question."""
    group: str = ""
    """What it was made from (a document id, an article), for questions that no judgement ties to a document."""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Whatever else the set says of the question, by the name of its field."""


@dataclass(frozen=True)
class Dataset:
    """`documents` grades documents by question and document id; `pages` names the pages that answer a question, `spans` and
    `quotes` the characters and the words that do (`eval.datasets.evidence` finds them in passages), `regions` the places on pages."""

    name: str
    questions: tuple[Question, ...]
    documents: Mapping[str, Mapping[str, int]]
    pages: Mapping[str, frozenset[PageKey]]
    corpus: Corpus
    warnings: tuple[str, ...] = field(default=())
    """What was tolerated: one sentence each, with file and line where there is one."""
    spans: Mapping[str, frozenset[Span]] = field(default_factory=dict)
    quotes: Mapping[str, frozenset[Quote]] = field(default_factory=dict)
    regions: Mapping[str, tuple[Region, ...]] = field(default_factory=dict)
    """One for each piece of evidence whose boxes the set has."""

    def first(self, limit: int | None) -> Dataset:
        """The set with its first `limit` questions, over the whole corpus."""
        return self if limit is None else replace(self, questions=self.questions[:limit])

    @property
    def digest(self) -> str:
        """Changes with everything a measurement depends on: questions, judgements, documents."""
        labels = [self._label(question) for question in self.questions]
        text = json.dumps([labels, self.corpus.digest], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _label(self, q: Question) -> list[Any]:
        label = [q.id, q.text, q.answers, q.answerable, self.documents.get(q.id, {}), sorted(self.pages.get(q.id, ()))]
        more = {
            "language": q.language,
            "turns": [[turn.role, turn.content] for turn in q.turns],
            "images": [hashlib.sha256(path.read_bytes()).hexdigest() for path in q.images],
            "group": q.group,
            "metadata": dict(q.metadata),
            "spans": sorted(self.spans.get(q.id, ())),
            "quotes": sorted(self.quotes.get(q.id, ())),
            "regions": [[one.document, [box.as_list() for box in one.boxes]] for one in self.regions.get(q.id, ())],
        }
        # Only what is there: runs over sets without these labels stay comparable with those of before they existed.
        there = {name: value for name, value in more.items() if value}
        return [*label, there] if there else label
