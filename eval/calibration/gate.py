"""Whether to rerank, for one set of documents: by measurement, because a reranker can lose what retrieval had found.

The train side decides by a paired test of the measure, with and without reranking; the test side confirms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.calibration.outcomes import Record, group_of
from eval.metrics.latency import latency
from eval.sides import two_sides
from eval.significance import bootstrap_interval, randomisation_test
from rag.errors import BadRequest


def rerank_gate(
    coarse: Sequence[Record],
    reranked: Sequence[Record],
    *,
    measure: str = "ndcg@10",
    alpha: float = 0.05,
    train: float = 0.5,
    seed: int = 0,
) -> dict[str, Any]:
    """`{"decision": "rerank" | "leave", "reason", "measure", "train", "test", "latency_ms", "split"}`.

    It says rerank only if the train side gains with p < `alpha` and the test side gains, too. A side is `{"questions", "coarse",
    "reranked", "difference", "interval", "p"}`. Raises BadRequest for runs without common questions or without the measure.
    """
    pairs = _pairs(coarse, reranked, measure)
    groups = {id_: group_of(first) for id_, (first, _) in pairs.items()}
    *ids, by = two_sides(groups, train, seed)
    if not all(ids):
        raise BadRequest(f"{len(pairs)} questions cannot be split into two sides.", "Measure more questions.")
    learned, tested = (_side([pairs[id_] for id_ in side], measure, seed) for side in ids)
    decision, reason = _decide(learned, tested, alpha)
    return {
        "decision": decision,
        "reason": reason,
        "measure": measure,
        "alpha": alpha,
        "train": learned,
        "test": tested,
        "latency_ms": {
            "coarse": latency([first["ms"] for first, _ in pairs.values()]),
            "reranked": latency([second["ms"] for _, second in pairs.values()]),
        },
        "split": {"by": by, "share": train, "seed": seed},
    }


def _decide(train: Mapping[str, Any], test: Mapping[str, Any], alpha: float) -> tuple[str, str]:
    if train["difference"] <= 0:
        return "leave", "Reranking gains nothing on the train side."
    if train["p"] >= alpha:
        return "leave", "What reranking gains on the train side may be chance."
    if test["difference"] <= 0:
        return "leave", "Reranking gains on the train side, but not on the test side."
    sure = "by more than chance" if test["interval"][0] > 0 else "though by itself that may be chance"
    return "rerank", f"Reranking gains on the train side, and on the test side, {sure}."


def _pairs(coarse: Sequence[Record], reranked: Sequence[Record], measure: str) -> dict[str, tuple[Record, Record]]:
    first = {record["id"]: record for record in coarse if measure in record["metrics"]}
    second = {record["id"]: record for record in reranked if measure in record["metrics"]}
    shared = {id_: (record, second[id_]) for id_, record in first.items() if id_ in second}
    if not shared:
        raise BadRequest(
            f"The two runs have no question in common that has {measure!r}.",
            "Give two runs over the same set, one with retrieval.reranker = none; choose the measure with --measure.",
        )
    return shared


def _side(pairs: Sequence[tuple[Record, Record]], measure: str, seed: int) -> dict[str, Any]:
    before = [float(first["metrics"][measure]) for first, _ in pairs]
    after = [float(second["metrics"][measure]) for _, second in pairs]
    differences = [new - old for old, new in zip(before, after, strict=True)]
    return {
        "questions": len(pairs),
        "coarse": round(sum(before) / len(before), 4),
        "reranked": round(sum(after) / len(after), 4),
        "difference": round(sum(differences) / len(differences), 4),
        "interval": [round(bound, 4) for bound in bootstrap_interval(differences, seed=seed)],
        "p": round(randomisation_test(differences, seed=seed), 4),
    }
