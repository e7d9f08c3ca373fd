"""Whether a text carries an answer: literally, or with its numbers and most of its words.

Used where labels are coarser than passages (a page, a document) to find the passages of it that are meant, and to notice that a text lacks the answer.
It compares wording: an answer that is worded otherwise is not seen, so that absence counts only where `checkable` says so.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rag.retrieval.quantities import Quantity, missing, quantities
from rag.stems import stems

WORDS_WITH_NUMBERS = 0.5
"""Least share of the answer's words in the text, when its numbers are all there."""
WORDS_ALONE = 0.8
"""The same for an answer without numbers."""
SHORT = 6
"""Words of an answer up to which its absence says something: a longer one is seldom worded as the document does."""

_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
_COMMA = re.compile(r"(?<=\d)[,，](?=\d{3})")
_NAMED = re.compile(r"(?<=[A-Za-z])-(?=\d)")
_WRITTEN = re.compile(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?")
_TOKEN = re.compile(r"[㐀-䶿一-鿿豈-﫿]|\d+(?:\.\d+)?|[^\W\d_㐀-䶿一-鿿豈-﫿]+")


@lru_cache(maxsize=20_000)
def flat(text: str) -> str:
    """Words, numbers and Chinese characters in order, a space on either side of each: ` 18.7 percent ` is found in
    `18.7 percent` and not in `118.7 percents`; punctuation, table bars and line ends do not count."""
    folded = _COMMA.sub("", unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(_TOKEN.findall(folded))} "


def literally(answer: str, text: str) -> bool:
    """Whether the answer's words stand in the text one after the other."""
    wanted = flat(answer)
    return wanted != "  " and wanted in flat(text)


def carries(answer: str, text: str) -> bool:
    """Whether the text says the answer, as far as words and numbers can tell."""
    if literally(answer, text):
        return True
    share = word_share(answer, text)
    if numbers(answer):
        if not has_numbers(answer, text):
            return False
        # Words of two languages cannot be compared: the numbers decide, if they are enough to go by.
        return share >= WORDS_WITH_NUMBERS or (_foreign(answer, text) and len(numbers(answer)) > 1)
    return share >= WORDS_ALONE


def checkable(answer: str, text: str) -> bool:
    """Whether it says something that the text does not carry the answer: the answer is in the text's language, and is short, or has
    numbers none of which stands there. A long answer that shares some has often worked out the others."""
    if _foreign(answer, text):
        return False
    return 0 < len(stems(answer)) <= SHORT or (bool(numbers(answer)) and number_share(answer, text) == 0)


def has_numbers(answer: str, text: str) -> bool:
    """Whether the answer has numbers and the text has all of them."""
    return bool(numbers(answer)) and number_share(answer, text) == 1


def number_share(answer: str, text: str) -> float:
    """Share of the answer's numbers that the text has, by value or as they are written: `2,100 thousand` is `2,100` in a table whose
    header says thousands. 1 for an answer without numbers."""
    wanted = numbers(answer)
    if not wanted:
        return 1.0
    by_value = 1 - len(missing(_joined(answer), numbers(text))) / len(wanted)
    written = _WRITTEN.findall(_COMMA.sub("", _joined(answer)))
    as_written = sum(f" {token} " in flat(text) for token in written) / len(written) if written else 0.0
    return max(by_value, as_written)


@lru_cache(maxsize=20_000)
def numbers(text: str) -> frozenset[Quantity]:
    """The values in a text; the figures of a name (`SHA-256`, `GTX580`) are none."""
    return quantities(_joined(text))


def _joined(text: str) -> str:
    return _NAMED.sub("", unicodedata.normalize("NFKC", text))


def word_share(answer: str, text: str) -> float:
    """Share of the answer's content words, without endings and without numbers, that the text has; 1 for an answer that is numbers only."""
    wanted = {stem for stem in stems(answer) if not stem[0].isdigit()}
    return len(wanted & _stems(text)) / len(wanted) if wanted else float(bool(answer.strip()))


def in_chinese(text: str) -> bool:
    return _HAN.search(text) is not None


def _foreign(answer: str, text: str) -> bool:
    """Whether hardly a word of the text is of the answer's language. A picture's labels are in both."""
    han = sum(_HAN.match(token) is not None for token in flat(text).split())
    if in_chinese(answer):
        return not han
    return len(flat(text).split()) - han < han / 2


@lru_cache(maxsize=20_000)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text))
