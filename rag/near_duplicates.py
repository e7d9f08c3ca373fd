"""Passages that say nearly the same: versions of a page, copies of a handbook, the disclaimer on every sheet.

Two texts are near-duplicates when the Jaccard similarity of their shingles, runs of four words (a Chinese character is a word
here), is high, when they agree in every number and negation, and when one has no word that the other lacks: a table of another year, a
rule without its "not", or a contract with another party is no copy; a chunk that begins with a heading more is one. Similarity is estimated by MinHash (Broder, 1997) with 128 permutations, so that a text becomes 512 bytes and
a comparison 128 equalities; the estimate's standard error at 0.9 is 0.027.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.words import normalise

SHINGLE = 4
PERMUTATIONS = 128
THRESHOLD = 0.85
"""Least estimated similarity of near-duplicates."""
SHORTEST = 8
"""Words below which only the same text counts: a single changed word would be an eighth of it."""

_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nor|neither|without|except|unless|cannot)\b|n['’]t\b|[不没無无未非勿莫]|除非"
)
_RNG = np.random.default_rng(20_260_101)
_FACTORS = _RNG.integers(1, 2**64, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
_SHIFTS = _RNG.integers(0, 2**64, PERMUTATIONS, dtype=np.uint64)
_BASES = _RNG.integers(1, 2**64, SHINGLE, dtype=np.uint64) | np.uint64(1)


@dataclass(frozen=True, slots=True)
class Signature:
    """What is compared of a text: MinHash values `[PERMUTATIONS]`, its numbers in order, and how often it negates."""

    values: NDArray[np.uint32]
    words: int
    facts: tuple[str, ...]
    vocabulary: frozenset[int]
    """Hashes of its words, the labels of lists (a, b, c) aside."""
    exact: int
    """A hash of the words in order."""

    def similarity(self, other: Signature) -> float:
        """The estimated Jaccard similarity of the shingles, in [0, 1]."""
        return float(np.mean(self.values == other.values))

    def same(self, other: Signature, threshold: float = THRESHOLD) -> bool:
        """Whether the two are near-duplicates."""
        if self.exact == other.exact and self.words == other.words:
            return True
        if min(self.words, other.words) < SHORTEST or self.facts != other.facts:
            return False
        if not (self.vocabulary <= other.vocabulary or other.vocabulary <= self.vocabulary):
            return False
        return self.similarity(other) >= threshold


@lru_cache(maxsize=20_000)
def signature(text: str) -> Signature:
    """The signature of a text; NFKC and letter case make no difference. Kept for the texts asked for last."""
    plain = normalise(text)
    tokens = _TOKEN.findall(plain)
    codes = [zlib.crc32(token.encode()) for token in tokens]
    vocabulary = frozenset(
        code for code, token in zip(codes, tokens, strict=True) if len(token) > 1 or not token.isascii()
    )
    joined = " ".join(tokens).encode()
    exact = zlib.crc32(joined) << 32 | zlib.adler32(joined)
    facts = (*_NUMBER.findall(plain), str(len(_NEGATION.findall(plain))))
    return Signature(_minhash(_shingles(np.array(codes, np.uint64))), len(tokens), facts, vocabulary, exact)


def _shingles(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    if len(hashes) < SHINGLE:
        return hashes if len(hashes) else np.zeros(1, np.uint64)
    count = len(hashes) - SHINGLE + 1
    mixed = np.zeros(count, np.uint64)
    for offset in range(SHINGLE):
        mixed += hashes[offset : offset + count] * _BASES[offset]
    # The high bits of a product depend on all of it, the low ones only on low ones.
    return np.unique(mixed ^ (mixed >> np.uint64(29)))


def _minhash(shingles: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The least value of every multiply-shift hash over the shingles."""
    smallest = (shingles[None, :] * _FACTORS[:, None] + _SHIFTS[:, None]) >> np.uint64(32)
    return np.asarray(smallest.min(axis=1), np.uint32)
