"""BLEU: n-gram precision up to four words, times a penalty for an answer that is shorter than the expected one.

    BLEU = min(1, exp(1 − r/c)) · exp(Σ over n = 1…4 of ln(p_n) / 4)

c is the length of the answer, r of the expected answer nearest in length, p_n the clipped n-gram precision. Papineni et al., "BLEU: a
method for automatic evaluation of machine translation" (ACL 2002), computed by sacrebleu (Post, "A call for clarity in reporting
BLEU scores", 2018) with its default tokenizer 13a and case, on a scale to 1. Chinese is cut into words first, so figures for
Chinese are not those of sacrebleu's `-tok zh`, which counts characters. `bleu` is that of one answer, with exponential smoothing and
no n longer than the answer (`effective_order`): for short answers a rough figure. `corpus_bleu` pools the n-grams of
a run; it is what papers report, and not a mean over questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eval.metrics.answer_text import without_markers
from eval.metrics.extra import needed_for
from eval.metrics.segmented import segmented


def bleu(answer: str, expected: Sequence[str]) -> float:
    """In [0, 1]; 0 without an answer or an expected one. Raises ExtraMissing."""
    references = [_prepared(one) for one in expected]
    if not any(references):
        return 0.0
    return float(_scorer(True).sentence_score(_prepared(answer), references).score) / 100


def corpus_bleu(answers: Sequence[str], expected: Sequence[Sequence[str]]) -> float:
    """Over all answers of a run together, in [0, 1]. `expected` holds one or more texts per answer. Raises ExtraMissing."""
    if len(answers) != len(expected):
        raise ValueError("there have to be expected answers for each answer")
    if not answers:
        return 0.0
    most = max(len(texts) for texts in expected)
    # sacrebleu wants one list per position of a reference; None stands for a reference that an answer does not have.
    streams = [[_prepared(texts[n]) if n < len(texts) else None for texts in expected] for n in range(most)]
    return float(_scorer(False).corpus_score([_prepared(answer) for answer in answers], streams).score) / 100


def _prepared(text: str) -> str:
    return segmented(without_markers(text)).strip()


@lru_cache(maxsize=2)
def _scorer(one_sentence: bool) -> Any:
    with needed_for("bleu"):
        from sacrebleu.metrics.bleu import BLEU
    return BLEU(effective_order=one_sentence)
