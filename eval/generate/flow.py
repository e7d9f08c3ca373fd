"""From the passages of a collection to a set of proposed questions: the whole way on one screen.

passages → rules (and the generator) → filters → round trip → no duplicates → spread over documents, languages and kinds
→ near misses of what was kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from eval.generate.candidate import Candidate, Kind, SourcePassage
from eval.generate.duplicates import Seen
from eval.generate.filters import judge
from eval.generate.near_miss import SEARCHED, near_misses
from eval.generate.pool import Pool
from eval.generate.rules import RULES
from eval.generate.sample import shuffled, stratified
from eval.generate.source import Source, passages
from eval.generate.wording import length
from eval.generate.written import comes_back, write
from rag.errors import BadRequest
from rag.generators.extractive import ExtractiveGenerator
from rag.protocols import Generator

PASSAGES_PER_QUESTION = 3
"""Passages that a generator may be shown for each question wanted of it: some give none worth keeping."""
PER_PASSAGE = 2
"""Questions about one passage: a table of a hundred cells must not fill the set."""
STRUCTURAL: tuple[Kind, ...] = ("heading", "caption")
"""What a heading is about and what a figure shows is known from the layout; sentences do not say it."""
SHORTEST = 25
"""Words of a passage that a generator is shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`near_misses` and `written` are shares of `number`, in [0, 1]; `written` counts only with a generator."""

    number: int = 50
    near_misses: float = 0.2
    written: float = 0.6
    seed: int = 0
    kinds: tuple[Kind, ...] = tuple(RULES)
    documents: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass
class Generated:
    """`rejected` counts, by reason, what the filters took out."""

    candidates: list[Candidate] = field(default_factory=list)
    proposed: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


def generate(
    source: Source, wanted: Wanted, generator: Generator | None = None, on_question: Callable[[], None] = lambda: None
) -> Generated:
    """The same passages, seed and generator give the same questions. Raises BadRequest where there is nothing to ask about."""
    # Other documents and languages stay in the pool: a question must tell its document from all of them.
    everything = passages(source)
    pool = Pool(everything)
    used = [
        passage
        for passage in everything
        if (not wanted.documents or passage.document in wanted.documents)
        and (not wanted.languages or passage.language in wanted.languages)
    ]
    if not used:
        raise BadRequest("There are no passages to make questions from.", "Ingest documents, or name others.")
    result, seen = Generated(), Seen()
    used_up: Counter[str] = Counter()
    unanswerable = round(wanted.number * wanted.near_misses)
    answerable = wanted.number - unanswerable

    def keep(candidate: Candidate, answers: Generator) -> bool:
        if used_up[candidate.passage.id] >= PER_PASSAGE:
            return False
        result.proposed += 1
        measured, reason = judge(candidate, pool)
        if not reason and not seen.is_new(measured):
            reason = "duplicate"
        if not reason and candidate.kind not in STRUCTURAL and not comes_back(answers, measured):
            reason = "answer does not come back"
        if reason:
            result.rejected[reason] += 1
            return False
        seen.add(measured)
        used_up[candidate.passage.id] += 1
        result.candidates.append(measured)
        on_question()
        return True

    if generator is not None:
        share = round(answerable * wanted.written)
        shown = stratified(
            _worth_showing(used, wanted.seed), lambda passage: (passage.document, passage.language, passage.kind)
        )
        for tried, passage in enumerate(shown):
            if len(result.candidates) >= share or tried >= share * PASSAGES_PER_QUESTION:
                break
            candidate = write(generator, passage)
            if candidate is None:
                result.proposed += 1
                result.rejected["no question and answer"] += 1
            else:
                keep(candidate, generator)
    ruled = [candidate for passage in used for kind in wanted.kinds for candidate in RULES[kind](passage)]
    mixed = shuffled(ruled, wanted.seed, _key)
    extractive = ExtractiveGenerator()
    for candidate in stratified(mixed, lambda one: (one.passage.document, one.passage.language, one.kind)):
        if len(result.candidates) >= answerable:
            break
        keep(candidate, extractive)
    result.candidates += _near(result.candidates, unanswerable, pool, ruled, source, wanted.seed, on_question)
    return result


def _key(candidate: Candidate) -> str:
    return f"{candidate.passage.id}\0{candidate.question}"


def _worth_showing(used: Sequence[SourcePassage], seed: int) -> list[SourcePassage]:
    """Text and tables with something in them; pictures have no sentences to ask about."""
    worth = [passage for passage in used if passage.kind != "image" and length(passage.text) >= SHORTEST]
    return shuffled(worth, seed, lambda passage: passage.id)


def _near(
    kept: Sequence[Candidate],
    number: int,
    pool: Pool,
    ruled: Sequence[Candidate],
    source: Source,
    seed: int,
    on_question: Callable[[], None],
) -> list[Candidate]:
    found: list[Candidate] = []
    seen, used, tried = Seen(), set[str](), set[str]()
    # “Figure 219” where there are two figures is no near miss, and what a text says about a heading has no part to change.
    worth = [candidate for candidate in kept if candidate.kind in ("table", "fact")]
    others = [candidate for candidate in ruled if candidate.kind == "table"]
    strata = partial(stratified, strata=lambda one: (one.passage.document, one.passage.language, one.kind))
    # What is in the set comes first: the two then differ in one part only. Where that gives too few, other good questions do.
    for candidate in chain(strata(shuffled(worth, seed + 1, _key)), strata(shuffled(others, seed + 1, _key))):
        if len(found) >= number:
            break
        if candidate.passage.id in used or (candidate not in kept and judge(candidate, pool)[1]):
            continue
        for changed in near_misses(candidate, pool, ruled, lambda question: source.find(question, SEARCHED), seed):
            if seen.is_new(changed) and changed.altered["to"] not in tried:
                seen.add(changed)
                tried.add(changed.altered["to"])
                used.add(candidate.passage.id)
                found.append(changed)
                on_question()
    return found
