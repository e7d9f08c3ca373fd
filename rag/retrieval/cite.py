"""Markers of an answer become citations: each is resolved to its passage and checked against it.

A marker's claim is the sentence it stands in or follows. Its quote is the sentence of the passage, or two neighbouring
ones, that holds most of the claim. It is `verified` when every number, date and name of the claim stands in or beside
that sentence, neither denies what the other says, and enough of the claim's words are there. This is a check of
wording: it catches changed facts and wrong passages, not every wrong conclusion. Where answer and passage are in
different languages words cannot be compared: numbers and names alone decide, a claim without any stays unverified, and
`Resolved.notes` says so.

Measured on held-out halves of SQuAD 2.0 and CMRC 2018 (sentences, cut sentences and questions joined with their answer,
against changed numbers, names, negations, wrong answers and sentences of other passages): precision .89 and recall .91
in English, .92 and .95 in Chinese; 5 to 7 ms a claim. docs/generators.md has the figures per kind.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from rag.answers import Citation, Passage
from rag.language import language_of
from rag.retrieval.claims import Check, check, coverage, names
from rag.retrieval.quantities import quantities
from rag.words import sentence_spans

_MARKER = re.compile(r"[ \t]*[\[【［]\s*(\d{1,2}(?:\s*[,，、;；\-–—~]\s*\d{1,2})*)\s*[\]】］](?!\()")
_OPEN_MARKER = re.compile(r"\s*[\[【［][^\]】］\n]{0,20}$")
_RANGE = re.compile(r"(\d+)\s*[-–—~]\s*(\d+)")
_LETTER_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
_TABLE_RULE = re.compile(r"^\|?[\s:|-]+\|?$")

MIN_COVERAGE = {"en": 0.65, "zh": 0.65}
"""Least share of a claim's words in its support; chosen on the training half, see the module's docstring."""
PAIR_GAIN = 0.15
"""What a second sentence must add in words or facts to be quoted along."""
BEFORE = 2
"""Sentences before the support in which its pronouns may have their names."""
ATTRIBUTE_FROM = 0.5
"""Least score at which a sentence without a marker is given one."""
CROSS_LANGUAGE_NOTE = "Answer and passage {marker} are in different languages: only numbers and names were checked."


@dataclass(frozen=True, slots=True)
class Resolved:
    """`text` has only markers that name a passage, written `[1][2]`. `dropped` counts the markers that did not.

    `attributed` counts sentences that came without a marker and got one here.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    attributed: int = 0
    corrected: int = 0
    """Markers whose passage does not carry the sentence, replaced by the one of a passage that does."""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sentence:
    """Where a sentence stands in the clean text, where its closing marks begin, and its markers by their place."""

    start: int
    body_end: int
    end: int
    groups: dict[int, list[int]]

    def claims(self, clean: str) -> list[tuple[str, list[int]]]:
        """What each group of markers vouches for: the words since the group before it; the last one's reach the end."""
        claims = []
        last = self.start
        places = sorted(self.groups)
        for position in places:
            piece = clean[last : self.end if position == places[-1] else position].strip(" ,，;；")
            # Two groups with nothing between them vouch for the same words.
            claim = piece if any(map(str.isalnum, piece)) else clean[self.start : self.end]
            claims.append((claim, self.groups[position]))
            last = position
        return claims


@dataclass(frozen=True, slots=True)
class _Support:
    quote: str
    result: Check
    verified: bool
    score: float
    cross_language: bool


def resolve(text: str, passages: Sequence[Passage]) -> Resolved:
    """Checks a finished answer. Sentences without a marker get one when a passage verifiably carries them; an answer
    that has none at all gets the nearest passage's, unverified."""
    by_number = {passage.number: passage for passage in passages}
    clean, marks, dropped = _read_markers(text, by_number.keys())
    sentences = _sentences(clean, marks)
    attributed = _attribute(clean, sentences, passages)
    corrected = sum(_correct(clean, sentence, passages) for sentence in sentences)
    citations: list[Citation] = []
    notes: list[str] = []
    for sentence in sentences:
        for claim, numbers in sentence.claims(clean):
            for number in numbers:
                support = _support(claim, by_number[number])
                citations.append(_citation(by_number[number], support))
                if support.cross_language:
                    notes.append(CROSS_LANGUAGE_NOTE.format(marker=f"[{number}]"))
    return Resolved(
        _write_markers(clean, sentences), tuple(citations), dropped, attributed, corrected, tuple(dict.fromkeys(notes))
    )


class Resolver:
    """The same while the answer is streamed: citations of every sentence as soon as the next one has begun."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._text = ""
        self._done = 0

    def feed(self, piece: str) -> list[Citation]:
        """Citations of the sentences that this piece completed, with their own markers only: what `resolve` adds to
        sentences without a marker is known at the end."""
        self._text += piece
        by_number = {passage.number: passage for passage in self._passages}
        # A marker that is still being written would be read as the beginning of the next sentence.
        clean, marks, _ = _read_markers(_OPEN_MARKER.sub("", self._text), by_number.keys())
        complete = _sentences(clean, marks)[self._done : -1]
        self._done += len(complete)
        return [
            _citation(by_number[number], _support(claim, by_number[number]))
            for sentence in complete
            for claim, numbers in sentence.claims(clean)
            for number in numbers
        ]

    def finish(self) -> Resolved:
        return resolve(self._text, self._passages)


def _read_markers(text: str, known: Container[int]) -> tuple[str, list[tuple[int, list[int]]], int]:
    """The text without markers, the passages named at each place of it, and how many named none."""
    pieces: list[str] = []
    marks: list[tuple[int, list[int]]] = []
    length, last, dropped = 0, 0, 0
    for match in _MARKER.finditer(text):
        numbers = _numbers(match[1])
        # Intervals and shapes, [0, 1] for example, are no markers: passages are numbered from 1.
        if 0 in numbers:
            continue
        pieces.append(text[last : match.start()])
        length += match.start() - last
        last = match.end()
        right = [number for number in numbers if number in known]
        dropped += len(numbers) - len(right)
        marks.append((length, right))
    pieces.append(text[last:])
    return "".join(pieces), marks, dropped


def _numbers(inside: str) -> list[int]:
    def spread(match: re.Match[str]) -> str:
        first, last = int(match[1]), int(match[2])
        return ",".join(str(n) for n in range(first, last + 1)) if 0 <= last - first < 10 else f"{first},{last}"

    return [int(number) for number in re.findall(r"\d+", _RANGE.sub(spread, inside))]


def _sentences(clean: str, marks: Sequence[tuple[int, list[int]]]) -> list[_Sentence]:
    """The sentences of the clean text with their markers; one that stands behind the full stop belongs before it."""
    found = []
    spans = sentence_spans(clean)
    for place, (start, end) in enumerate(spans):
        body_end = end
        while body_end > start and clean[body_end - 1] in ".。！？!?；;":
            body_end -= 1
        limit = spans[place + 1][0] if place + 1 < len(spans) else len(clean)
        low = start if place else -1
        groups: dict[int, list[int]] = {}
        for position, numbers in marks:
            if low < position <= limit and numbers:
                group = groups.setdefault(min(max(position, start), body_end), [])
                group.extend(number for number in numbers if number not in group)
        found.append(_Sentence(start, body_end, end, groups))
    return found


def _write_markers(clean: str, sentences: Sequence[_Sentence]) -> str:
    pieces, last = [], 0
    for sentence in sentences:
        space = " " if language_of(clean[sentence.start : sentence.end]) != "zh" else ""
        for position, numbers in sorted(sentence.groups.items()):
            pieces.append(clean[last:position].rstrip() + space + "".join(f"[{number}]" for number in numbers))
            last = position
    return "".join([*pieces, clean[last:]]).strip()


def _attribute(clean: str, sentences: Sequence[_Sentence], passages: Sequence[Passage]) -> int:
    """Gives markers to sentences that have none; returns how many got one."""
    if not passages or not sentences:
        return 0
    given = 0
    marked_anywhere = any(sentence.groups for sentence in sentences)
    nearest: tuple[float, _Sentence, int] | None = None
    for sentence in sentences:
        if sentence.groups:
            continue
        claim = clean[sentence.start : sentence.end]
        supports = [(_support(claim, passage), passage.number) for passage in passages]
        support, number = max(supports, key=lambda pair: (pair[0].verified, pair[0].score, -pair[1]))
        if support.verified and support.score >= ATTRIBUTE_FROM:
            sentence.groups[sentence.body_end] = [number]
            given += 1
        elif nearest is None or support.score > nearest[0]:
            nearest = (support.score, sentence, number)
    if not marked_anywhere and not given and nearest is not None:
        nearest[1].groups[nearest[1].body_end] = [nearest[2]]
        given = 1
    return given


def _correct(clean: str, sentence: _Sentence, passages: Sequence[Passage]) -> int:
    """Replaces markers when none of a group carries its claim and another passage verifiably does; small models often
    name the neighbour of the passage they read. Returns how many groups were changed."""
    changed = 0
    for claim, numbers in sentence.claims(clean):
        named = [_support(claim, passage) for passage in passages if passage.number in numbers]
        # A passage in another language that words cannot check gives way, too, to one that verifiably carries the claim.
        if any(support.verified for support in named):
            continue
        supports = {passage.number: _support(claim, passage) for passage in passages}
        right = [number for number, support in supports.items() if support.verified and not support.cross_language]
        if right:
            numbers[:] = [max(right, key=lambda number: (supports[number].score, -number))]
            changed += 1
    return changed


def _support(claim: str, passage: Passage) -> _Support:
    """The best evidence for a claim in a passage."""
    text = passage.text
    spans = _evidence_spans(text) or [(0, len(text))]
    language = language_of(claim)
    cross = language != language_of(text)
    place = max(range(len(spans)), key=lambda i: (_worth(claim, text[slice(*spans[i])]), -i))
    first = last = place
    best = _worth(claim, text[slice(*spans[place])])
    for low, high in ((place - 1, place), (place, place + 1)):
        if low >= 0 and high < len(spans) and not cross:
            both = _worth(claim, text[spans[low][0] : spans[high][1]])
            if both >= best + PAIR_GAIN:
                first, last, best = low, high, both
    support = text[spans[first][0] : spans[last][1]]
    header = "\n".join((_table_header(text, spans, first), *_above(passage)))
    result = check(claim, f"{header}\n{support}", _around(text, spans, first, last, header))
    if cross:
        # A Chinese name has other characters in an English text; Latin names and numbers are written the same in both.
        facts = len(quantities(claim)) + sum(name.isascii() for name in names(claim))
        lost = len(result.missing_numbers) + sum(name.isascii() for name in result.missing_names)
        score, verified = (1 - lost / facts if facts else 0.0), facts > 0 and not lost
    else:
        score, verified = result.score, result.sound and result.coverage >= MIN_COVERAGE.get(language, 0.65)
    return _Support(_quote(support, claim, passage), result, verified, round(score, 3), cross)


def _evidence_spans(text: str) -> list[tuple[int, int]]:
    """Sentences and table rows; a sentence that hard line breaks cut (PDF, plain text) is one again."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        if spans:
            low, high = spans[-1]
            wrapped = text[high:start].count("\n") == 1 and text[high - 1] not in ".。！？!?；;:："
            if wrapped and (text[start].islower() or text[start].isdigit() or _both_han(text[high - 1], text[start])):
                spans[-1] = (low, end)
                continue
        spans.append((start, end))
    return spans


def _both_han(one: str, other: str) -> bool:
    return "\u3400" <= one <= "\u9fff" and "\u3400" <= other <= "\u9fff"


def _worth(claim: str, sentence: str) -> float:
    """How well a sentence would do as the claim's support: the shared words, and the facts."""
    result = check(claim, sentence, sentence)
    return result.coverage + 0.5 * (
        1 - (len(result.missing_numbers) + len(result.missing_names)) / max(1, result.facts)
    )


def _around(text: str, spans: Sequence[tuple[int, int]], first: int, last: int, header: str) -> str:
    """What stands above the support, and it with the sentences beside it, which its pronouns refer to."""
    low, high = max(0, first - BEFORE), min(len(spans) - 1, last + 1)
    beside = text[spans[low][0] : spans[high][1]]
    return f"{header}\n{beside}"


def _above(passage: Passage) -> tuple[str, ...]:
    """What every sentence of the passage stands under: its document (`chapter13` as `chapter 13`) and its headings."""
    return (_LETTER_DIGIT.sub(" ", passage.hit.document.name), *passage.hit.chunk.headings)


def _table_header(text: str, spans: Sequence[tuple[int, int]], row: int) -> str:
    """The header row above a table row; empty for what is none."""
    if text[spans[row][0] : spans[row][0] + 1] != "|":
        return ""
    above = [text[start:end] for start, end in spans[:row]]
    rules = [i for i, line in enumerate(above) if _TABLE_RULE.match(line)]
    return above[rules[-1] - 1] if rules and rules[-1] else ""


def _quote(support: str, claim: str, passage: Passage) -> str:
    """A substring of the chunk itself, which has boxes on the page. When the support stands in a neighbour by which the
    passage was widened, the chunk's own nearest sentence."""
    own = passage.hit.chunk.text
    if support in own:
        return support
    pieces = [own[start:end] for start, end in _evidence_spans(own)]
    return max(pieces, key=lambda piece: coverage(claim, piece), default="")


def _citation(passage: Passage, support: _Support) -> Citation:
    chunk = passage.hit.chunk
    return Citation(
        passage.number,
        passage.hit.document,
        chunk.id,
        chunk.page,
        chunk.boxes,
        support.quote,
        support.verified,
        support.score,
    )
