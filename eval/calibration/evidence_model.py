"""The model of evidence (rag/retrieval/abstain.py): fitted, judged on articles that it did not see, and written down.

A case is a question with what was found for it, told in features. Four kinds: `answerable`, and the three of benchmarks/abstention.py that
have no answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tomlkit

from eval.calibration.logistic import Floats, fit_logistic
from eval.metrics.risk_coverage import risk_coverage_curve
from eval.metrics.roc import auroc
from rag.retrieval import abstain

FOLDS = 8
KEPT = 0.97
"""Share of the answerable questions that a fitted model leaves above the threshold."""
NARROWLY = frozenset({"near"})
ELSEWHERE = frozenset({"without the paragraph", "without the article"})
"""The kinds of the two models."""
STEEPER, FURTHER = 3.0, 2.0
"""What the logit of ELSEWHERE is multiplied by, and what is added, before the two are put together: so that it decides where it is sure and leaves
the rest to the other. Chosen on the cross-fitted scores, among 1 … 4 and 0 … 3: the only two numbers that all articles were looked at for."""
BY_WORDS = (
    "best_passage", "best_sentences", "best_sentence", "first_hit", "window", "together", "pairs", "names", "exact", "rarest_missing", "absent",
    "name_missing", "number_missing", "name_count", "negated", "negated_alone", "denial_missing", "opposite", "kind_missing", "new_names",
    "length",
)  # fmt: skip
BENT = (
    "best_passage*best_passage",
    "best_sentence*best_sentence",
    "length*length",
    "opposite*best_sentence",
    "name_missing*best_sentence",
)
"""Of two features together, for near misses. None with a cosine: more likeness is never less evidence."""
WITH_VECTORS = (*BY_WORDS, "likeness", "lead")
RESAMPLES = 1000
POINTS = 200
"""Of a drawn curve."""


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    set: str
    group: str
    """The article: what is on one side of a split together."""
    kind: str
    language: str
    features: Mapping[str, float]
    foreign: bool
    """Whether most of what was found is in another language than the question."""


def fit(cases: Sequence[Case], names: Sequence[str]) -> list[dict[str, float]]:
    """Both models over `names`, shifted so that KEPT of the answerable cases lie above the threshold."""
    answerable = [case for case in cases if case.kind == "answerable"]
    near = _fitted(answerable, [case for case in cases if case.kind in NARROWLY], (*names, *BENT))
    elsewhere = [case for case in cases if case.kind in ELSEWHERE]
    if not elsewhere:
        return _shifted([near], answerable)
    far = {name: STEEPER * weight for name, weight in _fitted(answerable, elsewhere, names).items()}
    far["bias"] += FURTHER
    return _shifted([near, far], answerable)


def _fitted(positive: Sequence[Case], negative: Sequence[Case], names: Sequence[str]) -> dict[str, float]:
    cases = [*positive, *negative]
    labels = np.arange(len(cases)) < len(positive)
    found = fit_logistic(_design(cases, names), labels, np.ones(len(cases)))
    weights = {**dict(zip(names, found.weights.tolist(), strict=True)), "bias": found.bias}
    return _shifted([weights], positive, 0.5)[0]


def _shifted(
    parts: Sequence[dict[str, float]], answerable: Sequence[Case], limit: float = abstain.THRESHOLD
) -> list[dict[str, float]]:
    """With the same added to every bias, so that KEPT of the cases have a score above `limit`."""
    logits = np.array([[abstain.logit(weights, case.features) for weights in parts] for case in answerable])
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        scores = np.prod(1 / (1 + np.exp(-np.clip(logits + middle, -500, 500))), axis=1)
        if np.quantile(scores, 1 - KEPT) < limit:
            low = middle
        else:
            high = middle
    return [{**weights, "bias": weights["bias"] + high} for weights in parts]


def cross_fit(cases: Sequence[Case], names: Sequence[str], folds: int = FOLDS) -> list[float]:
    """The score of every case by models that were fitted without its article."""
    order = _ordered({case.group for case in cases})
    side = {group: place % folds for place, group in enumerate(order)}
    scores = np.zeros(len(cases))
    for fold in range(folds):
        parts = fit([case for case in cases if side[case.group] != fold], names)
        for place, case in enumerate(cases):
            if side[case.group] == fold:
                scores[place] = abstain.probability(parts, case.features)
    return [float(value) for value in scores]


def against(cases: Sequence[Case], scores: Sequence[float], prefix: str = "") -> dict[str, dict[str, Any]]:
    """The answerable cases against each kind of the others: AUROC with its 95 % interval over articles, and what the threshold keeps."""
    found = {}
    for kind in sorted({case.kind for case in cases} - {"answerable"}):
        chosen = [
            (case.group, case.kind == "answerable", score)
            for case, score in zip(cases, scores, strict=True)
            if case.kind in {"answerable", kind}
        ]
        value = auroc([score for _, _, score in chosen], [label for _, label, _ in chosen])
        found[prefix + kind] = {
            "questions": len(chosen),
            "auroc": round(value, 4) if value is not None else None,
            "interval": _interval(chosen),
            "refused": _share([score < abstain.THRESHOLD for _, label, score in chosen if not label]),
            "kept": _share([score >= abstain.THRESHOLD for _, label, score in chosen if label]),
        }
    return found


def learning_curve(cases: Sequence[Case], names: Sequence[str], draws: int = 8) -> dict[str, tuple[float, float]]:
    """Mean and deviation of the AUROC on near misses of the other articles, by the number of articles fitted on."""
    near = [case for case in cases if case.kind in {"answerable", "near"}]
    groups = _ordered({case.group for case in near})
    chance = np.random.default_rng(0)
    found = {}
    for count in (2, 4, 8, 12):
        values = []
        for _ in range(draws if count < len(groups) else 0):
            taken = set(chance.permutation(groups)[:count].tolist())
            parts = fit([case for case in cases if case.group in taken], names)
            rest = [case for case in near if case.group not in taken]
            scores = [abstain.probability(parts, case.features) for case in rest]
            values.append(auroc(scores, [case.kind == "answerable" for case in rest]) or 0.0)
        if values:
            found[str(count)] = (round(float(np.mean(values)), 4), round(float(np.std(values)), 4))
    return found


def as_stored(cases: Sequence[Case], name: str, encoder: str) -> dict[str, dict[str, Any]]:
    """A set that nothing was fitted on, by the stored model."""
    scores = [abstain.probability(abstain.model(encoder, case.language, case.foreign), case.features) for case in cases]
    return {f"{name}, {kind}": row for kind, row in against(cases, scores).items()}


def store(fitted: Mapping[tuple[str, str], Sequence[Mapping[str, float]]]) -> None:
    """Replaces the models of (encoder, language) in abstain_models.toml and leaves the others as they are."""
    document = tomlkit.parse(abstain.MODELS.read_text(encoding="utf-8"))
    models: Any = document["models"]
    for (encoder, language), parts in fitted.items():
        tables = tomlkit.aot()
        for weights in parts:
            table = tomlkit.table()
            for feature, weight in weights.items():
                table.add(feature, round(weight, 3))
            tables.append(table)
        models.setdefault(encoder, tomlkit.table())[language] = tables
    abstain.MODELS.write_text(tomlkit.dumps(document), encoding="utf-8")


def drawn(cases: Sequence[Case], scores: Sequence[float]) -> str:
    """Risk over coverage as an SVG that stands alone: an answer to a question without one is wrong, everything else right."""
    from eval.report.plots.knowing import risk_coverage
    from eval.report.plots.svg import INKS

    curve = risk_coverage_curve(scores, [float(case.kind != "answerable") for case in cases])
    # Below a fiftieth, a single question moves the risk more than the line is meant to say.
    curve = [point for point in curve if point.coverage >= 0.02]
    curve = curve[:: max(1, len(curve) // POINTS)] + curve[-1:]
    plot = risk_coverage(
        {"search": {"curve": [{"coverage": p.coverage, "risk": p.risk} for p in curve]}, "answers": None}
    )
    style = "".join(f".f-{name}{{fill:{ink}}}.s-{name}{{stroke:{ink}}}" for name, ink in INKS.items())
    head, _, rest = plot.svg.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg" style="background:{INKS["paper"]}"><style>text{{font:8.5px sans-serif}}{style}</style>{rest}'


def _design(cases: Sequence[Case], names: Sequence[str]) -> Floats:
    return np.array([[abstain.value(name, case.features) for name in names] for case in cases], dtype=np.float64)


def _ordered(groups: set[str]) -> list[str]:
    return sorted(groups, key=lambda group: hashlib.sha256(group.encode()).digest())


def _share(found: Sequence[bool]) -> float | None:
    return round(sum(found) / len(found), 4) if found else None


def _interval(chosen: Sequence[tuple[str, bool, float]]) -> tuple[float, float]:
    """Percentiles of the AUROC over articles drawn with replacement."""
    groups: dict[str, list[tuple[bool, float]]] = {}
    for group, label, score in chosen:
        groups.setdefault(group, []).append((label, score))
    parts = list(groups.values())
    chance = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES if len(parts) > 1 else 0):
        drawn_ = [case for place in chance.integers(0, len(parts), len(parts)) for case in parts[place]]
        value = auroc([score for _, score in drawn_], [label for label, _ in drawn_])
        if value is not None:
            values.append(value)
    if not values:
        return (0.0, 1.0)
    low, high = np.quantile(values, [0.025, 0.975])
    return (round(float(low), 4), round(float(high), 4))
