"""What a language adds to every token, and to every text, of a multilingual encoder: the means over sentences that say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from rag.encoders.centring import LANGUAGES, Centring, kept, neutral_sentences
from rag.language import language_of
from rag.protocols import Vectors

Role = Literal["query", "passage"]
ROLES: tuple[Role, ...] = ("query", "passage")


@dataclass(frozen=True, slots=True)
class States:
    """The last layer over one text: `tokens` `[n, dimension]` with the character where each begins, `pooled` `[dimension]`; `said` are the
    places of tokens with a letter or digit, at least one."""

    tokens: Vectors
    pooled: Vectors
    begins: npt.NDArray[np.int32]
    said: list[int]


class TokenMeans:
    """`means` is `[2 roles, 3 languages (en, zh, other), 2 (token, pooled), dimension]`."""

    def __init__(self, means: Vectors) -> None:
        self._means = means

    def of(self, role: Role, text: str) -> tuple[Vectors, Vectors]:
        """Of a token and of the pooled vector, `[dimension]` each."""
        name = language_of(text)
        token, pooled = self._means[ROLES.index(role), LANGUAGES.index(name) if name in LANGUAGES else -1]
        return token, pooled

    @classmethod
    def fit(cls, states: Callable[[Sequence[str], Role], list[States]]) -> TokenMeans:
        """From questions for questions, and from passages for passages; a language that the sentences do not have gets the mean."""
        sentences = neutral_sentences()
        means = []
        for role, name in zip(ROLES, ("questions", "passages"), strict=True):
            row = []
            for column in range(len(LANGUAGES)):
                found = states([pair[column] for pair in sentences[name]], role)
                tokens = np.concatenate([one.tokens for one in found]).mean(axis=0)
                row.append([tokens, np.mean([one.pooled for one in found], axis=0)])
            means.append([*row, np.mean(row, axis=0)])
        return cls(np.array(means, np.float32))

    @classmethod
    def load_or_fit(cls, directory: Path, states: Callable[[Sequence[str], Role], list[States]]) -> TokenMeans:
        """Kept in the model's directory where that can be written to: fitting takes about two seconds."""
        path = directory / f"token-means-{Centring.version()}.npy"
        return cls(kept(path, lambda: cls.fit(states)._means))
