"""Prompts that are answered with yes or no: whether a passage answers a question, and whether it carries a claim.

The question stands before the passage: what is the same for every candidate comes first, so that a server that keeps the state of
a prefix (vLLM, llama.cpp) reads it once. A claim stands behind its passage, of which several claims are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from rag.prompts.fencing import defuse
from rag.prompts.templates import BUILT_IN, Prompts
from rag.protocols import Message

YES = frozenset({"yes", "y", "true", "是", "对", "能", "可以", "是的"})
NO = frozenset({"no", "n", "not", "false", "否", "不", "不能", "不是", "没有"})
"""Tokens that mean either, compared without case, spaces and the mark of a word's beginning."""


def relevance_messages(question: str, passage: str, language: str, prompts: Prompts = BUILT_IN) -> tuple[Message, ...]:
    return _asked("relevance", language, prompts, question=" ".join(question.split()), passage=passage.strip())


def verification_messages(claim: str, passage: str, language: str, prompts: Prompts = BUILT_IN) -> tuple[Message, ...]:
    return _asked("verification", language, prompts, claim=" ".join(claim.split()), passage=passage.strip())


def _asked(name: str, language: str, prompts: Prompts, **values: str) -> tuple[Message, ...]:
    user = prompts.text(language, f"{name}.user", **{key: defuse(text) for key, text in values.items()})
    return (Message("system", prompts.text(language, f"{name}.system")), Message("user", user))


def yes_share(likely: Mapping[str, float]) -> float:
    """P(yes) / (P(yes) + P(no)) of natural logarithms by token; a word that is not among the likeliest has the least of them."""
    least = exp(min(likely.values(), default=0.0))
    shares = [sum(exp(value) for token, value in likely.items() if _plain(token) in words) for words in (YES, NO)]
    yes, no = (share or least for share in shares)
    return yes / (yes + no)


def _plain(token: str) -> str:
    return token.strip(" \n\t▁Ġ.,:。，：'\"").casefold()
