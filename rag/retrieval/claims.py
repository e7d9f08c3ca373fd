"""What a sentence claims that can be checked without understanding it: its numbers, its names, what it denies.

Names are capitalised words inside an English sentence, words with inner capitals or digits anywhere (`TiKV`, `GTX580`),
and what jieba's tagger takes for a person, a place or an organisation in Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import rjieba

from rag.language import language_of
from rag.retrieval.altered import exchanged
from rag.retrieval.directions import turned
from rag.retrieval.quantities import Quantity, missing, quantities
from rag.stems import stems
from rag.words import STOP_WORDS, normalise, sentence_spans

_LATIN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f_’'&+-]*")
_ZH_NAME_TAGS = frozenset({"nr", "nrt", "nrfg", "ns", "nt", "nz"})
_NEGATION = re.compile(
    r"\b(?:not(?! only\b)|no|never|none|neither|nor|cannot|without|n['’]t|unable|failed|lacks?)\b|\w+n['’]t\b"
    r"|不(?!同|仅|但|断|过|只|少|久|论|管|如)|没有|没|未(?!来)|无(?!论)|非(?!常|洲)|并非|从未|否认",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff]{2}")
REACH = 60
"""Characters after a negation in which the words that it denies are looked for."""


@lru_cache(maxsize=1024)
def names(text: str) -> frozenset[str]:
    """Names in a text, normalised."""
    text = unicodedata.normalize("NFKC", text)
    found = _latin_names(text)
    if language_of(text) == "zh":
        found |= {
            normalise(word)
            for word, tag in rjieba.tag(text, True)
            if tag in _ZH_NAME_TAGS and len(word) > 1 and not word.isascii()
        }
    return frozenset(found)


def _latin_names(text: str) -> set[str]:
    starts = {start for start, _ in sentence_spans(text)}
    found: set[str] = set()
    tokens = list(_LATIN.finditer(text))
    chinese = language_of(text) == "zh"
    for place, token in enumerate(tokens):
        word = token.group().rstrip("'’-").removesuffix("'s").removesuffix("’s")
        inner = any(character.isupper() or character.isdigit() for character in word[1:])
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        paired = following is not None and following.group()[0].isupper() and following.start() - token.end() == 1
        opens = token.start() in starts or (token.start() > 0 and text[token.start() - 1] in '"“「‘(')
        named = inner or (word[:1].isupper() and (chinese or not opens or paired))
        if named and len(word) > 1 and normalise(word) not in STOP_WORDS:
            found.add(normalise(word))
    return found


@dataclass(frozen=True, slots=True)
class Check:
    """How far a piece of evidence carries a claim; `coverage` is the share of the claim's words found in it."""

    coverage: float
    missing_numbers: tuple[Quantity, ...]
    missing_names: tuple[str, ...]
    denied: bool
    """One says what the other denies."""
    facts: int
    """Numbers and names in the claim."""
    exchanged: tuple[str, ...] = ()
    """Numbers and names that stand where the evidence has another."""
    turned: bool = False
    """A comparison goes the other way."""
    misplaced: tuple[str, ...] = ()
    """Numbers and names that a table has in another row or column than the claim names."""

    @property
    def sound(self) -> bool:
        return not (
            self.missing_numbers or self.missing_names or self.denied or self.exchanged or self.turned or self.misplaced
        )

    @property
    def score(self) -> float:
        """In [0, 1]: coverage, less for every number and name that is not there, halved by a contradiction."""
        lost = min(
            self.facts, len(self.missing_numbers) + len(self.missing_names) + len(self.exchanged) + len(self.misplaced)
        )
        return self.coverage * (1 - 0.7 * lost / max(1, self.facts)) * (0.5 if self.denied or self.turned else 1.0)


def check(claim: str, support: str, around: str) -> Check:
    """`support` is the text taken for the claim's source, with its table header; `around` adds what stands near it.

    Names may stand near, where the pronouns of the support point; a number has to stand in the support itself: taken
    from the sentence beside it, it is the wrong number in 4 of 10 cases.
    """
    wanted_numbers, wanted_names = quantities(claim), names(claim)
    near, squeezed = normalise(around), _squeeze(around)
    absent = tuple(sorted(name for name in wanted_names if not _has_name(name, near, squeezed)))
    return Check(
        coverage(claim, around),
        tuple(missing(claim, quantities(support))),
        absent,
        _contradicts(claim, support),
        len(wanted_numbers) + len(wanted_names),
        tuple(exchanged(claim, support, wanted_names, names(support))),
        turned(claim, support),
    )


def coverage(claim: str, evidence: str) -> float:
    """Share of the claim's content words that the evidence has; 1 for a claim without any."""
    wanted = _stems(claim)
    if not wanted:
        return 1.0
    have, text = _stems(evidence), normalise(evidence)
    # A Chinese word may be cut differently in another sentence: there it counts when its characters stand together.
    return sum(word in have or (not word.isascii() and word in text) for word in wanted) / len(wanted)


@lru_cache(maxsize=1024)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text))


def facts_missing(claim: str, evidence: str) -> tuple[int, int]:
    """How many numbers and names of the claim the evidence lacks, and how many there are."""
    wanted = names(claim)
    near, squeezed = normalise(evidence), _squeeze(evidence)
    absent = sum(not _has_name(name, near, squeezed) for name in wanted)
    return absent + len(missing(claim, quantities(evidence))), len(wanted) + len(quantities(claim))


def _has_name(name: str, text: str, squeezed: str) -> bool:
    if name.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?:s|es|'s)?(?![a-z0-9])", text) is not None or (
            any(character.isdigit() for character in name) and _squeeze(name) in squeezed
        )
    return name in text


def _squeeze(text: str) -> str:
    """`GTX 580` and `GTX-580` are `gtx580`."""
    return re.sub(r"[\s_-]+", "", normalise(text))


def _denied(text: str) -> set[str]:
    """What the negations of a text deny: in English the stems of the next two content words, in Chinese the next two
    characters."""
    found: set[str] = set()
    for match in _NEGATION.finditer(text):
        # Not beyond the cell: in "| Not Met | FY 2019 |" it is no year that is denied.
        after = text[match.end() : match.end() + REACH].partition("|")[0]
        if _HAN.match(after):
            found.add(after[:2])
        else:
            whole = after if len(after) < REACH else after.rpartition(" ")[0]
            found.update(stems(whole)[:2])
    return found


def _contradicts(claim: str, support: str) -> bool:
    """One of them says what the other denies."""
    claim, support = normalise(claim), normalise(support)
    for one, other in ((claim, support), (support, claim)):
        said, denied_there = _stems(other), _denied(other)
        if any(word in said or _says(other, word) for word in _denied(one) - denied_there):
            return True
    return False


def _says(text: str, chinese: str) -> bool:
    """The characters stand in the text somewhere without a negation before them."""
    if chinese.isascii():
        return False
    return any(
        not _NEGATION.search(text[max(0, match.start() - 2) : match.start()])
        for match in re.finditer(re.escape(chinese), text)
    )
