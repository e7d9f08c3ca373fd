"""Whether the documents answer a question at all, judged from what was found, before a generator is asked.

A generator that is told to say "not found" also says it to questions that have an answer, so the decision is taken here: by logistic models
over what the words of the best passages tell (rag/retrieval/abstain_features.py) and, where they were fitted for the encoder, what its vectors
tell. There are two ways to have no answer, to be about something else and to miss it narrowly, and what tells the one says little of the
other: a model for each, and the score is the product of what they give. Their numbers are data (abstain_models.toml), fitted by
`python -m benchmarks.abstention --fit`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from math import exp, prod
from pathlib import Path
from typing import Any

from rag.answers import Hit, Likeness
from rag.language import language_of
from rag.retrieval.abstain_features import PICTURE as _PICTURE
from rag.retrieval.abstain_features import READ, Evidence, evidence

__all__ = ["THRESHOLD", "Evidence", "evidence", "features", "score", "threshold"]

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
    likely = probability(model(encoder if by_vectors else WORDS, language, foreign), found)
    if foreign and not by_vectors:
        likely = max(likely, OTHER_LANGUAGE_SCORE * (0.5 + 0.5 * found["names"]))
    if any(hit.chunk.kind == "image" for hit in hits[:READ]) and _PICTURE.search(question):
        likely = max(likely, PICTURE_SCORE)
    return likely


def threshold(given: float | None = None) -> float:
    """The score below which a question is not answered: the one given, or the fitted one."""
    return THRESHOLD if given is None else given


@lru_cache(maxsize=1)
def models() -> dict[str, dict[str, list[dict[str, float]]]]:
    """The models of each encoder (or WORDS) and language: weights by feature, or by two features whose product counts (`length*likeness`),
    and `bias`. `foreign` is for questions whose best hits are mostly in another language."""
    read: dict[str, Any] = tomllib.loads(MODELS.read_text(encoding="utf-8"))
    return {encoder: dict(languages) for encoder, languages in read["models"].items()}


def model(encoder: str, language: str, foreign: bool = False) -> list[dict[str, float]]:
    """The models that judge such a question: by WORDS no other language is known, and English stands in for those that were not fitted."""
    fitted = models()[encoder]
    return fitted["foreign"] if foreign and "foreign" in fitted else fitted.get(language, fitted["en"])


def probability(parts: Sequence[Mapping[str, float]], found: Mapping[str, float]) -> float:
    return prod(1 / (1 + exp(-logit(weights, found))) for weights in parts)


def logit(weights: Mapping[str, float], found: Mapping[str, float]) -> float:
    return weights["bias"] + sum(weight * value(name, found) for name, weight in weights.items() if name != "bias")


def value(name: str, found: Mapping[str, float]) -> float:
    """Of a feature, or of the product of two."""
    return prod(found[part] for part in name.split("*"))


def mostly_foreign(question: str, hits: Sequence[Hit]) -> bool:
    """Whether most of the hits that are read are in another language than the question."""
    language = language_of(question)
    texts = [hit for hit in hits[:READ] if hit.chunk.kind != "image"]
    foreign = sum(language_of(hit.chunk.text) != language for hit in texts)
    return bool(texts) and foreign * 2 > len(texts)
