"""The best evidence for a claim in a passage: which sentence carries it, and whether it does.

A claim is supported when every number, date and name of it stands in the sentence found, or near it, in the place where the source
has it; neither denies what the other says nor turns a comparison round; and the rest agrees: by the share of its words that stand there, or, where a verifier is
configured, by its probability. Exact checks come first: no model's opinion makes a wrong number right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.answers import Passage
from rag.errors import TuwenError
from rag.language import language_of
from rag.protocols import Verifier
from rag.retrieval.cells import misplaced, named_rows, scaled, telling_row
from rag.retrieval.claims import Check, check, coverage, facts_missing, names
from rag.retrieval.quantities import quantities
from rag.retrieval.table_text import Table, table_around
from rag.tables import row_texts
from rag.words import sentence_spans

_LETTER_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
_TABLE_RULE = re.compile(r"^\|?[\s:|-]+\|?$")

MIN_COVERAGE = {"en": 0.65, "zh": 0.65}
"""Least share of a claim's words in its support; chosen on the tuning half of benchmarks/citation_check.py."""
PAIR_GAIN = 0.15
"""What a second sentence must add in words or facts to be quoted along."""
LOOKED_AT = 6
"""Sentences of a passage, those with most of the claim's words, that are looked at for its numbers and names."""
BEFORE = 2
"""Sentences before the support in which its pronouns may have their names."""


@dataclass(frozen=True, slots=True)
class Support:
    """`quote` is a substring of the passage's own chunk; `score` in [0, 1]; `cross_language` says that words could not be compared."""

    quote: str
    result: Check
    verified: bool
    score: float
    cross_language: bool


class Judge:
    """Claims against passages, each pair looked at once."""

    def __init__(self, verifier: Verifier | None = None) -> None:
        self._verifier = verifier
        self._known: dict[tuple[str, int], Support] = {}
        self.notes: dict[str, None] = {}
        """What a person should know, in order, each once."""

    def support(self, claim: str, passage: Passage) -> Support:
        key = (claim, passage.number)
        if key not in self._known:
            self._known[key] = self._judge(claim, passage)
        return self._known[key]

    def _probability(self, claim: str, evidence: str) -> float | None:
        """What the verifier says; None where there is none, or it cannot: then the words decide."""
        if self._verifier is None:
            return None
        try:
            return next(iter(self._verifier.probabilities(claim, [evidence.strip()])), None)
        except (TuwenError, TimeoutError) as error:
            self.notes[f"{self._verifier.name} could not check the citations ({error}): words were compared."] = None
            return None

    def _judge(self, claim: str, passage: Passage) -> Support:
        text = passage.text
        spans = _evidence_spans(text) or ((0, len(text)),)
        cross = language_of(claim) != language_of(text)
        found = _read(claim, passage, text, spans, _place(claim, text, spans, alone=cross))
        if not found.result.sound:
            # The words of a claim may stand in a sentence, and its number in the table below it.
            tables = (_read(claim, passage, text, spans, (n, n)) for n in _first_rows(text, spans))
            found = next((other for other in tables if other.result.sound), found)
        result, around = found.result, found.around
        quote = _quote(found.text, claim, passage)
        probability = self._probability(claim, around) if result.sound else None
        if self._verifier is not None and probability is not None:
            return Support(quote, result, probability >= self._verifier.threshold, round(probability, 3), cross)
        if cross:
            # A Chinese name has other characters in an English text; Latin names and numbers are written the same in both.
            facts = len(quantities(claim)) + sum(name.isascii() for name in names(claim))
            lost = len(result.missing_numbers) + sum(name.isascii() for name in result.missing_names)
            return Support(
                quote, result, facts > 0 and not lost, round(1 - lost / facts if facts else 0.0, 3), cross_language=True
            )
        enough = result.coverage >= MIN_COVERAGE.get(language_of(claim), 0.65)
        return Support(quote, result, result.sound and enough, round(result.score, 3), cross_language=False)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Sentences or a row, as they stand in the passage; `around` with what stands near and above."""

    text: str
    around: str
    result: Check


def _read(
    claim: str, passage: Passage, text: str, spans: Sequence[tuple[int, int]], place: tuple[int, int]
) -> _Evidence:
    """What the sentences from the first to the last of `place` carry; of a table, the row of it that has the claim's values."""
    first, last = place
    above = _above(passage)
    table = table_around(text, spans[first][0], " ".join(above))
    if table is not None:
        first, last = _row_of(claim, table, text, spans, first, last)
    support = text[spans[first][0] : spans[last][1]]
    header = "\n".join((_table_header(text, spans, first), *above))
    around = _around(text, spans, first, last, header)
    seen = f"{header}\n{support}"
    result = check(claim, seen, around) if table is None else _in_table(claim, table, seen, around)
    return _Evidence(support, around, result)


def _first_rows(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Where tables begin."""
    rows = [text.startswith("|", start) for start, _ in spans]
    return [n for n, row in enumerate(rows) if row and not (n and rows[n - 1])]


def _row_of(
    claim: str, table: Table, text: str, spans: Sequence[tuple[int, int]], first: int, last: int
) -> tuple[int, int]:
    """The row that has the claim's values, in place of the one with most of its words, which is the header as often as not."""
    row = telling_row(claim, table)
    if row is None:
        return first, last
    wanted = tuple(cell for cell in table.rows[row] if cell)
    same = (n for n, (start, end) in enumerate(spans) if tuple(filter(None, row_texts(text[start:end]))) == wanted)
    found = min(same, key=lambda n: abs(n - first), default=None)
    return (first, last) if found is None else (found, found)


def _in_table(claim: str, table: Table, support: str, around: str) -> Check:
    """The check of a claim that a table's row carries. All rows that the claim names are read: it may compare them. Words are not aligned, which
    cells do not follow each other as; each value has to be in its own row and column instead."""
    named = named_rows(claim, table)
    here = telling_row(claim, table)
    written_out = scaled(table, {*named, *(() if here is None else (here,))})
    read = "\n".join((support, *(" | ".join(table.rows[row]) for row in named), written_out))
    result = check(claim, read, f"{around}\n{read}")
    return replace(result, exchanged=(), misplaced=tuple(misplaced(claim, table, names(claim))))


def _place(claim: str, text: str, spans: Sequence[tuple[int, int]], *, alone: bool) -> tuple[int, int]:
    """The first and the last of the sentences that hold most of the claim: one, or two neighbours unless `alone`."""
    shares = [coverage(claim, text[start:end]) for start, end in spans]
    # Numbers and names are looked for where the words are: in a long passage they take most of the time.
    likely = sorted(range(len(spans)), key=lambda i: (-shares[i], i))[:LOOKED_AT]
    worths = {i: _worth(claim, text[slice(*spans[i])]) for i in likely}
    place = max(likely, key=lambda i: (worths[i], -i))
    first = last = place
    best = worths[place]
    for low, high in ((place - 1, place), (place, place + 1)):
        if low >= 0 and high < len(spans) and not alone:
            both = _worth(claim, text[spans[low][0] : spans[high][1]])
            if both >= best + PAIR_GAIN:
                first, last, best = low, high, both
    return first, last


def _worth(claim: str, sentence: str) -> float:
    """How well a sentence would do as the claim's support: the shared words, and the facts."""
    lost, facts = facts_missing(claim, sentence)
    return coverage(claim, sentence) + 0.5 * (1 - lost / max(1, facts))


@lru_cache(maxsize=64)
def _evidence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Sentences and table rows; a sentence that hard line breaks cut (PDF, plain text) is one again."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        if spans:
            low, high = spans[-1]
            if text.startswith("|", low) and "\n" not in text[high:start]:
                # A row is one whatever stops stand in it: "| Net sales . | 5 |".
                spans[-1] = (low, end)
                continue
            wrapped = text[high:start].count("\n") == 1 and text[high - 1] not in ".。！？!?；;:："
            if wrapped and (text[start].islower() or text[start].isdigit() or _both_han(text[high - 1], text[start])):
                spans[-1] = (low, end)
                continue
        spans.append((start, end))
    return tuple(spans)


def _both_han(one: str, other: str) -> bool:
    return "\u3400" <= one <= "\u9fff" and "\u3400" <= other <= "\u9fff"


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
    passage was widened, the chunk's own nearest sentence of those that were read; the support where none was read whole."""
    own = passage.hit.chunk.text
    if support in own:
        return support
    # A passage may have been cut: what was not read is not cited.
    pieces = [own[start:end] for start, end in _evidence_spans(own) if own[start:end] in passage.text]
    return max(pieces, key=lambda piece: coverage(claim, piece), default=support)
