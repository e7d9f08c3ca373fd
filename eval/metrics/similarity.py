"""Embedding similarity: how near in meaning an answer is to an expected one, as the text encoder sees it.

    cosine(a, e) = v_a · v_e               of the unit vectors of both as passages
    similarity   = max(0, (cosine − b) / (1 − b))       b: mean cosine of answers with expected answers of other questions

A cosine by itself says little. With multilingual-e5-small, an answer to another question has .78 to .89 (5th to 95th percentile over 48
questions), and a sentence with the right answer .82 to .94; with each language's mean taken out, as it is served, .00 to .46 and .21
to .68. So it is rescaled between what unrelated texts of the same run have and 1, as BERTScore does with a fixed baseline (Zhang
et al., ICLR 2020), and each pair of languages has a baseline of its own where the run holds enough of them: right and foreign answers
are then told apart with an AUROC of .95 instead of .86 (.94 instead of .81 without the means taken out). 0 means no nearer than any other
answer. Still, an encoder sees the topic before the fact: "in 1987" and "in 1978" are near neighbours. Compare runs that used the same
encoder, and read it beside token F1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eval.metrics.answer_text import without_markers
from rag.language import language_of
from rag.protocols import TextEncoder

Floats = npt.NDArray[np.float64]

MIN_PAIRS = 20
"""Unrelated pairs of two languages that a baseline of their own needs."""


def cosines(answers: Sequence[str], expected: Sequence[Sequence[str]], encoder: TextEncoder) -> list[float | None]:
    """The best cosine of each answer with one of its expected answers, in [-1, 1]; None where either is empty.

    Raises EncoderUnavailable.
    """
    return [None if found is None else found[0] for found in _Compared(answers, expected, encoder).best()]


def embedding_similarity(
    answers: Sequence[str], expected: Sequence[Sequence[str]], encoder: TextEncoder
) -> list[float | None]:
    """The rescaled similarity of each answer, in [0, 1], over a whole run: the baseline is made of the run's own texts.

    None where an answer or its expected answers are empty, and everywhere when there is no second question to compare with.
    Raises EncoderUnavailable.
    """
    compared = _Compared(answers, expected, encoder)
    found: list[float | None] = []
    for best in compared.best():
        base = None if best is None else compared.baseline(best[1])
        found.append(None if best is None or base is None else max(0.0, min(1.0, (best[0] - base) / (1 - base))))
    return found


class _Compared:
    """Answers against all expected answers: cosines, and which of them belong to the same question."""

    def __init__(self, answers: Sequence[str], expected: Sequence[Sequence[str]], encoder: TextEncoder) -> None:
        if len(answers) != len(expected):
            raise ValueError("there have to be expected answers for each answer")
        given = [without_markers(answer).strip() for answer in answers]
        wanted = [(question, text.strip()) for question, texts in enumerate(expected) for text in texts if text.strip()]
        self._questions = len(answers)
        self._rows = [question for question, text in enumerate(given) if text]
        # Each text once: expected answers such as "yes" come again and again.
        texts = list(dict.fromkeys([given[row] for row in self._rows] + [text for _, text in wanted]))
        place = {text: number for number, text in enumerate(texts)}
        vectors = np.asarray(encoder.encode_passages(texts), dtype=np.float64) if texts else np.zeros((0, 1))
        left = vectors[[place[given[row]] for row in self._rows]]
        right = vectors[[place[text] for _, text in wanted]]
        self._cosines: Floats = np.clip(left @ right.T, -1.0, 1.0)
        owner = np.array([question for question, _ in wanted], dtype=int)
        self._same = np.array(self._rows, dtype=int)[:, None] == owner[None, :]
        ours = np.array([language_of(given[row]) for row in self._rows], dtype=str)
        theirs = np.array([language_of(text) for _, text in wanted], dtype=str)
        self._languages = (
            np.char.add(np.char.add(ours[:, None], "-"), theirs[None, :]) if ours.size * theirs.size else None
        )
        self._baselines: dict[str, float | None] = {}

    def best(self) -> list[tuple[float, str] | None]:
        """Per question, the best cosine and the languages of its pair."""
        found: list[tuple[float, str] | None] = [None] * self._questions
        if self._languages is None:
            return found
        for number, row in enumerate(self._rows):
            own = np.flatnonzero(self._same[number])
            if len(own):
                column = own[self._cosines[number, own].argmax()]
                found[row] = (float(self._cosines[number, column]), str(self._languages[number, column]))
        return found

    def baseline(self, languages: str) -> float | None:
        """Mean cosine of unrelated pairs of these languages, or of all where they are few; None where there is no pair."""
        if languages not in self._baselines:
            unrelated = ~self._same
            alike = unrelated & (self._languages == languages)
            chosen = alike if alike.sum() >= MIN_PAIRS else unrelated
            self._baselines[languages] = min(0.999, float(self._cosines[chosen].mean())) if chosen.any() else None
        return self._baselines[languages]
