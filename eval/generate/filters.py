"""Which proposed questions are worth a reviewer's time. Each filter answers why not, or an empty string.

Nothing here asks the system that will be measured: a set of what its search finds anyway would flatter it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from eval.generate.answer_type import fits
from eval.generate.candidate import Candidate
from eval.generate.pool import Pool
from eval.generate.wording import HAN, is_number, length, recall
from rag.stems import stem, stems
from rag.words import words

RIVAL = 0.95
"""Of the coverage of its own passage, how much another's makes a question ambiguous."""
SAME_ANSWER = 0.75
"""The same for a passage that has the answer, too."""
COPIED = 0.75
"""Share of a question that may stand in the passage word by word while one of its words is nowhere else."""

_LEANS = re.compile(
    r"\b(?:this|these|those|the (?:above|following|given|provided|same)) (?:\w+ )?(?:passage|text|document|table|figure|section|report|"
    r"page|article|excerpt|paragraph|context|study|image|chapter|example|case|data|handbook|guide|process|method|step)s?\b|"
    r"\b(?:the|this|that) (?:passage|text|excerpt|paragraph|author|speaker|snippet)\b|"
    r"\b(?:mentioned|described|given|provided|listed|stated|shown|discussed|according to) (?:in |here|above|below|the )?(?:the )?"
    r"(?:passage|text|document|table|above|below|here|context|excerpt)\b|\baccording to (?:it|this|the)\b",
    re.IGNORECASE,
)
_LEANS_ZH = re.compile(
    r"本文|本段|该段|这段|上述|上文|下文|文中|文章|片段|该文档|该文件|此文|这篇|该表|上表|下表|表中|图中|上图|下图|如下|以下|资料中|根据资料|这里|该句|作者"
)
_POINTS = re.compile(
    r"^(?:what|how|why|when|where|who|which|does|did|is|are|was|were|do|can)\b.{0,20}\b(?:it|they|he|she|this|that|these|those)\b",
    re.IGNORECASE,
)
_POINTS_ZH = re.compile(r"^[它他她其该此这那]|(?:^|，)(?:它|他们|她|其中的?|该|此|这个|那个|这些|那些)")


def too_short(candidate: Candidate, pool: Pool) -> str:
    """Without a word of content, or hardly longer than one."""
    asked = candidate.stems
    enough = len(HAN.findall(candidate.question)) >= 4 or length(candidate.question) >= 3
    # One word is enough of a question only where the word is one of the collection's subjects.
    if not enough or not asked or (len(asked) == 1 and pool.frequency(next(iter(asked))) < 3):
        return "too short"
    return "" if candidate.answer.strip() else "no answer"


def leans_on_its_passage(candidate: Candidate, _: Pool) -> str:
    """A question has to be understood by somebody who does not see the passage."""
    text = candidate.question
    leans = _LEANS_ZH.search(text) or _POINTS_ZH.search(text) if candidate.passage.language == "zh" else None
    return "does not stand alone" if leans or _LEANS.search(text) or _POINTS.search(text) else ""


def gives_the_answer_away(candidate: Candidate, _: Pool) -> str:
    return (
        "answer in question" if recall(candidate.answer, candidate.question) == 1.0 and words(candidate.answer) else ""
    )


def of_another_kind(candidate: Candidate, _: Pool) -> str:
    """Rules ask for what they found; a generator may ask for something else."""
    ours = candidate.written_by == "rules"
    return "" if ours or fits(candidate.question, candidate.answer) else "answer of another kind"


def trivial(candidate: Candidate, pool: Pool) -> str:
    """A question in the passage's own words, one of which stands nowhere else: BM25 needs nothing but that word."""
    measured = difficulty(candidate, pool)
    return "trivial" if measured["copied"] > COPIED and measured["rarest"] <= 1 else ""


def difficulty(candidate: Candidate, pool: Pool) -> dict[str, float]:
    """`copied`: the longest run of the question's content words that stands so in the passage, as a share of them. `rarest`:
    passages that have its rarest word."""
    asked, there = stems(candidate.question), stems(candidate.passage.text)
    known = [pool.frequency(word) for word in asked]
    copied = _longest_run(asked, there) / len(asked) if asked else 1.0
    return {"copied": round(copied, 2), "rarest": min((n for n in known if n), default=0)}


def ambiguous(candidate: Candidate, pool: Pool) -> str:
    """Other passages match the question as well as its own: which of them is meant, nobody can tell."""
    own = pool.number(candidate.passage)
    coverage = pool.coverage(candidate.stems)
    mine = coverage.get(own, 0.0)
    if not mine:
        return "unrelated to its passage"
    answer = frozenset(stems(candidate.answer)) or frozenset(stem(word) for word in words(candidate.answer))
    same: set[str] = set()
    # Who names the document means no other one.
    names = candidate.passage.called in candidate.question
    for number, value in coverage.items():
        other = pool.passages[number]
        if number == own or value < SAME_ANSWER * mine:
            continue
        has_answer = bool(answer) and pool.holds(number, answer)
        elsewhere = other.document != candidate.passage.document
        if elsewhere and names:
            continue
        if elsewhere and has_answer:
            same.add(other.document)
        # Within a document a sentence elsewhere explains what is asked about; another table with the same row does not.
        tables = candidate.kind == other.kind == "table"
        if value >= RIVAL * mine and not has_answer and (elsewhere or tables):
            return "other passages match as well"
    return "answered in several documents" if same else ""


def unanswerable(candidate: Candidate, _: Pool) -> str:
    """The answer has to stand in the quote: its numbers all, its words for the most part."""
    quote = candidate.quote
    if not quote.strip():
        return "no evidence"
    numbers = [word for word in words(candidate.answer) if any(character.isdigit() for character in word)]
    said = set(words(quote))
    if any(word not in said for word in numbers):
        return "its figures are not in the passage"
    needed = 1.0 if is_number(candidate.answer) else 0.6
    return "" if recall(candidate.answer, quote) >= needed else "answer not in the passage"


FILTERS: tuple[Callable[[Candidate, Pool], str], ...] = (
    too_short,
    leans_on_its_passage,
    gives_the_answer_away,
    of_another_kind,
    unanswerable,
    trivial,
    ambiguous,
)


def judge(candidate: Candidate, pool: Pool) -> tuple[Candidate, str]:
    """The candidate with its difficulty measured, and why it is not wanted; empty when it is."""
    measured = replace(candidate, difficulty=difficulty(candidate, pool))
    return measured, next((reason for check in FILTERS if (reason := check(measured, pool))), "")


def _longest_run(asked: list[str], there: list[str]) -> int:
    """Length of the longest common substring of two word lists, by dynamic programming over one row."""
    best = 0
    row = [0] * (len(there) + 1)
    for word in asked:
        previous = 0
        for position, other in enumerate(there, 1):
            kept = row[position]
            row[position] = previous + 1 if word == other else 0
            best = max(best, row[position])
            previous = kept
    return best
