"""Questions with answers and where they stand, over a folder of real files: JSONL, a JSON list, or CSV.

    {"id": "7", "question": "…", "answer": "…", "source": "reports/2024.pdf", "page": 12, "kind": "table"}

Columns may have other names (`eval.datasets.fields`, `[fields]` of a description). `answer` may be a list of alternatives, `source` a list
or a pattern, `page` a list; `quote` holds words of the source that answer, `box` the place on the page (`eval.datasets.boxes`), `evidence` pieces of
`{"source", "quote", "page", "box"}`.
`source: null` or `"unanswerable": true` says that no file answers: abstaining is right. Where no question of a file has a source,
those with an answer count as answerable, and only answers are measured. Sources are names below the folder of documents.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.datasets import values
from eval.datasets.boxes import boxes
from eval.datasets.corpus import Corpus
from eval.datasets.description import Description, FileRule
from eval.datasets.fields import Fields
from eval.datasets.lines import Place, string, twice
from eval.datasets.model import Dataset, Question, Quote
from eval.datasets.passages import passage_id
from eval.datasets.records import records
from eval.datasets.sources import Sources
from eval.datasets.warn import Warned, shorten
from eval.metrics.citations import Region
from eval.metrics.page_hit import PageKey
from rag.documents import Box
from rag.errors import BadRequest

NAMES = ("questions.jsonl", "questions.json", "questions.csv", "questions.tsv")
_SOURCED = frozenset({"source", "evidence", "passage", "unanswerable"})


def read_questions(paths: Sequence[Path], corpus: Corpus, root: Path, description: Description) -> Dataset:
    """`root` is where the documents of `corpus` are, for messages. Raises BadRequest naming file and line."""
    reader = _Reader(description, Sources(corpus.ids, root), root, len(paths) > 1)
    for path in paths:
        reader.read(path)
    reader.check_names()
    if not reader.questions:
        left_out = " that is not left out" if reader.left_out else ""
        raise BadRequest(
            f"{', '.join(map(str, paths))} holds no questions{left_out}.",
            'Write one {"id", "question", "answer", "source", "page"} per line.',
        )
    return reader.dataset(corpus)


@dataclass
class _Reader:
    description: Description
    sources: Sources
    root: Path
    many: bool
    questions: list[Question] = field(default_factory=list)
    left_out: int = 0
    unsourced: int = 0
    warnings: list[Warned] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _places: dict[str, Place] = field(default_factory=dict)
    _asked: dict[Any, Place] = field(default_factory=dict)
    _documents: dict[str, dict[str, int]] = field(default_factory=dict)
    _pages: dict[str, frozenset[PageKey]] = field(default_factory=dict)
    _quotes: dict[str, frozenset[Quote]] = field(default_factory=dict)
    _regions: dict[str, tuple[Region, ...]] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        fields = Fields(self.description.fields, self.description.source)
        rule = self.description.rule(path)
        found = [(place, record, fields.names(record)) for place, record in records(path)]
        self._seen.update(name for _, record, names in found for name in (*record, *names.values()))
        has_ids = any("id" in names for _, _, names in found)
        has_sources = any(not names.keys().isdisjoint(_SOURCED) for *_, names in found)
        for place, record, names in found:
            if self._is_wanted(record):
                id_ = self._id(place, record, names.get("id", "id"), path) if has_ids else ""
                self._question(place, id_, fields.read(record), fields.rest(record), rule, has_sources)

    def check_names(self) -> None:
        """Raises BadRequest where the description names a field that no question has."""
        for theirs in (*self.description.fields.values(), *self.description.only):
            if self._seen and theirs and theirs.partition(".")[0] not in self._seen and theirs not in self._seen:
                raise BadRequest(
                    f"{self.description.source}: no question has a {theirs!r} (there is: {', '.join(sorted(self._seen))}).",
                    "Correct the name.",
                )

    def dataset(self, corpus: Corpus) -> Dataset:
        warnings = shorten(self.warnings)
        if self.left_out:
            warnings.append(f"{self.left_out} questions about documents that are not below {self.root} are left out.")
        if self.unsourced:
            warnings.append(f"{self.unsourced} questions name no source: only their answers can be measured.")
        return Dataset(
            self.description.title,
            tuple(self.questions),
            self._documents,
            self._pages,
            corpus,
            tuple(warnings),
            quotes=self._quotes,
            regions=self._regions,
        )

    def _question(
        self, place: Place, id_: str, given: dict[str, Any], rest: dict[str, str], rule: FileRule, has_sources: bool
    ) -> None:
        text = str(given.get("question", "")).strip()
        turns = values.turns(place, given.get("turns"))
        if not text and "empty" in self.description.skip:
            self.warnings.append((place, "the question is empty and left out."))
            return
        if not text:
            raise BadRequest(f"{place}: question {id_!r} is empty.", "Give it a text, or remove it.")
        asked = (text, turns, str(given.get("image", "")))
        # Made of what is asked: it stays when other questions come and go.
        # With its passage, because sets of reading ask the same of several.
        made = repr((*asked, given["passage"]) if "passage" in given else asked)
        given_id, id_ = id_, id_ or self._named(hashlib.sha256(made.encode()).hexdigest()[:12], place.path)
        if id_ in self._places:
            raise twice(place, self._places[id_], f"question {given_id or text[:60]!r}")
        self._places[id_] = place
        judged = self._judged(place, given, rule)
        if judged is None:
            self.left_out += 1
            return
        documents, pages, quotes, regions = judged
        if asked in self._asked:
            before = self._asked[asked]
            there = f"line {before.line}" if before.path == place.path else str(before)
            self.warnings.append((place, f"the same is asked on {there}."))
        self._asked.setdefault(asked, place)
        answers = values.answers(given.get("answer"))
        answerable = bool(documents if has_sources else answers)
        answerable = answerable and not values.flag(place, given.get("unanswerable"))
        self.unsourced += answerable and not documents
        question = Question(
            id=id_,
            text=text,
            answers=answers if answerable else (),
            answerable=answerable,
            kind=str(given.get("kind", rule.kind)).strip(),
            language=str(given.get("language", rule.language)).strip(),
            turns=turns,
            images=values.pictures(place, given.get("image"), (place.path.parent, self.description.root)),
            group=str(given.get("group", "")).strip() or ("" if answerable else next(iter(documents), "")),
            metadata=rest,
        )
        self.questions.append(question)
        if answerable and documents:
            self._documents[id_] = dict.fromkeys(documents, 1)
            if pages:
                self._pages[id_] = frozenset(pages)
            if quotes:
                self._quotes[id_] = frozenset(quotes)
            if regions:
                self._regions[id_] = tuple(regions)

    def _judged(
        self, place: Place, given: dict[str, Any], rule: FileRule
    ) -> tuple[list[str], set[PageKey], set[Quote], list[Region]] | None:
        """Documents, pages, quotes and regions; None where a document is not here and may be missing."""
        groups: dict[tuple[str, ...], _Said] = defaultdict(_Said)
        sources = values.names(given.get("source"))
        if passages := values.listed(given.get("passage")):
            sources = [passage_id(str(passage)) for passage in passages]
        if sources:
            quotes = [str(one) for one in values.listed(given.get("quote"))]
            groups[tuple(sources)].add(place, quotes, given.get("page"), given.get("box"))
        elif given.get("page") is not None or given.get("box") is not None:
            what = "page" if given.get("page") is not None else "box"
            raise BadRequest(f"{place}: a {what} without a source.", f"Name the source, or leave the {what} out.")
        for source, words, page, box in values.evidence(place, given.get("evidence"), rule.evidence):
            groups[(source,) if source else tuple(sources)].add(place, words, page, box)
        documents: dict[str, None] = {}
        pages: set[PageKey] = set()
        all_quotes: set[Quote] = set()
        regions: list[Region] = []
        for called, said in groups.items():
            if "missing" in self.description.skip and not all(self.sources.find(name) for name in called):
                return None
            meant = list(dict.fromkeys(name for one in called for name in self.sources.resolve(place, one)))
            if said.pages and len(meant) > 1:
                raise BadRequest(f"{place}: pages of several sources.", "Give one source with its pages, or no page.")
            documents |= dict.fromkeys(meant)
            pages |= {(name, number) for name in meant for number in said.pages}
            all_quotes |= {(name, quote.strip()) for name in meant for quote in said.quotes if quote.strip()}
            regions += [Region(name, drawn) for name in meant for drawn in said.drawn]
        return list(documents), pages, all_quotes, regions

    def _id(self, place: Place, record: dict[str, Any], key: str, path: Path) -> str:
        id_ = string(place, record, key).strip()
        if not id_:
            raise BadRequest(f"{place}: the id is empty.", "Give every question an id, or none of them.")
        return self._named(id_, path)

    def _named(self, id_: str, path: Path) -> str:
        return f"{path.stem}/{id_}" if self.many else id_

    def _is_wanted(self, record: dict[str, Any]) -> bool:
        only = self.description.only
        return all(str(record.get(theirs, "")).strip() in allowed for theirs, allowed in only.items())


@dataclass
class _Said:
    """Of one source, by all pieces of evidence about it."""

    pages: set[int] = field(default_factory=set)
    quotes: list[str] = field(default_factory=list)
    drawn: list[tuple[Box, ...]] = field(default_factory=list)

    def add(self, place: Any, quotes: Sequence[str], page: Any, box: Any) -> None:
        numbers = values.pages(place, page)
        drawn = boxes(place, box, numbers)
        self.pages |= numbers | {one.page for one in drawn}
        self.quotes += quotes
        if drawn:
            self.drawn.append(drawn)
