"""What a labelled set is, whatever layout it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eval.datasets.corpus import Corpus
from eval.metrics.page_hit import PageKey


@dataclass(frozen=True, slots=True)
class Question:
    """`answers` are alternatives, any of which is right; an unanswerable question has none, and abstaining answers it."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    kind: str = ""


@dataclass(frozen=True)
class Dataset:
    """`documents` grades documents by question and document id; `pages` names the pages that answer a question."""

    name: str
    questions: tuple[Question, ...]
    documents: Mapping[str, Mapping[str, int]]
    pages: Mapping[str, frozenset[PageKey]]
    corpus: Corpus
    warnings: tuple[str, ...] = field(default=())

    def first(self, limit: int | None) -> Dataset:
        """The set with its first `limit` questions, over the whole corpus."""
        return self if limit is None else replace(self, questions=self.questions[:limit])

    @property
    def digest(self) -> str:
        """Changes with everything a measurement depends on: questions, judgements, documents."""
        labels = [
            [q.id, q.text, q.answers, q.answerable, self.documents.get(q.id, {}), sorted(self.pages.get(q.id, ()))]
            for q in self.questions
        ]
        text = json.dumps([labels, self.corpus.digest], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
