"""Logistic regression with a ridge: the model of rag/retrieval/abstain.py, fitted.

    minimise  Σ_i w_i · log(1 + exp(−y_i (x_i · β + b))) / Σ w_i · n  +  ridge/2 · |β|²      over features brought to mean 0 and deviation 1

By Newton's method (iteratively reweighted least squares). The ridge does not hold the bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ITERATIONS = 50


@dataclass(frozen=True, slots=True)
class Logistic:
    """`weights` `[features]` and `bias` over the features as they are."""

    weights: Floats
    bias: float

    def logits(self, features: Floats) -> Floats:
        return features @ self.weights + self.bias


def fit_logistic(features: Floats, positive: npt.NDArray[np.bool_], sample: Floats, ridge: float = 10.0) -> Logistic:
    """`features` `[cases, features]`; `sample` weighs the cases. Both labels weigh alike. A feature that never changes gets the weight 0.
    Raises ValueError for cases of one kind."""
    if positive.all() or not positive.any():
        raise ValueError("there have to be cases of both kinds")
    weight = np.where(positive, sample / sample[positive].sum(), sample / sample[~positive].sum()) * len(positive) / 2
    mean = np.average(features, axis=0, weights=weight)
    spread = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weight))
    moving = spread > 1e-9
    design = np.hstack(
        [np.where(moving, (features - mean) / np.where(moving, spread, 1), 0.0), np.ones((len(features), 1))]
    )
    held = np.append(np.full(features.shape[1], ridge), 1e-9)
    beta = np.zeros(design.shape[1])
    for _ in range(_ITERATIONS):
        given = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (given - positive)) + held * beta
        hessian = (design * (weight * given * (1 - given))[:, None]).T @ design + np.diag(held)
        step = np.linalg.solve(hessian, gradient)
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    weights = np.where(moving, beta[:-1] / np.where(moving, spread, 1), 0.0)
    return Logistic(weights, float(beta[-1] - mean @ weights))
