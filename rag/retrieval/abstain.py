"""Whether the documents answer a question at all, judged from what was found, before a generator is asked.

A generator that is told to say "not found" also says it to questions that have an answer, so the decision is taken here: a logistic model
over what the words of the best passages tell (rag/retrieval/abstain_features.py) and, where it was fitted for the encoder, what its vectors
tell. Its numbers are data (abstain_models.toml), fitted by `python -m benchmarks.abstention --fit`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any

from rag.answers import Hit, Likeness
from rag.language import language_of
from rag.retrieval.abstain_features import PICTURE as _PICTURE
from rag.retrieval.abstain_features import READ, Evidence, evidence

__all__ = ["THRESHOLD", "Evidence", "evidence", "features", "score", "should_abstain", "threshold"]

MODELS = Path(__file__).with_name("abstain_models.toml")
WORDS = "words"
"""The models that know no vectors."""

THRESHOLD = 0.125
"""Below it, the question is not answered. Every model is shifted so that nearly all answerable questions it was fitted on lie above.
`tuwen eval calibrate` fits a threshold to one's own documents."""
OTHER_LANGUAGE_SCORE = 0.5
"""Least score by words when most of the best hits are in another language: no shared word is no sign there. A Latin name or a
number of the question that no hit has lowers it by up to half of it."""
PICTURE_SCORE = 0.5
"""Least score of a question for a picture that found pictures: their few words seldom are the question's."""


def features(question: str, hits: Sequence[Hit], seen: Likeness | None = None) -> dict[str, float]:
    """All that a model may read, by name; `likeness` and `lead` only where vectors told something."""
    found = asdict(evidence(question, hits))
    return found if seen is None else {**found, "likeness": seen.best, "lead": seen.lead}


def score(question: str, hits: Sequence[Hit], seen: Likeness | None = None, encoder: str = "") -> float:
    """How likely the hits answer the question, in [0, 1]; 0 without hits. `seen` is what the vectors of `encoder` tell; it counts
    where a model was fitted for this encoder."""
    if not hits:
        return 0.0
    language = language_of(question)
    found = features(question, hits, seen)
    foreign = mostly_foreign(question, hits)
    by_vectors = seen is not None and encoder in models()
    value = probability(model(encoder if by_vectors else WORDS, language, foreign), found)
    if foreign and not by_vectors:
        value = max(value, OTHER_LANGUAGE_SCORE * (0.5 + 0.5 * found["names"]))
    if any(hit.chunk.kind == "image" for hit in hits[:READ]) and _PICTURE.search(question):
        value = max(value, PICTURE_SCORE)
    return value


def threshold(given: float | None = None) -> float:
    """The score below which a question is not answered: the one given, or the fitted one."""
    return THRESHOLD if given is None else given


def should_abstain(question: str, hits: Sequence[Hit], given: float | None = None) -> bool:
    return not hits or score(question, hits) < threshold(given)


@lru_cache(maxsize=1)
def models() -> dict[str, dict[str, dict[str, float]]]:
    """Weights by feature, and `bias`, of the model for each encoder (or WORDS) and language; `foreign` is for questions whose best hits are
    mostly in another language."""
    read: dict[str, Any] = tomllib.loads(MODELS.read_text(encoding="utf-8"))
    return {encoder: dict(languages) for encoder, languages in read["models"].items()}


def model(encoder: str, language: str, foreign: bool = False) -> dict[str, float]:
    """The model that judges such a question: by WORDS no other language is known, and English stands in for those that were not fitted."""
    fitted = models()[encoder]
    return fitted["foreign"] if foreign and "foreign" in fitted else fitted.get(language, fitted["en"])


def probability(weights: Mapping[str, float], found: Mapping[str, float]) -> float:
    value = weights["bias"] + sum(weight * found[name] for name, weight in weights.items() if name != "bias")
    return 1 / (1 + exp(-value))


def mostly_foreign(question: str, hits: Sequence[Hit]) -> bool:
    """Whether most of the hits that are read are in another language than the question."""
    language = language_of(question)
    texts = [hit for hit in hits[:READ] if hit.chunk.kind != "image"]
    foreign = sum(language_of(hit.chunk.text) != language for hit in texts)
    return bool(texts) and foreign * 2 > len(texts)
