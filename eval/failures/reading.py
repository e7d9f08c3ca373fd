"""What the generator really got of a gold passage: passages are cut to a budget, and widened by their neighbours.

A chunk's id in the prompt says neither that the words that answer are there nor, when it is missing, that they are not. So the lines and
sentences of the gold passage that answer the question are looked for in the prompt itself, where the system tells it.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.failures.carries import flat, literally
from eval.failures.gold import Gold
from rag.words import sentence_spans

PART = 4
"""Words from which a text counts as a part of a sentence."""


def telling_sentences(gold: Gold, words: Sequence[str]) -> list[str]:
    """Sentences and table rows of the gold passages that have the answer, or the quote, word for word, each as `flat` text."""
    found: list[str] = []
    for _, chunk in gold.chunks.values():
        for start, end in sentence_spans(chunk.text):
            sentence = chunk.text[start:end]
            if any(literally(one, sentence) for one in words):
                found.append(flat(sentence))
    return found


def in_text(telling: Sequence[str], text: str) -> bool:
    """Whether one of them stands in the text, or the text is a good part of one."""
    told = flat(text)
    part = len(told.split()) >= PART
    return any(sentence in told or (part and told in sentence) for sentence in telling)
