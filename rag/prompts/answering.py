"""The prompts of an answer: the answer itself, a firmer second one, and the question made to stand alone.

The order is fixed: instructions, examples, passages, earlier turns, today's date, question. What stays the same between two requests stands first, so that a
server which keeps the state of a prefix (vLLM, llama.cpp) reads only what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from rag.answers import Passage, Turn
from rag.prompts.examples import Example, example_messages
from rag.prompts.fencing import defuse, render_passage, render_turns
from rag.prompts.templates import BUILT_IN, Prompts
from rag.prompts.today import today_line
from rag.protocols import LabelledImage, Message

MESSAGE_TOKENS = 8
"""Tokens that a chat template puts around one message, and a few to spare: ChatML needs 5, Llama 3 needs 6."""


def build_messages(
    question: str,
    language: str,
    passages: Sequence[Passage],
    turns: Sequence[Turn] = (),
    prompts: Prompts = BUILT_IN,
    images: Sequence[LabelledImage] = (),
    examples: Sequence[Example] = (),
    today: date | None = None,
) -> tuple[Message, ...]:
    """The prompt for an answer. `question` should stand alone (see rag/retrieval/rewrite.py). `images` stand before the passages,
    `examples` before both, behind the instructions. `today` is told to a question that is meant from it."""
    parts = [render_passage(passage, language, prompts) for passage in passages]
    if turns:
        parts.append(f"{prompts.text(language, 'answer.earlier')}\n{render_turns(turns, language, prompts)}")
    if today is not None:
        parts.append(today_line(today, language, prompts))
    parts.append(prompts.text(language, "answer.question", question=defuse(" ".join(question.split()))))
    system = prompts.text(language, "answer.system")
    shown = example_messages(examples, prompts)
    return (Message("system", system), *shown, Message("user", "\n\n".join(parts), tuple(images)))


def self_check_messages(
    messages: Sequence[Message], question: str, language: str, prompts: Prompts = BUILT_IN
) -> tuple[Message, ...]:
    """The prompt that asks whether the passages of an answer's prompt hold the answer: the same up to the question."""
    *before, last = messages
    flat = defuse(" ".join(question.split()))
    own = prompts.text(language, "answer.question", question=flat)
    asked = prompts.text(language, "self_check.user", question=flat)
    return (*before, replace(last, content=last.content.removesuffix(own) + asked))


def firmer(
    messages: Sequence[Message], illness: str, language: str, prompts: Prompts = BUILT_IN
) -> tuple[Message, ...]:
    """The prompt with what its first answer was lacking said at the end, where small models heed it most."""
    *before, last = messages
    added = prompts.text(language, f"again.{illness.replace(' ', '_')}")
    return (*before, replace(last, content=f"{last.content}\n{added}"))


def condense_messages(
    question: str, language: str, turns: Sequence[Turn], prompts: Prompts = BUILT_IN
) -> tuple[Message, ...]:
    """The prompt that makes a follow-up question stand alone."""
    shown = render_turns(turns, language, prompts)
    user = prompts.text(language, "standalone.user", turns=shown, question=defuse(question))
    return (Message("system", prompts.text(language, "standalone.system")), Message("user", user))


def prompt_tokens(messages: Sequence[Message], count_tokens: Callable[[str], int]) -> int:
    """Tokens of a whole prompt, the chat template's included."""
    return sum(count_tokens(message.content) + MESSAGE_TOKENS for message in messages) + MESSAGE_TOKENS
