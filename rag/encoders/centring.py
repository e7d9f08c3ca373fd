"""Takes out of a vector what its language adds, so that a question also finds passages of the other language.

Vectors of a multilingual encoder cluster by language: in a pool of English and Chinese passages, those of the question's
language come first whatever they say. Subtracting each language's mean vector repairs it (Libovický, Rosa and Fraser, "On
the language neutrality of pre-trained multilingual representations", 2020). The means come from sentences that say the
same in both languages, not from anybody's documents: see docs/decisions/0004-language-bias.md for what that gains.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.language import language_of
from rag.protocols import Vectors

LANGUAGES = ("en", "zh")
_SENTENCES = Path(__file__).with_name("neutral_sentences.toml")
METHOD = b"2"
"""Raise it when the texts made from the sentences change."""

Encode = Callable[[Sequence[str]], Vectors]


class Centring:
    """`means` is `[2 roles (query, passage), 3 languages (en, zh, other), dimension]`."""

    def __init__(self, means: Vectors) -> None:
        self._means = means

    @classmethod
    def fit(cls, encode_queries: Encode, encode_passages: Encode) -> Centring:
        """From the sentences that come with Tuwen; a language that they do not have gets the mean of those they have."""
        questions, passages = (neutral_sentences()[name] for name in ("questions", "passages"))
        means = np.stack([
            np.stack([encode_queries(_asked(questions, passages, column)).mean(axis=0) for column in range(2)]),
            np.stack([encode_passages(_written(passages, column)).mean(axis=0) for column in range(2)]),
        ])  # fmt: skip
        return cls(np.concatenate([means, means.mean(axis=1, keepdims=True)], axis=1).astype(np.float32))

    @classmethod
    def load_or_fit(cls, directory: Path, encode_queries: Encode, encode_passages: Encode) -> Centring:
        """Fitting takes about a second, so the means are kept in the model's directory where that can be written to."""
        path = directory / f"means-{cls.version()}.npy"
        return cls(kept(path, lambda: cls.fit(encode_queries, encode_passages)._means))

    @staticmethod
    def version() -> str:
        """Changes with the sentences: part of the vectors' space."""
        return hashlib.sha256(METHOD + _SENTENCES.read_bytes()).hexdigest()[:8]

    def queries(self, vectors: Vectors, texts: Sequence[str]) -> Vectors:
        return self._centre(vectors, texts, self._means[0])

    def passages(self, vectors: Vectors, texts: Sequence[str]) -> Vectors:
        return self._centre(vectors, texts, self._means[1])

    def _centre(self, vectors: Vectors, texts: Sequence[str], means: Vectors) -> Vectors:
        rows = [LANGUAGES.index(name) if (name := language_of(text)) in LANGUAGES else -1 for text in texts]
        moved = vectors - means[rows]
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12), np.float32)


def kept(path: Path, fit: Callable[[], Vectors]) -> Vectors:
    """The array of a file; what `fit` makes where there is none, written there if that can be."""
    try:
        found: Vectors = np.load(path, allow_pickle=False)
        return found
    except (OSError, ValueError):
        fitted = fit()
    temporary = path.parent / f".{path.name}.{os.getpid()}"
    try:
        with temporary.open("wb") as file:
            np.save(file, fitted)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
    return fitted


def neutral_sentences() -> dict[str, list[list[str]]]:
    """`questions` and `passages`: lists of the same in each of LANGUAGES."""
    pairs: dict[str, list[list[str]]] = tomllib.loads(_SENTENCES.read_text(encoding="utf-8"))
    return pairs


def _asked(questions: list[list[str]], passages: list[list[str]], column: int) -> list[str]:
    """People search with questions and with statements; the mean of questions alone costs 0.015 nDCG@10 on SciFact's claims."""
    return [pair[column] for pair in (*questions, *passages)]


def _written(passages: list[list[str]], column: int) -> list[str]:
    """Single sentences, and paragraphs of four: the mean of short texts alone does not fit chunks."""
    single = [pair[column] for pair in passages]
    gap, quarter = ("" if LANGUAGES[column] == "zh" else " "), len(single) // 4
    return single + [
        gap.join(single[(row + step * quarter) % len(single)] for step in range(4)) for row in range(len(single))
    ]
