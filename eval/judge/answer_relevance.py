"""Answer relevance: whether the answer is one to this question, and not to another.

    AR = mean over i = 1…n of cos(question, q_i),      q_i: questions that the judge makes from the answer alone

Es et al. (2024), section 3. A true but evasive or padded answer leads to other questions. The cosines are those of the text encoder,
which for multilingual-e5-small lie between about .75 and 1 whatever the texts: compare answers judged with one encoder, and
read differences, not heights.
"""

from __future__ import annotations

import numpy as np

from eval.judge.asker import Asker
from eval.judge.parse import items
from eval.judge.prompts import questions_messages
from eval.judge.score import Score, Verdict
from eval.metrics.answer_text import without_markers
from rag.protocols import TextEncoder

QUESTIONS = 3


def answer_relevance(
    asker: Asker, question: str, answer: str, encoder: TextEncoder, *, count: int = QUESTIONS
) -> Score:
    """In [-1, 1]; None without an answer, or where the judge makes no question. `verdicts` holds the questions it made.

    Raises GeneratorUnavailable, EncoderUnavailable.
    """
    answer = without_markers(answer).strip()
    if not answer:
        return Score(None)
    made = items(asker.ask(questions_messages(answer, count), asker.list_tokens))[:count]
    if not made:
        return Score(None, (Verdict(answer, None),))
    vectors = np.asarray(encoder.encode_queries([question, *made]), dtype=np.float64)
    return Score(float((vectors[1:] @ vectors[0]).mean()), tuple(Verdict(one, True) for one in made))
