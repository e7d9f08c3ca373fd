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
WEIGHT = {"answerable": 1.0, "near": 0.6, "without the paragraph": 0.2, "without the article": 0.2}
"""How much a case counts in a fit. Few real questions without an answer are near misses, and those are what is hard."""
BY_WORDS = (
    "best_passage", "best_sentences", "best_sentence", "first_hit", "window", "together", "pairs", "names", "exact", "rarest_missing", "absent",
    "name_missing", "number_missing", "name_count", "negated", "negated_alone", "denial_missing", "opposite", "kind_missing", "new_names",
    "length",
)  # fmt: skip
WITH_VECTORS = (*BY_WORDS, "likeness", "lead")
RESAMPLES = 1000


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


def fit(cases: Sequence[Case], names: Sequence[str]) -> dict[str, float]:
    """Weights by feature and `bias`, shifted so that KEPT of the answerable cases lie above the threshold."""
    answerable = np.array([case.kind == "answerable" for case in cases])
    design = _design(cases, names)
    found = fit_logistic(design, answerable, np.array([WEIGHT[case.kind] for case in cases]))
    limit = float(np.quantile(found.logits(design)[answerable], 1 - KEPT))
    wanted = float(np.log(abstain.THRESHOLD / (1 - abstain.THRESHOLD)))
    return {**dict(zip(names, found.weights.tolist(), strict=True)), "bias": found.bias + wanted - limit}


def cross_fit(cases: Sequence[Case], names: Sequence[str], folds: int = FOLDS) -> list[float]:
    """The score of every case by a model that was fitted without its article."""
    order = _ordered({case.group for case in cases})
    side = {group: place % folds for place, group in enumerate(order)}
    scores = np.zeros(len(cases))
    for fold in range(folds):
        weights = fit([case for case in cases if side[case.group] != fold], names)
        for place, case in enumerate(cases):
            if side[case.group] == fold:
                scores[place] = abstain.probability(weights, case.features)
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
            weights = fit([case for case in near if case.group in taken], names)
            rest = [case for case in near if case.group not in taken]
            scores = [abstain.probability(weights, case.features) for case in rest]
            values.append(auroc(scores, [case.kind == "answerable" for case in rest]) or 0.0)
        if values:
            found[str(count)] = (round(float(np.mean(values)), 4), round(float(np.std(values)), 4))
    return found


def as_stored(cases: Sequence[Case], name: str, encoder: str) -> dict[str, dict[str, Any]]:
    """A set that nothing was fitted on, by the stored model."""
    scores = [abstain.probability(abstain.model(encoder, case.language, case.foreign), case.features) for case in cases]
    return {f"{name}, {kind}": row for kind, row in against(cases, scores).items()}


def store(fitted: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    """Replaces the models of (encoder, language) in abstain_models.toml and leaves the others as they are."""
    document = tomlkit.parse(abstain.MODELS.read_text(encoding="utf-8"))
    models: Any = document["models"]
    for (encoder, language), weights in fitted.items():
        table = tomlkit.table()
        for feature, weight in weights.items():
            table.add(feature, round(weight, 3))
        models.setdefault(encoder, tomlkit.table())[language] = table
    abstain.MODELS.write_text(tomlkit.dumps(document), encoding="utf-8")


def drawn(cases: Sequence[Case], scores: Sequence[float]) -> str:
    """Risk over coverage as an SVG that stands alone: an answer to a question without one is wrong, everything else right."""
    from eval.report.plots.knowing import risk_coverage
    from eval.report.plots.svg import INKS

    curve = risk_coverage_curve(scores, [float(case.kind != "answerable") for case in cases])
    plot = risk_coverage(
        {"search": {"curve": [{"coverage": p.coverage, "risk": p.risk} for p in curve]}, "answers": None}
    )
    style = "".join(f".f-{name}{{fill:{ink}}}.s-{name}{{stroke:{ink}}}" for name, ink in INKS.items())
    head, _, rest = plot.svg.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg" style="background:{INKS["paper"]}"><style>text{{font:8.5px sans-serif}}{style}</style>{rest}'


def _design(cases: Sequence[Case], names: Sequence[str]) -> Floats:
    return np.array([[case.features[name] for name in names] for case in cases], dtype=np.float64)


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
