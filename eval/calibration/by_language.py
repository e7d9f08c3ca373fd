"""How far a reranker is let through, for each language of the questions: weight and depth, fitted and judged on different questions.

A run with a reranker keeps, per question, the coarse and the fine score of every passage that was looked at (`reranked`). Every weight and
depth up to those of the run can be told from them without asking again. The questions are divided in two halves by documents; what is best
on one half is judged on the other, and the other way round, so that every question is judged by a setting that it had no part in. The
reranker is let through only where those held-out differences gain by more than chance; the setting that is written is then chosen on all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from eval.calibration.outcomes import Record, group_of
from eval.metrics import ranking
from eval.sides import two_sides
from eval.significance import bootstrap_interval, randomisation_test
from rag.language import language_of
from rag.retrieval.rerank import combined

WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
DEPTHS = (3, 5, 10, 20, 30, 50, 100)
FEW = 40
"""Questions of a language below which nothing is decided: the general setting stays."""

Setting = tuple[float, int]
"""Weight and depth."""
LEFT: Setting = (0.0, 0)


def language_gates(
    records: Sequence[Record], *, measure: str = "ndcg@10", alpha: float = 0.05, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """By language `{"decision": "rerank" | "leave" | "unknown", "weight", "depth", "questions", "coarse", "reranked", "difference",
    "interval", "p", "folds", "whole"}`; the figures are held out, `folds` are the settings of the halves, and `whole` is the difference
    that full weight and depth make. Empty for a run whose records say nothing of fine scores."""
    by_language: dict[str, list[Record]] = {}
    for record in records:
        if record.get("reranked") and any(grade > 0 for grade in record["documents_judged"].values()):
            language = language_of(record["question"])  # as the engine does, which knows no label
            by_language.setdefault(language, []).append(record)
    return {language: _gate(chosen, measure, alpha, seed) for language, chosen in sorted(by_language.items())}


def _gate(records: Sequence[Record], measure: str, alpha: float, seed: int) -> dict[str, Any]:
    if len(records) < FEW:
        return {"decision": "unknown", "questions": len(records), "reason": f"Fewer than {FEW} questions."}
    by_id = {str(record["id"]): record for record in records}
    settings = _settings(records)
    values = {one: {id_: _value(by_id[id_], one, measure) for id_ in by_id} for one in [LEFT, *settings]}
    *halves, _ = two_sides({id_: group_of(record) for id_, record in by_id.items()}, seed=seed)
    folds = [_best(values, half) for half in halves]
    judged = [(folds[1 - side], id_) for side, half in enumerate(halves) for id_ in half]
    differences = [values[one][id_] - values[LEFT][id_] for one, id_ in judged]
    everything = max(settings, key=lambda one: (one[0], one[1]))
    gain, p = _mean(differences), randomisation_test(differences, seed=seed)
    open_ = gain > 0 and p < alpha
    weight, depth = _best(values, list(by_id)) if open_ else LEFT
    return {
        "decision": "rerank" if open_ and weight else "leave",
        "reason": _reason(gain, p, alpha),
        "weight": weight,
        "depth": depth,
        "questions": len(records),
        "coarse": round(_mean(list(values[LEFT].values())), 4),
        "reranked": round(_mean([values[one][id_] for one, id_ in judged]), 4),
        "difference": round(gain, 4),
        "interval": [round(bound, 4) for bound in bootstrap_interval(differences, seed=seed)],
        "p": round(p, 4),
        "folds": [{"weight": one[0], "depth": one[1]} for one in folds],
        "whole": round(_mean([values[everything][id_] - values[LEFT][id_] for id_ in by_id]), 4),
    }


def _reason(gain: float, p: float, alpha: float) -> str:
    if gain <= 0:
        return "It gains nothing on questions that it was not fitted on."
    return "Its held-out gain is more than chance." if p < alpha else "Its held-out gain may be chance."


def _settings(records: Sequence[Record]) -> list[Setting]:
    """The cheapest first: of settings that are as good, less reranking is better."""
    longest = max(len(record["reranked"]) for record in records)
    depths = [depth for depth in DEPTHS if depth < longest] + [longest]
    return [(weight, depth) for depth, weight in product(depths, WEIGHTS)]


def _best(values: Mapping[Setting, Mapping[str, float]], ids: Sequence[str]) -> Setting:
    return max(values, key=lambda one: round(_mean([values[one][id_] for id_ in ids]), 6))


def _value(record: Record, setting: Setting, measure: str) -> float:
    return ranking.score(ordered(record, setting), record["documents_judged"], (measure,))[measure]


def ordered(record: Record, setting: Setting) -> list[str]:
    """The documents in the order that this weight and depth would have served: as the engine does (rag/retrieval/rerank.py)."""
    (weight, depth), rows = setting, record["reranked"]
    head = [row for row in rows[:depth] if row[2] is not None]
    scores = combined([row[2] for row in head], [row[1] for row in head], weight)
    first = [head[place][0] for place in sorted(range(len(head)), key=lambda place: -scores[place])]
    read = {id(row) for row in head}
    behind = [row[0] for row in rows if id(row) not in read]
    return list(dict.fromkeys([*first, *behind, *(document for document, _ in record["documents"])]))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
