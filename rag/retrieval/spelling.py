"""A word that the documents have never seen is searched for by its nearest spelling, too.

The nearest word of the index by optimal string alignment, that is Damerau-Levenshtein's distance without a second slip in a swapped
pair (Damerau 1964, doi:10.1145/363958.363994): one slip in words of 5 to 9 letters, two in longer ones; of several as near, the one
that most chunks have. The first letter is taken to be right, or to have changed places with the second: it seldom is wrong
(Yannakoudakis and Fawthrop 1983, doi:10.1016/0306-4573(83)90046-2). Only words in Latin letters, without digits.

A small collection lacks most words of a language, and "kind" is no slip of "king": a word that the encoder's tokenizer knows as a whole is
left alone. What other collections have is not asked, since the answer would tell of them.

For words the correction is added and what was written stays, since it may be a name that nothing here has. What has to understand the
whole question (vectors, a reranker, evidence, the packing of passages) reads the corrected one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.answers import Filter
from rag.protocols import Vocabulary
from rag.words import STOP_WORDS, normalise

SHORTEST, LONGER = 5, 10
"""Letters from which a word may have one slip, and two."""
MOST = 5
"""Words of a question that are looked after: each costs up to a millisecond, and a text of unknown words is in another language."""
_WORD = re.compile(r"(?<![^\W_])[A-Za-z\u00c0-\u024f]+(?![^\W_]|['’][^\W_])")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A question with its unknown words corrected. `changed` has what each was read as, by what was written."""

    text: str
    changed: Mapping[str, str] = field(default_factory=dict)

    @property
    def added(self) -> str:
        """What is searched for by words beside the question as it was written."""
        return " ".join(self.changed.values())


def correct(
    text: str,
    vocabulary: Vocabulary,
    collection: str,
    allowed: Filter | None = None,
    *,
    ordinary: Callable[[str], bool] = lambda _: False,
) -> Spelling:
    """Only words of chunks that are allowed in this collection are offered; an `ordinary` word is left alone."""
    changed: dict[str, str] = {}
    asked = dict.fromkeys(match.group() for match in _WORD.finditer(text))
    unknown = [word for word in asked if _eligible(word) and not vocabulary.has(collection, normalise(word), allowed)]
    for word in unknown[:MOST] if len(unknown) <= max(2, len(asked) // 2) else ():
        found = "" if ordinary(word) else _nearest(normalise(word), vocabulary, collection, allowed)
        if found:
            changed[word] = _cased(found, word)
    if not changed:
        return Spelling(text)
    return Spelling(respell(text, changed), changed)


def respell(text: str, changed: Mapping[str, str]) -> str:
    """The text with those words as they were read."""
    return _WORD.sub(lambda match: changed.get(match.group(), match.group()), text) if changed else text


def held_whole(word: str, count_tokens: Callable[[Sequence[str]], list[int]]) -> bool:
    """Whether a tokenizer that cuts words into pieces has this one in one piece."""
    own, nonsense = count_tokens([word, f"{word}xqz"])
    return own == 1 < nonsense


def _eligible(word: str) -> bool:
    return len(word) >= SHORTEST and normalise(word) not in STOP_WORDS


def _nearest(word: str, vocabulary: Vocabulary, collection: str, allowed: Filter | None) -> str:
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    slips = 1 if len(word) < LONGER else 2
    near: list[tuple[int, int, str]] = []
    for letter in dict.fromkeys(word[:2]):
        words = vocabulary.beginning(letter)
        for other, distance, _ in extract(word, words.keys(), scorer=OSA.distance, score_cutoff=slips, limit=None):
            # A word of another first letter is one whose first two letters changed places.
            if other[0] == word[0] or other[1::-1] == word[:2]:
                near.append((int(distance), -words[other], other))
    return next((other for _, _, other in sorted(near) if vocabulary.written(collection, other, allowed)), "")


def _cased(found: str, written: str) -> str:
    """As it was written: what reads names looks at capitals."""
    if written.isupper():
        return found.upper()
    return found.capitalize() if written[0].isupper() else found
