"""All that a judge says of one answer."""

from __future__ import annotations

from collections.abc import Sequence

from eval.judge.answer_relevance import answer_relevance
from eval.judge.asker import Asker
from eval.judge.context_precision import context_precision
from eval.judge.context_recall import context_recall
from eval.judge.faithfulness import faithfulness
from eval.judge.score import Score
from eval.judge.statements import Split
from rag.protocols import TextEncoder


def judge_answer(
    asker: Asker,
    question: str,
    answer: str,
    contexts: Sequence[str],
    *,
    expected: str = "",
    encoder: TextEncoder | None = None,
    split: Split = "model",
) -> dict[str, Score]:
    """`faithfulness`, with an encoder `answer_relevance`, with an expected answer `context_precision` and `context_recall`.

    An abstention is no answer to judge: leave it to `eval.metrics.abstention`. Raises GeneratorUnavailable, EncoderUnavailable.
    """
    found = {"faithfulness": faithfulness(asker, question, answer, contexts, split=split)}
    if encoder is not None:
        found["answer_relevance"] = answer_relevance(asker, question, answer, encoder)
    if expected.strip():
        found["context_precision"] = context_precision(asker, question, expected, contexts)
        found["context_recall"] = context_recall(asker, question, expected, contexts)
    return found
