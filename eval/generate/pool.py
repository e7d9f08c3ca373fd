"""All passages of a collection, by their words: what else could answer a question, and how rare its words are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

from eval.generate.candidate import SourcePassage
from rag.stems import stems


class Pool:
    """Inverse document frequencies over passages (Spärck Jones 1972): idf(w) = ln(1 + N / df(w))."""

    def __init__(self, passages: Sequence[SourcePassage]) -> None:
        self.passages = passages
        self.words = [frozenset(stems(passage.searched)) for passage in passages]
        self._own = [frozenset(stems(passage.text)) for passage in passages]
        self._where: dict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(self.words):
            for word in found:
                self._where[word].append(number)
        self._number = {passage.id: number for number, passage in enumerate(passages)}

    def frequency(self, word: str) -> int:
        """Passages that have the word, by its stem."""
        return len(self._where.get(word, ()))

    def idf(self, word: str) -> float:
        return log(1 + len(self.passages) / max(1, self.frequency(word)))

    def coverage(self, words: Iterable[str]) -> dict[int, float]:
        """For each passage with any of the words: the share of their idf that it holds, in (0, 1]."""
        weights = {word: self.idf(word) for word in set(words)}
        total = sum(weights.values())
        found: Counter[int] = Counter()
        for word, weight in weights.items():
            for number in self._where.get(word, ()):
                found[number] += weight  # type: ignore[assignment]
        return {number: value / total for number, value in found.items()} if total else {}

    def holds(self, number: int, words: frozenset[str]) -> bool:
        """Whether the passage's own text has all of the words."""
        return words <= self._own[number]

    def number(self, passage: SourcePassage) -> int:
        return self._number[passage.id]
