"""What a generator is asked for, and what is said without one, when a long conversation has to fit into few tokens."""

from __future__ import annotations

from collections.abc import Sequence

from rag.prompts.fencing import defuse
from rag.prompts.templates import BUILT_IN, Prompts
from rag.protocols import Message


def summary_messages(
    exchanges: Sequence[tuple[str, str]], previous: str, language: str, prompts: Prompts = BUILT_IN
) -> tuple[Message, ...]:
    """The prompt that adds exchanges (question and answer, oldest first) to what is remembered."""
    told = "\n".join(
        prompts.text(language, "summary.exchange", question=defuse(q), answer=defuse(a)) for q, a in exchanges
    )
    parts = [prompts.text(language, "summary.before", summary=defuse(previous))] if previous else []
    parts += [f"<<<\n{told}\n>>>", prompts.text(language, "summary.ask")]
    return (Message("system", prompts.text(language, "summary.system")), Message("user", "\n".join(parts)))


def asked_before(questions: Sequence[str], language: str, characters: int, prompts: Prompts = BUILT_IN) -> str:
    """The questions as one line of at most `characters`: the first, which says what it is about, and the last that fit."""
    flat = [" ".join(question.split()) for question in questions]
    comma = prompts.text(language, "summary.comma")

    def line(shown: Sequence[str]) -> str:
        return prompts.text(language, "summary.asked", questions=comma.join(shown))

    for kept in range(len(flat), 0, -1):
        shown = flat if kept == len(flat) else [flat[0], "…", *flat[len(flat) - kept + 1 :]]
        if len(line(shown)) <= characters:
            return line(shown)
    return line(flat[:1])[:characters] if flat else ""
