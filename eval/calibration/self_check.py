"""What the generator says of its passages (rag/retrieval/self_check.py) put together with the evidence of the search, for one's own documents.

A logistic model over both logits, fitted on the train side to whether answering was right; how well it orders the questions, beside the
search alone, is told of the test side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from eval.calibration.logistic import fit_logistic
from eval.calibration.outcomes import Outcome
from eval.metrics.abstention import abstention_auroc
from eval.metrics.roc import auroc
from rag.retrieval.self_check import Weights, combined, logit

RIDGE = 1.0
FEWEST = 10
"""Right and wrong answers each, of a language on the train side, below which nothing is fitted."""


def fit_weights(train: Sequence[Outcome]) -> dict[str, Weights]:
    """By language; without those of which too few questions were checked."""
    found = {language: _fit([one for one in train if one.language == language]) for language in _languages(train)}
    return {language: weights for language, weights in found.items() if weights is not None}


def _fit(train: Sequence[Outcome]) -> Weights | None:
    known = [one for one in train if _checked(one)]
    right = np.array([not one.wrong for one in known], dtype=np.bool_)
    if min(right.sum(), (~right).sum()) < FEWEST:
        return None
    features = np.array([[logit(one.searched), logit(one.self_check or 0.0)] for one in known], dtype=np.float64)
    found = fit_logistic(features, right, np.ones(len(known)), RIDGE)
    return Weights(*(round(float(value), 4) for value in (*found.weights, found.bias)))


def with_weights(cases: Sequence[Outcome], weights: Mapping[str, Weights]) -> list[Outcome]:
    """Each with the evidence that its language's weights give it; one that was not checked keeps that of the search, and one of another language
    what it has."""
    return [_with(one, weights[one.language]) if one.language in weights else one for one in cases]


def _with(one: Outcome, weights: Weights) -> Outcome:
    checked = combined(one.searched, one.self_check or 0.0, weights) if _checked(one) else one.searched
    return replace(one, evidence=checked)


def told(test: Sequence[Outcome], weights: Mapping[str, Weights]) -> dict[str, Any]:
    """By language: the weights, and the AUROC of the search alone, of the generator alone and of both, on the questions that were checked."""
    return {
        language: _told([one for one in test if one.language == language], weights, language)
        for language in sorted(weights)
    }


def _told(test: Sequence[Outcome], weights: Mapping[str, Weights], language: str) -> dict[str, Any]:
    known = [one for one in test if _checked(one)]
    scores = {
        "search": [one.searched for one in known],
        "generator": [one.self_check or 0.0 for one in known],
        "both": [one.evidence for one in with_weights(known, weights)],
    }
    return {
        "weights": list(weights[language]),
        "questions": len(known),
        "auroc_answerable": {
            name: _rounded(abstention_auroc(values, [one.answerable for one in known]))
            for name, values in scores.items()
        },
        "auroc_right": {
            name: _rounded(auroc(values, [not one.wrong for one in known])) for name, values in scores.items()
        },
    }


def _languages(cases: Sequence[Outcome]) -> list[str]:
    return sorted({one.language for one in cases})


def _checked(one: Outcome) -> bool:
    return one.self_check is not None and isfinite(one.searched)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
