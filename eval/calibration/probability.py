"""A score made a probability of being right: by a line through its logits (Platt), or by steps that never fall (isotonic).

Platt needs few questions and assumes a sigmoid; isotonic assumes only that more score is not worse, and wants some hundreds
of questions (Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", ICML 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ITERATIONS = 100


Calibrator = Callable[[Sequence[float]], list[float]]
"""Scores to probabilities, in order."""


@dataclass(frozen=True, slots=True)
class Platt:
    """p = 1 / (1 + exp(−(slope · score + intercept)))"""

    slope: float
    intercept: float

    def __call__(self, scores: Sequence[float]) -> list[float]:
        values: list[float] = _sigmoid(self.slope * _array(scores) + self.intercept).tolist()
        return values


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between (score, probability) points; level before the first and after the last."""

    points: tuple[tuple[float, float], ...]

    def __call__(self, scores: Sequence[float]) -> list[float]:
        known = np.array(self.points)
        values: list[float] = np.interp(_array(scores), known[:, 0], known[:, 1]).tolist()
        return values


def fit_platt(scores: Sequence[float], right: Sequence[bool]) -> Platt:
    """By maximum likelihood over smoothed targets, (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2), which keep it finite where the score
    separates right from wrong.

    Platt, "Probabilistic outputs for support vector machines" (1999), by the damped Newton method of Lin, Lin and Weng (2007).
    Scores have to be finite. Raises ValueError.
    """
    values, labels = _cases(scores, right)
    positive = int(labels.sum())
    negative = len(labels) - positive
    targets = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    # Centred and scaled, so that one damping fits scores of any size.
    centre, scale = float(values.mean()), float(values.std())
    if scale <= 1e-9 * max(1.0, abs(centre)):
        scale = 1.0  # one score for all, whose mean is rounded
    design = np.stack([(values - centre) / scale, np.ones_like(values)], axis=1)
    weights = np.array([0.0, float(np.log((positive + 1) / (negative + 1)))])
    loss = _loss(design @ weights, targets)
    for _ in range(_ITERATIONS):
        given = _sigmoid(design @ weights)
        gradient = design.T @ (given - targets)
        if np.abs(gradient).max() < 1e-10 * len(values):
            break
        hessian = (design * (given * (1 - given))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and _loss(design @ (weights - size * step), targets) > loss - 1e-4 * size * gradient @ step:
            size /= 2
        weights = weights - size * step
        loss = _loss(design @ weights, targets)
    slope = float(weights[0]) / scale
    return Platt(slope, float(weights[1]) - slope * centre)


def fit_isotonic(scores: Sequence[float], right: Sequence[bool]) -> Isotonic:
    """The non-falling function of the score with the least squared error, by pooling adjacent violators.

    Barlow et al., "Statistical inference under order restrictions" (1972); Zadrozny and Elkan (KDD 2002). Raises ValueError.
    """
    values, labels = _cases(scores, right)
    different, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    shares = np.bincount(place, weights=labels.astype(np.float64)) / counts
    # Blocks of (mean, weight, number of scores); a block that falls below its neighbour is joined with it.
    blocks: list[tuple[float, float, int]] = []
    for share, count in zip(shares.tolist(), counts.tolist(), strict=True):
        blocks.append((share, float(count), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (low, light, some), (high, heavy, more) = blocks[-2:]
            blocks[-2:] = [((low * light + high * heavy) / (light + heavy), light + heavy, some + more)]
    fitted = np.repeat([mean for mean, _, _ in blocks], [size for _, _, size in blocks])
    # Only the ends of a level stretch are kept.
    level = np.concatenate([[False], (fitted[1:-1] == fitted[:-2]) & (fitted[1:-1] == fitted[2:]), [False]])
    keep = ~level[: len(fitted)]
    return Isotonic(tuple(zip(different[keep].tolist(), fitted[keep].tolist(), strict=True)))


def _cases(scores: Sequence[float], right: Sequence[bool]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    values, labels = _array(scores), np.asarray(right, dtype=bool)
    if values.shape != labels.shape or not len(values):
        raise ValueError("there has to be one outcome for each score, and at least one")
    if not np.isfinite(values).all():
        raise ValueError("scores have to be finite")
    return values, labels


def _array(scores: Sequence[float]) -> Floats:
    return np.asarray(scores, dtype=np.float64)


def _sigmoid(logits: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -logits))


def _loss(logits: Floats, targets: Floats) -> float:
    return float((np.logaddexp(0.0, logits) - targets * logits).sum())
