"""What is said to people instead of an answer, or beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.answers import Hit
from rag.prompts.fencing import source_line
from rag.prompts.templates import BUILT_IN, Prompts

WORDS = 8
"""Of a question, that are told as looked for: of a long one all would be no help."""
_NAME = re.compile(r"(?<!^)\b(?:[A-Z][\w-]*|\w*\d[\w-]*)")


def abstention(
    question: str, language: str, hits: Sequence[Hit], looked_for: Sequence[str], prompts: Prompts = BUILT_IN
) -> str:
    """What is said instead of an answer: what was looked for, and where the nearest passages are."""
    comma, semicolon, space = ("、", "；", "") if language == "zh" else (", ", "; ", " ")
    parts = [prompts.text(language, "shown.abstain", question=" ".join(question.split()))]
    named = comma.join(_telling(question, looked_for)) or question
    nearest = list(dict.fromkeys(source_line(hit, language, prompts) for hit in hits))[:3]
    if nearest:
        parts.append(prompts.text(language, "shown.nearest", words=named, sources=semicolon.join(nearest)))
    else:
        parts.append(prompts.text(language, "shown.empty", words=named))
    return space.join(parts)


def _telling(question: str, words: Sequence[str]) -> list[str]:
    """At most WORDS of them, in their order: names and numbers before the others, which are dropped from the shortest on."""
    own = list(dict.fromkeys(words))
    named = {name.casefold() for name in _NAME.findall(question)}
    by_weight = sorted(own, key=lambda word: (word not in named, -len(word), own.index(word)))
    kept = set(by_weight[:WORDS])
    return [word for word in own if word in kept] + ["…"] * (len(own) > WORDS)


def spelling_notes(changed: Mapping[str, str], language: str, prompts: Prompts = BUILT_IN) -> tuple[str, ...]:
    """What is said of the words that were read as others, by what was written."""
    return tuple(
        prompts.text(language, "shown.read_as", written=written, read=read) for written, read in changed.items()
    )
