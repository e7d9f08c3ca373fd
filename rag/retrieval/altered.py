"""Facts exchanged in a sentence that is otherwise copied: the number or name that stands where the source has another.

Claim and source are aligned word by word (Han characters one by one; Ratcliff and Obershelp's matching, as in difflib). Where one run of
words replaces another between words that agree, a number or name on the claim's side has to be on the source's side, too. A fact that
merely stands elsewhere in the source is what this catches and a search for the fact does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rag.language import language_of
from rag.retrieval.quantities import missing, quantities
from rag.words import STOP_WORDS, normalise

_TOKEN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff]|\d+(?:[.,]\d+)*|[^\W\d_\u3400-\u9fff][^\W_\u3400-\u9fff]*(?:['’]\w+)?"
)
MOST_TOKENS = 400
"""Of a longer text the rest is not aligned: matching takes time with the product of the lengths."""
BETWEEN, AT_END, AT_END_WIDE = 12, 4, 8
_TITLES = frozenset("mr mrs ms dr prof sir st the".split())


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int


def exchanged(claim: str, source: str, claim_names: frozenset[str], source_names: frozenset[str]) -> list[str]:
    """Numbers and names of the claim that stand in the place of another, as written. `claim_names` and `source_names` are normalised."""
    ours, theirs = _tokens(claim), _tokens(source)
    blocks = SequenceMatcher(None, [t.word for t in ours], [t.word for t in theirs], autojunk=False).get_opcodes()
    return list(dict.fromkeys(_wrong(claim, source, ours, theirs, blocks, claim_names, source_names)))


def _tokens(text: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        found.append(_Token(normalise(match.group()).removesuffix("'s").removesuffix("’s"), match.start(), match.end()))
        if len(found) == MOST_TOKENS:
            break
    return found


def _wrong(
    claim: str,
    source: str,
    ours: Sequence[_Token],
    theirs: Sequence[_Token],
    blocks: Sequence[tuple[str, int, int, int, int]],
    claim_names: frozenset[str],
    source_names: frozenset[str],
) -> Iterator[str]:
    own = normalise(claim)
    for place, (kind, a, b, c, d) in enumerate(blocks):
        if kind != "replace" or max(b - a, d - c) > _longest(blocks, place, wide=language_of(claim) == "zh"):
            continue
        said, meant = _piece(claim, ours, a, b), _piece(source, theirs, c, d)
        # With its neighbours, so that `57 million` and `about` are read as one.
        wide_said, wide_meant = _piece(claim, ours, max(0, a - 2), b + 2), _piece(source, theirs, max(0, c - 2), d + 2)
        numbers, other = quantities(said), quantities(meant)
        if numbers and other and not other <= quantities(claim) and missing(said, quantities(wide_meant)):
            if missing(wide_said, quantities(wide_meant)):
                yield said
            continue
        new = _named(claim, ours, a, b, claim_names) - _named(source, theirs, c, d, source_names)
        lost = {n for n in _named(source, theirs, c, d, source_names) if n not in own}
        if new and lost and not any(n in normalise(meant) for n in new):
            yield said


def _longest(blocks: Sequence[tuple[str, int, int, int, int]], place: int, *, wide: bool) -> int:
    """How many words may be replaced by how many, so that one stands in the place of the other: more where words agree on either side
    than at an end of a text; 0 where too little agrees."""
    before = blocks[place - 1] if place else None
    after = blocks[place + 1] if place + 1 < len(blocks) else None
    left = before[2] - before[1] if before and before[0] == "equal" else 0
    right = after[2] - after[1] if after and after[0] == "equal" else 0
    if left and right:
        return BETWEEN
    return (AT_END_WIDE if wide else AT_END) if max(left, right) >= 2 else 0


def _piece(text: str, tokens: Sequence[_Token], first: int, last: int) -> str:
    last = min(last, len(tokens))
    return text[tokens[first].start : tokens[last - 1].end] if first < last else ""


def _named(text: str, tokens: Sequence[_Token], first: int, last: int, known: frozenset[str]) -> frozenset[str]:
    """The names that a run of words holds, or, in Chinese, is a part of."""
    if language_of(text) != "zh":
        words = {token.word for token in tokens[first:last]}
        return frozenset(words & known) - _TITLES - STOP_WORDS
    start, end = tokens[first].start, tokens[last - 1].end
    return frozenset(
        name
        for name in known
        for match in re.finditer(re.escape(name), normalise(text) if len(normalise(text)) == len(text) else text)
        if match.start() < end and match.end() > start
    )
