"""Measures of an answer's text by name, with the expected answers: one mapping, one convention for what has no answer.

The first three need nothing but Tuwen and are always computed; the others belong to the extra `eval` and are computed when asked
for. None of them knows whether an answer is true: they count words in common with an expected answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eval.metrics.abstention import credit
from eval.metrics.answer_recall import answer_recall
from eval.metrics.bleu import bleu
from eval.metrics.chrf import chrf
from eval.metrics.exact_match import exact_match
from eval.metrics.meteor import meteor
from eval.metrics.rouge import rouge1, rouge2, rouge_l
from eval.metrics.token_f1 import token_f1
from rag.errors import BadRequest

Measure = Callable[[str, Sequence[str]], float]

MEASURES: Mapping[str, Measure] = {
    "exact_match": exact_match,
    "token_f1": token_f1,
    "answer_recall": answer_recall,
    "bleu": bleu,
    "chrf": chrf,
    "rouge1": rouge1,
    "rouge2": rouge2,
    "rougeL": rouge_l,
    "meteor": meteor,
}

DEFAULT = ("exact_match", "token_f1", "answer_recall")


def parse(name: str) -> Measure:
    """Raises BadRequest for a name that means nothing."""
    if name not in MEASURES:
        raise BadRequest(f"There is no measure {name!r} of answers.", f"Name one of {', '.join(MEASURES)}.")
    return MEASURES[name]


def score(
    answer: str,
    expected: Sequence[str],
    names: Sequence[str] = DEFAULT,
    *,
    answerable: bool = True,
    abstained: bool = False,
) -> dict[str, float]:
    """Every measure of one answer. Empty for an answerable question without an expected answer: there is nothing to compare with.

    Unanswerable questions and abstentions score by `abstention.credit`. Raises BadRequest, ExtraMissing.
    """
    if answerable and not expected:
        return {}
    measures = {name: parse(name) for name in names}
    if abstained or not answerable:
        return dict.fromkeys(measures, credit(0.0, answerable=answerable, abstained=abstained))
    return {name: measure(answer, expected) for name, measure in measures.items()}
