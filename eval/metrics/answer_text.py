"""How an answer's text is read before it is compared: the SQuAD normalisation, made fit for Chinese.

Rajpurkar et al., "SQuAD: 100,000+ Questions" (2016): lower case, no punctuation, no English articles, single spaces.
Here also Unicode NFKC (full-width letters and figures), and Chinese cut into words (`rag.words`), because a Chinese
answer is one long "word" to a measure that splits at spaces. Citation markers `[1]` are no part of an answer.
"""

from __future__ import annotations

import re

from rag.words import words

_MARKER = re.compile(r"\[\d+(?:\s*[,，、]\s*\d+)*\]")
_ARTICLES = frozenset({"a", "an", "the"})


def without_markers(text: str) -> str:
    return _MARKER.sub(" ", text)


def answer_words(text: str) -> list[str]:
    """Words in order, without articles and citation markers."""
    return [word for word in words(without_markers(text)) if word not in _ARTICLES]
