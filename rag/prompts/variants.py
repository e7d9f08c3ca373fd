"""Prompts by which a generator helps the search: other wordings of a question, its parts, a passage that could answer it.

A line of the reply is one item, so that a small model that numbers its lines or talks before them is still understood.
"""

from __future__ import annotations

from typing import Literal

from rag.prompts.fencing import defuse
from rag.prompts.templates import BUILT_IN, Prompts
from rag.protocols import Message

Kind = Literal["paraphrases", "parts", "passage"]


def variant_messages(
    kind: Kind, question: str, language: str, count: int, prompts: Prompts = BUILT_IN
) -> tuple[Message, ...]:
    user = prompts.text(language, "variants.user", question=defuse(" ".join(question.split())))
    return (Message("system", prompts.text(language, f"variants.{kind}", count=count)), Message("user", user))
