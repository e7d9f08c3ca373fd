"""Unanswerable questions that look answerable: one name, number or year of a good question is changed to another one of the
same collection, so that every word of it is known there and the combination is not.

The idea is that of SQuAD 2.0's adversarial questions (Rajpurkar et al. 2018), which people wrote; here two searches have to
find no support before one is proposed: through all passages by their words, and through the system's own search, which also
finds paraphrases. A person still has to accept it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.pool import Pool
from eval.generate.sample import shuffled
from eval.generate.wording import HAN
from rag.stems import stems
from rag.words import words

SUPPORT = 0.5
"""Share of the rest of the question that a passage with the changed part may hold."""
SEARCHED = 10
"""Hits of the system's search that are looked through."""
TRIED = 6
"""Other values that are tried for one part of a question."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NUMBER = re.compile(r"(?<![\w.,/\-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,/\-])\d+(?:\.\d+)?(?![\w,/\-]|\.\d)")
_NAME = re.compile(r"\b[A-Z][\w’'\-]*[a-z][\w’'\-]*(?:\s+(?:of\s+|and\s+)?[A-Z][\w’'\-]+)+")
NEAR = 1
"""Pages between two tables of one document that are still about similar things."""

Find = Callable[[str], Sequence[str]]
"""Question to the texts of what the served search finds for it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a question that can be changed, and what it may become, with where that stands."""

    text: str
    start: int
    others: tuple[tuple[str, str], ...]


def near_misses(
    candidate: Candidate, pool: Pool, rows: Sequence[Candidate], find: Find, seed: int
) -> Iterator[Candidate]:
    """Changed questions that nothing supports, best kinds of change first. `rows` are candidates whose rows and columns may be
    exchanged. The passage and the quote stay those of the original: what the question nearly asks about."""
    for part in _parts(candidate, pool, rows):
        for other, origin in shuffled(part.others, seed, lambda item: f"{candidate.id}\0{item[0]}")[:TRIED]:
            question = candidate.question[: part.start] + other + candidate.question[part.start + len(part.text) :]
            if _supported(question, other, pool):
                continue
            if any(_supports(text, question, other, pool) for text in find(question)):
                continue
            altered = {"question": candidate.question, "from": part.text, "to": other, "taken_from": origin}
            yield replace(candidate, question=question, answer="", kind="near-miss", altered=altered)
            return


def _parts(candidate: Candidate, pool: Pool, rows: Sequence[Candidate]) -> Iterator[_Part]:
    question, passage = candidate.question, candidate.passage
    for nth, variable in enumerate(candidate.variables):
        if variable in question:
            taken = {
                other.variables[nth]: other.passage.document
                for other in rows
                if other.passage.id != passage.id and _exchangeable(candidate, other, nth)
            }
            others = _without(taken, variable, passage)
            if len(candidate.variables) == 1:
                whole = "\n".join(
                    other.text for other in pool.passages if other.document == passage.document
                ).casefold()
                others = tuple(item for item in others if item[0].casefold() not in whole)
            yield _Part(variable, question.rindex(variable), others)
    quoted = passage.called
    for pattern in (_YEAR,) if candidate.variables else (_YEAR, _NUMBER, _NAME):
        for match in pattern.finditer(question):
            if match.start() == 0 or match.group() in quoted:
                continue
            # Of the same document: a name from elsewhere would be out of place, and everybody would see it.
            taken = {
                found: other.document
                for other in pool.passages
                if other.document == passage.document
                for found in pattern.findall(other.text)
                if _shape(found) == _shape(match.group())
            }
            yield _Part(match.group(), match.start(), _without(taken, match.group(), passage))


def _exchangeable(one: Candidate, other: Candidate, nth: int) -> bool:
    """Rows and columns of tables that are about similar things: of one document, or under the same column."""
    if (
        other.kind != one.kind
        or len(other.variables) != len(one.variables)
        or other.passage.language != one.passage.language
    ):
        return False
    if _shape(other.variables[nth]) != _shape(one.variables[nth]):
        return False
    shares = any(a == b for n, (a, b) in enumerate(zip(one.variables, other.variables, strict=True)) if n != nth)
    same = other.passage.document == one.passage.document
    if len(one.variables) == 1:
        return not same  # the label of a form that stands elsewhere in the document would be answered from there
    return shares or (same and abs((other.passage.page or 0) - (one.passage.page or 0)) <= NEAR)


def _without(taken: dict[str, str], part: str, passage: SourcePassage) -> tuple[tuple[str, str], ...]:
    """What stands in the passage itself would often make another question that it answers."""
    near = passage.searched.casefold()
    return tuple(
        (text, origin)
        for text, origin in sorted(taken.items())
        if text.casefold() != part.casefold() and text.casefold() not in near and len(text) <= 60
    )


def _supported(question: str, changed: str, pool: Pool) -> bool:
    """Whether any passage of the collection holds the changed part together with much of the rest."""
    rest = _rest(question, changed)
    covered = pool.coverage(rest)
    wanted = frozenset(stems(changed)) or frozenset(words(changed))
    return any(value >= SUPPORT and wanted <= pool.words[number] for number, value in covered.items())


def _supports(text: str, question: str, changed: str, pool: Pool) -> bool:
    rest, there = _rest(question, changed), set(stems(text))
    total = sum(pool.idf(word) for word in rest)
    held = sum(pool.idf(word) for word in rest if word in there)
    return set(stems(changed)) <= there and held >= SUPPORT * total


def _rest(question: str, changed: str) -> frozenset[str]:
    return frozenset(stems(question)) - frozenset(stems(changed))


def _shape(text: str) -> tuple[bool, bool, bool]:
    """Years go for years, figures for figures, words for words of the same script."""
    return bool(_YEAR.fullmatch(text)), any(character.isdigit() for character in text), bool(HAN.search(text))
