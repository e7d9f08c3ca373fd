"""What an answer claims, one statement at a time."""

from __future__ import annotations

from typing import Literal

from eval.judge.asker import Asker
from eval.judge.parse import items
from eval.judge.prompts import statements_messages
from eval.metrics.answer_text import without_markers
from rag.words import content_words, sentences

Split = Literal["model", "sentences"]
"""By the judge, as Ragas does, or at the ends of sentences, which costs nothing and is safer with a small model."""


def statements(asker: Asker, question: str, answer: str, split: Split) -> list[str]:
    """Empty for an empty answer. What the judge added without a word of the answer is dropped; where nothing is left, the answer's
    sentences are taken. Raises GeneratorUnavailable."""
    answer = without_markers(answer).strip()
    own = sentences(answer)
    if split == "sentences" or not own:
        return own
    said = set(content_words(answer))
    listed = items(asker.ask(statements_messages(question, answer), asker.list_tokens))
    return [one for one in listed if said.intersection(content_words(one))] or own
