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
"""Letters and figures on either side that have to agree: enough that no two places of one XQuAD paragraph do by chance."""

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
    if its parts are, in order."""
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
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return bool(parts)


def coverage(passages: Iterable[str], wanted: Evidence) -> float:
    """Share of the letters and figures of the evidence that the passages carry together, in [0, 1]: 1 for what is there though
    cut in pieces, 0 for what is missing. Counts pieces of at least eight letters (or all of a shorter one) at their place."""
    words = plain(wanted.text)
    if not words:
        return 0.0
    least = min(8, len(words))
    seen = [False] * len(words)
    for passage in passages:
        text = plain(passage)
        if least > len(text):
            continue
        for at in range(len(words) - least + 1):
            if words[at : at + least] in text:
                seen[at : at + least] = [True] * least
    return sum(seen) / len(words)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Letters and figures only, comparable; of a Markdown link or picture only the words that a reader sees."""
    text = unicodedata.normalize("NFKC", _LINK.sub(r"\2", text)).casefold()
    return "".join(character for character in text if character.isalnum())


def _agree(here: str, there: str) -> bool:
    length = min(CONTEXT, len(here), len(there))
    return here[:length] == there[:length]


def _places(text: str, words: str) -> Iterator[int]:
    at = text.find(words) if words else -1
    while at >= 0:
        yield at
        at = text.find(words, at + 1)
