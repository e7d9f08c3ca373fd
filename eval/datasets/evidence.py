"""Whether a passage carries what answers a question: spans and quotes of documents, looked for in the text of passages.

A passage has text and no offsets, and a chunker may have unwrapped its lines or drawn a table anew. So both are compared by their
letters and figures alone (NFKC, without case, spaces, punctuation and Markdown's marks). The words of a span may stand in its document
more than once: those of the passage are the span's if what stands around them agrees, as far as the passage goes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from eval.datasets.corpus import TextCorpus
from eval.datasets.model import Dataset

CONTEXT = 24
"""Letters and figures on either side that have to agree. XQuAD (en, zh), DRCD and CMRC cut into pieces of 120 characters: of 9,901 spans that
lie in a piece whole none is missed, of 49,453 that do not 21 are taken for it (a title alone, a closing quotation mark cut off)."""

PIECE = 12
"""Letters and figures that a piece of a quote has to have in a row: a sentence has few others that begin alike."""
LONG, NEARLY = 40, 0.95
"""Of 331 quotes that people took from 50 Markdown pages, 96 % stand there letter by letter; with these, 98 %."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\([^)]*\)")
_GAP = re.compile(r"\s*(?:\.{3,}|…+|\[\s*(?:\.{3}|…)\s*\])\s*")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a document that answer; `before` and `after` stand around them in it, and are empty where that is not known."""

    document: str
    text: str
    before: str = ""
    after: str = ""


def evidence(dataset: Dataset, question_id: str) -> tuple[Evidence, ...]:
    """Spans and quotes of a question, in order of document and place. A span of a document that is not a text of its own
    (a real file) cannot be read here and is left out."""
    found: list[Evidence] = []
    texts = dataset.corpus.texts if isinstance(dataset.corpus, TextCorpus) else {}
    for document, start, end in sorted(dataset.spans.get(question_id, ())):
        if document in texts:
            text = texts[document]
            # Room for spaces and punctuation, which do not count.
            around = 4 * CONTEXT
            found.append(
                Evidence(document, text[start:end], text[max(0, start - around) : start], text[end : end + around])
            )
    found.extend(Evidence(document, quote) for document, quote in sorted(dataset.quotes.get(question_id, ())))
    return tuple(found)


def covers(passage: str, wanted: Evidence) -> bool:
    """Whether the passage, which is of the document that `wanted` names, carries all of it. A quote with gaps ("… …") is carried
    if its parts are, in order; a long one also if all but a twentieth of it is there in pieces: people shorten what they quote."""
    text = plain(passage)
    if wanted.before or wanted.after:
        before, words, after = plain(wanted.before), plain(wanted.text), plain(wanted.after)
        return any(
            _agree(text[:at][::-1], before[::-1]) and _agree(text[at + len(words) :], after)
            for at in _places(text, words)
        )
    at = 0
    parts = [part for one in _GAP.split(wanted.text) if (part := plain(one))]
    for part in parts:
        found = _whole_words(passage, part, at)
        if found is None:
            return len(plain(wanted.text)) >= LONG and coverage([passage], wanted) >= NEARLY
        at = found + len(part)
    return bool(parts)


def coverage(passages: Iterable[str], wanted: Evidence) -> float:
    """Share of the letters and figures of the evidence that the passages carry together, in [0, 1]: 1 for what is there though
    cut in pieces, 0 for what is missing. Pieces have at least twelve letters, or are all of it."""
    words = plain(wanted.text)
    if not words:
        return 0.0
    least = min(PIECE, len(words))
    seen = [False] * len(words)
    for passage in passages:
        text = plain(passage)
        if least > len(text):
            continue
        for at in range(len(words) - least + 1):
            if words[at : at + least] in text:
                seen[at : at + least] = [True] * least
    return sum(seen) / len(words)


def plain(text: str) -> str:
    """Letters and figures only, comparable; of a Markdown link or picture only the words that a reader sees."""
    return _plain(text)[0]


@lru_cache(maxsize=4096)
def _plain(text: str) -> tuple[str, frozenset[int]]:
    """The text, and where in it words begin and the last one ends. Each Chinese character is a word."""
    text = unicodedata.normalize("NFKC", _LINK.sub(r"\2", text)).casefold()
    kept: list[str] = []
    edges: set[int] = set()
    within = False
    for character in text:
        alone = not character.isascii() and character.isalpha() and not character.islower()
        if character.isalnum():
            if alone or not within:
                edges.add(len(kept))
            kept.append(character)
        within = character.isalnum() and not alone
        if not within:
            edges.add(len(kept))
    return "".join(kept), frozenset(edges | {len(kept)})


def _whole_words(passage: str, words: str, start: int) -> int | None:
    """Where the words stand in the plain passage from `start` on, or None: “18” does not stand in “2018”."""
    text, edges = _plain(passage)
    return next((at for at in _places(text, words, start) if at in edges and at + len(words) in edges), None)


def _agree(here: str, there: str) -> bool:
    length = min(CONTEXT, len(here), len(there))
    return here[:length] == there[:length]


def _places(text: str, words: str, start: int = 0) -> Iterator[int]:
    at = text.find(words, start) if words else -1
    while at >= 0:
        yield at
        at = text.find(words, at + 1)
