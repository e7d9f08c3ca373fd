"""Context precision: whether the useful passages stand before the useless ones.

    CP = Σ over ranks k of P@k · v_k / Σ over k of v_k,      v_k = 1 if passage k is useful for the expected answer, else 0

Average precision over the passages found, as Ragas defines it. A passage about which the judge cannot be understood counts
as useless.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.judge.asker import Asker
from eval.judge.parse import verdict
from eval.judge.prompts import useful_messages
from eval.judge.score import Score, Verdict


def context_precision(asker: Asker, question: str, expected: str, contexts: Sequence[str]) -> Score:
    """0 where no passage is useful; None without a passage or an expected answer. Raises GeneratorUnavailable."""
    if not expected.strip():
        return Score(None)
    bare = useful_messages(question, expected, [])
    verdicts = []
    for context in contexts:
        kept = asker.fitting([context], bare, asker.verdict_tokens)
        said = asker.ask(useful_messages(question, expected, kept), asker.verdict_tokens)
        verdicts.append(Verdict(context, verdict(said)))
    if all(one.said is None for one in verdicts):
        return Score(None, tuple(verdicts))
    return Score(precision_of([bool(one.said) for one in verdicts]), tuple(verdicts))


def precision_of(useful: Sequence[bool]) -> float:
    """The formula above."""
    found, total = 0, 0.0
    for rank, one in enumerate(useful, 1):
        if one:
            found += 1
            total += found / rank
    return total / found if found else 0.0
