"""What each stage saw of a wrong question, to be read by a person: its first passages, and where the gold one stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.failures.carries import has_numbers, literally
from eval.failures.gold import Gold
from rag.words import sentence_spans

SHOWN = 3
TEXT = 160
"""Characters of a passage that are shown."""
GOLD_TEXT = 400


@dataclass(frozen=True, slots=True)
class Look:
    """A chunk by the name of its document, its pages and its text."""

    document: str
    pages: tuple[int, ...]
    text: str
    kind: str = "text"


def what_was_seen(
    stages: Mapping[str, Sequence[str]],
    looks: Mapping[str, Look],
    gold: Gold,
    answer: Mapping[str, Any] | None,
    words: Sequence[str] = (),
) -> dict[str, Any]:
    """`{"gold": [passage], "stages": {name: {"size", "gold": rank, "top": [passage]}}, "answer"}`; a passage is `{"chunk_id",
    "document", "pages", "text", "gold"}`. Of a gold passage the text begins shortly before the expected `words`, where they stand there."""
    ids = frozenset(gold.chunks)
    shown = {
        name: {
            "size": len(ranking),
            "gold": next((place for place, chunk in enumerate(ranking, 1) if chunk in ids), None),
            "top": [_passage(chunk, looks, ids, TEXT) for chunk in ranking[:SHOWN]],
        }
        for name, ranking in stages.items()
    }
    first = sorted(ids, key=lambda chunk: _best_rank(chunk, stages))[:SHOWN]
    seen: dict[str, Any] = {"gold": [_passage(chunk, looks, ids, GOLD_TEXT, words) for chunk in first], "stages": shown}
    return seen | ({"answer": dict(answer)} if answer is not None else {})


def _best_rank(chunk: str, stages: Mapping[str, Sequence[str]]) -> tuple[int, str]:
    ranks = [list(ranking).index(chunk) for ranking in stages.values() if chunk in ranking]
    return (min(ranks, default=1_000_000), chunk)


def _passage(
    chunk: str, looks: Mapping[str, Look], gold: frozenset[str], length: int, words: Sequence[str] = ()
) -> dict[str, Any]:
    look = looks.get(chunk)
    shown: dict[str, Any] = {"chunk_id": chunk, "gold": chunk in gold}
    if look is not None:
        text = clip(_from(look.text, words), length)
        shown |= {"document": look.document, "pages": list(look.pages), "kind": look.kind, "text": text}
    return shown


def _from(text: str, words: Sequence[str]) -> str:
    """The text from the sentence before the first one that has an expected answer, or one of its numbers."""
    spans = sentence_spans(text)
    for says in (literally, has_numbers):
        for place, (start, end) in enumerate(spans):
            if any(says(word, text[start:end]) for word in words):
                begin = spans[max(0, place - 1)][0]
                return text if begin == spans[0][0] else f"… {text[begin:]}"
    return text


def clip(text: str, length: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= length else one_line[: length - 1] + "…"
