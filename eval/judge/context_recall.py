"""Context recall: the share of the expected answer that the passages found can account for.

    CR = |sentences of the expected answer that the passages support| / |sentences of the expected answer|

As Ragas defines it. Where documents or pages are labelled, recall of those is cheaper and surer.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.judge.asker import Asker
from eval.judge.faithfulness import supported
from eval.judge.score import Score, Verdict, share
from rag.language import language_of
from rag.words import sentences


def context_recall(asker: Asker, question: str, expected: str, contexts: Sequence[str]) -> Score:
    """None without an expected answer, 0 without a passage. Raises GeneratorUnavailable.

    An expected answer is often a few words: each of its sentences is judged together with the question.
    """
    arrow = "答：" if language_of(question) == "zh" else "Answer: "
    claims = [f"{' '.join(question.split())} {arrow}{sentence}" for sentence in sentences(expected)]
    if claims and not contexts:
        return share(tuple(Verdict(claim, False) for claim in claims))
    return supported(asker, claims, contexts)
