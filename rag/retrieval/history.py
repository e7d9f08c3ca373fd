"""A conversation of any length as the few turns that a follow-up question is read with.

The last exchanges go along as they were; what came before is one line, its summary. A generator writes it where that is wanted, one
exchange after the other, so that each is read once; otherwise it names the questions, which costs nothing and is what a follow-up
mostly leans on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answers import Turn
from rag.errors import GeneratorUnavailable
from rag.language import language_of
from rag.prompts import (
    BUILT_IN,
    TURN_CHARACTERS,
    Prompts,
    asked_before,
    condense_messages,
    prompt_tokens,
    summary_messages,
)
from rag.protocols import GenerationRequest, Generator, Sampling

RECENT = 2
"""Exchanges that go along as they were."""
SUMMARY_CHARACTERS = TURN_CHARACTERS
SUMMARY_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, as it stands alone where that is known, and its answer; empty where none came."""

    question: str
    answer: str = ""


def older(exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
    """Those that the summary has to stand for."""
    return exchanges[:-RECENT] if len(exchanges) > RECENT else ()


def summarise(
    exchanges: Sequence[Exchange],
    previous: str = "",
    generator: Generator | None = None,
    prompts: Prompts = BUILT_IN,
) -> str:
    """A line of at most `SUMMARY_CHARACTERS` for all of `older(exchanges)`. `previous` is what was written when the conversation was one
    exchange shorter; a generator that cannot write, or does not answer, is done without."""
    gone = older(exchanges)
    if not gone:
        return ""
    if generator is not None:
        written = _written(gone[-1:] if previous else gone, previous, generator, prompts)
        if written:
            return written
    language = language_of(gone[-1].question)
    return asked_before([exchange.question for exchange in gone], language, SUMMARY_CHARACTERS, prompts)


def fold(
    question: str,
    exchanges: Sequence[Exchange],
    summary: str,
    count_tokens: Callable[[str], int],
    budget: int,
    prompts: Prompts = BUILT_IN,
) -> tuple[Turn, ...]:
    """The turns to read the question with, oldest first: the summary, then the last exchanges. The prompt that makes the question stand
    alone has `budget` tokens at most, for which the oldest of them are left out, the summary last."""
    recent = [
        turn
        for exchange in exchanges[-RECENT:]
        for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer))
    ]
    turns = [turn for turn in recent if turn.content.strip()]
    first = [Turn("assistant", summary)] if summary else []
    language = language_of(question)
    while turns or first:
        if prompt_tokens(condense_messages(question, language, (*first, *turns), prompts), count_tokens) <= budget:
            break
        (turns or first).pop(0)
    return (*first, *turns)


def _written(exchanges: Sequence[Exchange], previous: str, generator: Generator, prompts: Prompts) -> str:
    language = language_of(exchanges[-1].question)
    shown = [(_short(exchange.question), _short(exchange.answer)) for exchange in exchanges]
    messages = summary_messages(shown, previous, language, prompts)
    while (
        len(shown) > 1 and prompt_tokens(messages, generator.count_tokens) > generator.context_tokens - SUMMARY_TOKENS
    ):
        shown.pop(0)
        messages = summary_messages(shown, previous, language, prompts)
    request = GenerationRequest(
        question=exchanges[-1].question,
        language=language,
        passages=(),
        turns=(),
        messages=messages,
        sampling=Sampling(temperature=0.0, max_tokens=SUMMARY_TOKENS),
    )
    try:
        text = " ".join("".join(piece for piece in generator.stream(request) if isinstance(piece, str)).split())
    except GeneratorUnavailable:
        return ""
    plausible = bool(text) and language_of(text) == language
    return text[:SUMMARY_CHARACTERS] if plausible else ""


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= TURN_CHARACTERS else flat[: TURN_CHARACTERS - 1] + "…"
