"""Ranking measures by name: `ndcg@10`, `recall@100`, `map`, `mrr@10`, `precision@5`, `hit_rate@5`, `f1@10`, `auc`.

The mean is over every judged question, also over one for which nothing was returned: it counts as 0, as with trec_eval's
`-c` (its default leaves such questions out, and so rewards a system that returns nothing for what it finds hard). A
question is judged when at least one document was judged for it; if none of them is relevant it counts as 0, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from eval.metrics.auc import ranking_auc
from eval.metrics.average_precision import average_precision
from eval.metrics.f1 import f1
from eval.metrics.hit_rate import hit_rate
from eval.metrics.ndcg import ndcg
from eval.metrics.order import trec_order
from eval.metrics.precision import precision
from eval.metrics.recall import recall
from eval.metrics.reciprocal_rank import reciprocal_rank
from rag.errors import BadRequest

Measure = Callable[[Sequence[str], Mapping[str, int], int | None], float]

MEASURES: Mapping[str, Measure] = {
    "ndcg": ndcg,
    "recall": recall,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "precision": precision,
    "hit_rate": hit_rate,
    "f1": f1,
    "auc": ranking_auc,
}

DEFAULT = ("ndcg@10", "recall@5", "recall@10", "recall@100", "map", "mrr@10", "precision@5", "hit_rate@5")

_NAME = re.compile(r"(?P<measure>[a-z][a-z0-9_]*)(?:@(?P<k>[1-9]\d*))?")


def parse(name: str) -> tuple[Measure, int | None]:
    """The measure and its cut-off. Raises BadRequest for a name that means nothing."""
    match = _NAME.fullmatch(name)
    if match is None or match["measure"] not in MEASURES:
        raise BadRequest(
            f"There is no measure {name!r}.",
            f"Name one of {', '.join(MEASURES)}, with a cut-off as in ndcg@10 or without.",
        )
    return MEASURES[match["measure"]], int(match["k"]) if match["k"] else None


def score(ranked: Sequence[str], judged: Mapping[str, int], names: Sequence[str] = DEFAULT) -> dict[str, float]:
    """Every measure of one question. `ranked` is document ids, best first, each once."""
    measures = [(name, *parse(name)) for name in names]
    return {name: measure(ranked, judged, k) for name, measure, k in measures}


def evaluate(
    judgements: Mapping[str, Mapping[str, int]],
    run: Mapping[str, Mapping[str, float]],
    names: Sequence[str] = DEFAULT,
) -> dict[str, dict[str, float]]:
    """Measures of every judged question of a run `{question: {document: score}}`, read in trec_eval's order."""
    return {
        question: score(trec_order(run.get(question, {})), judged, names)
        for question, judged in judgements.items()
        if judged
    }


def mean(per_question: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Arithmetic mean over questions, per measure, over the questions that have it."""
    values: dict[str, list[float]] = {}
    for measures in per_question.values():
        for name, value in measures.items():
            values.setdefault(name, []).append(value)
    return {name: sum(found) / len(found) for name, found in values.items()}
