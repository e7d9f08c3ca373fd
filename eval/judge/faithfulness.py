"""Faithfulness: the share of an answer's statements that follow from the passages it was made from.

    F = |statements that the passages support| / |statements|

Es et al. (2024), section 3. It needs no expected answer, and says nothing about whether the passages were the right ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.judge.asker import Asker
from eval.judge.parse import verdict
from eval.judge.prompts import supported_messages
from eval.judge.score import Score, Verdict, share
from eval.judge.statements import Split, statements


def faithfulness(asker: Asker, question: str, answer: str, contexts: Sequence[str], *, split: Split = "model") -> Score:
    """None without an answer, 0 without a passage. Raises GeneratorUnavailable."""
    claims = statements(asker, question, answer, split)
    if claims and not contexts:
        return share(tuple(Verdict(claim, False) for claim in claims))
    return supported(asker, claims, contexts)


def supported(asker: Asker, claims: Sequence[str], contexts: Sequence[str]) -> Score:
    """Share of the claims that all passages together support."""
    longest = max(claims, key=len, default="")
    kept = asker.fitting(contexts, supported_messages(longest, []), asker.verdict_tokens)
    found = tuple(
        Verdict(claim, verdict(asker.ask(supported_messages(claim, kept), asker.verdict_tokens))) for claim in claims
    )
    return share(found, len(contexts) - len(kept))
