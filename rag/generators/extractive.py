"""Answers without a model: the sentences of the passages that say most of what the question asks, each with its marker.

A sentence scores by the question's words in it, weighted by their rarity among the sentences given (inverse document
frequency, Spärck Jones 1972), with less credit for words of its headings and of the sentence before it, which it may
refer to. Sentences that hold what the question asks for (a number for "how many", a date for "when") get more. Further
sentences are taken for what they add (maximal marginal relevance, Carbonell and Goldstein 1998).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from rag.answers import Passage, Usage
from rag.generators.estimate import estimate_tokens
from rag.generators.units import Unit, units_of
from rag.language import language_of
from rag.protocols import GenerationRequest
from rag.stems import stems
from rag.words import content_words

HEADING_CREDIT = 0.35
"""A word of the question in the heading path is true of every sentence below it, so it says little of one of them."""
PREVIOUS_CREDIT = 0.35
BIGRAM_CREDIT = 0.5
HINT_CREDIT = 0.25
RANK_CREDIT = 0.12
"""What the first passage is ahead of one far down, when their sentences are equal."""
FURTHER_SHARE = 0.18
"""Share of the question's weight that a further sentence must add; below it, the sentence is beside the point."""
LONG_WORDS = 60
UNMET_CREDIT = 0.2
"""A sentence that gives the date or number which the sentences taken so far lack; then pronouns may stand for the words."""

_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|billion)\b", re.I
)
_ZH_NUMBER = re.compile(r"\d|[一二两三四五六七八九十百千万亿]+[个块次年月日名人种台条件倍天层页位家项亿万岁届]")
_DATE = re.compile(
    r"\b(?:1[5-9]|20)\d\d\b|\d+\s*[年月日]|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.I,
)
_NAME = re.compile(r"(?<![.!?。]\s)(?<!^)\b[A-Z][a-zA-Z]+")
_IS = r"\s*(?:\([^)]*\)|（[^）]*）)?[\s”\"*]*(?:is\b|are\b|means\b|是|指|即)"
_CALLED = r"(?:(?:称|叫).{0,10}[为作]|(?:called|known as|defined as)\s(?:an?\s|the\s)?)[\s“\"*]*"
_CODE = re.compile(r"[=(){}<>_\\\\$;]")
_SHARE = re.compile(r"\d\s*(?:%|％|percent|per cent)|百分之", re.I)
_ASKS = (
    (re.compile(r"\b(?:what|which) (?:share|percent\w*|proportion|fraction)\b|百分之几|占比|比例", re.I), _SHARE),
    (re.compile(r"\bhow (?:many|much|old|long|large|big|high|far|often)\b", re.I), _NUMBER),
    (
        re.compile(r"\bwhat (?:is|was|were|are)? ?(?:the )?(?:number|amount|price|target|age|size|cost)\b", re.I),
        _NUMBER,
    ),
    (re.compile(r"多少|几[个块次年月日名人种台条件倍天层页位家项岁]|多[大长久高远重]"), _ZH_NUMBER),
    (re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b|何时|什么时候|哪一?[年天]|几月", re.I), _DATE),
    (re.compile(r"\bwho(?:m|se)?\b|\bwhere\b", re.I), _NAME),
)
_DEFINES = re.compile(
    r"^(?:what (?:is|are) (?:an? |the )?([\w -]{2,40}?)\??|什么是\s*([^\s？?，,]{1,20})\s*[？?]?|([^\s？?，,]{1,20}?)\s*是什么\s*[？?]?)$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Scored:
    unit: Unit
    score: float
    covered: frozenset[str]
    met: frozenset[int]
    """Which of the question's asks (a number, a date, …) the unit can answer."""


class ExtractiveGenerator:
    """Best sentences with `[n]` markers; no model, the same answer for the same passages every time."""

    def __init__(self, *, sentences: int = 3, context_tokens: int = 6000) -> None:
        self._sentences = sentences
        self._context_tokens = context_tokens

    @property
    def name(self) -> str:
        return "extractive"

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        return estimate_tokens(text)

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        chosen = select(request.plainer or request.question, request.passages, self._sentences)
        chinese = request.language == "zh"
        for position, unit in enumerate(chosen):
            lead = "" if position == 0 or (chinese and language_of(unit.text) == "zh") else " "
            yield f"{lead}{_with_marker(unit)}"
        yield Usage(0, sum(estimate_tokens(unit.text) for unit in chosen))

    def ready(self) -> None:
        """Always: there is nothing to load."""

    def close(self) -> None:
        """Nothing is held."""


def select(question: str, passages: Sequence[Passage], limit: int = 3) -> list[Unit]:
    """Up to `limit` units, in the order in which they are best read: by passage, then by place in it."""
    per_passage = [units_of(passage) for passage in passages]
    units = [unit for group in per_passage for unit in group]
    if not units:
        return []
    asked = Counter(stems(question))
    weight = _weights(asked, units)
    total = sum(weight.values()) or 1.0
    hints = [found for asks, found in _ASKS if asks.search(question)]
    if term := _defined_term(question):
        named = re.escape(term)
        hints.append(re.compile(f"{named}{_IS}|{_CALLED}{named}", re.IGNORECASE))
    bigrams = _bigrams(stems(question))
    scored = [
        _score(unit, group[place - 1] if place else None, rank, weight, total, bigrams, hints)
        for rank, group in enumerate(per_passage)
        for place, unit in enumerate(group)
    ]
    chosen = _choose(scored, weight, total, limit)
    return sorted(chosen, key=lambda unit: (unit.number, unit.place))


def _score(
    unit: Unit,
    previous: Unit | None,
    rank: int,
    weight: dict[str, float],
    total: float,
    bigrams: set[tuple[str, str]],
    hints: Sequence[re.Pattern[str]],
) -> _Scored:
    own_stems = stems(unit.text)
    own = set(own_stems) & weight.keys()
    headings = (set(stems(unit.headings)) & weight.keys()) - own
    before = (set(stems(previous.text)) & weight.keys()) - own - headings if previous and not unit.row else set()
    coverage = sum(weight[word] for word in own) / total
    score = coverage
    score += HEADING_CREDIT * sum(weight[word] for word in headings) / total
    score += PREVIOUS_CREDIT * sum(weight[word] for word in before) / total
    if bigrams:
        score += BIGRAM_CREDIT * len(_bigrams(own_stems) & bigrams) / len(bigrams)
    # A number that answers nothing is no evidence: the hint counts as far as the sentence is about the question.
    met = frozenset(place for place, hint in enumerate(hints) if hint.search(unit.text))
    if hints:
        score += HINT_CREDIT * min(1.0, 2 * score) * len(met) / len(hints)
    score += RANK_CREDIT / (1 + rank)
    score *= _readability(unit.text, len(own_stems))
    return _Scored(unit, score, frozenset(own | headings), met)


def _readability(text: str, length: int) -> float:
    """Below 1 for what reads badly on its own: fragments, endless lines, code, and sentences that only announce."""
    factor: float = min(1.0, length / 4) ** 0.5 * min(1.0, LONG_WORDS / max(1, length)) ** 0.5
    if text.endswith((":", "：", "：。")):
        factor *= 0.4
    if len(_CODE.findall(text)) * 12 > len(text):
        factor *= 0.6
    return factor


def _defined_term(question: str) -> str:
    match = _DEFINES.match(question.strip())
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _choose(scored: list[_Scored], weight: dict[str, float], total: float, limit: int) -> list[Unit]:
    ranked = sorted(scored, key=lambda item: (-item.score, item.unit.number, item.unit.place))
    best = ranked[0]
    chosen, covered, met = [best], set(best.covered), set(best.met)
    while len(chosen) < limit:
        candidates = [
            item
            for item in ranked
            if item.score >= (0.35 if item.met - met else 0.5) * best.score and not _repeats(item, chosen)
        ]
        gains = [
            (sum(weight[word] for word in item.covered - covered) / total + UNMET_CREDIT * len(item.met - met), item)
            for item in candidates
        ]
        gain, item = max(gains, key=lambda pair: pair[0] * pair[1].score, default=(0.0, best))
        if gain < FURTHER_SHARE:
            break
        chosen.append(item)
        covered |= item.covered
        met |= item.met
    return [item.unit for item in chosen]


def _repeats(item: _Scored, chosen: Sequence[_Scored]) -> bool:
    """Nearly the same words as a sentence already taken (a table that stands in two files, for example)."""
    own = set(content_words(item.unit.text))
    return any(
        item is other or len(own & (theirs := set(content_words(other.unit.text)))) >= 0.7 * min(len(own), len(theirs))
        for other in chosen
    )


def _weights(asked: Counter[str], units: Sequence[Unit]) -> dict[str, float]:
    """Inverse document frequency over the units; a word that is in none of them tells none of them apart."""
    seen = Counter(word for unit in units for word in set(stems(f"{unit.headings} {unit.text}")) & asked.keys())
    return {word: log(1 + len(units) / seen[word]) for word in asked if seen[word]}


def _bigrams(words: Sequence[str]) -> set[tuple[str, str]]:
    return set(itertools.pairwise(words))


def _with_marker(unit: Unit) -> str:
    """The marker before the full stop, where a reader expects it."""
    body, end = unit.text, ""
    while body and body[-1] in ".。！？!?；;":
        body, end = body[:-1], body[-1] + end
    if not end:
        end = "。" if language_of(body) == "zh" else "."
    return f"{body.rstrip()} [{unit.number}]{end}" if end.isascii() else f"{body.rstrip()}[{unit.number}]{end}"
