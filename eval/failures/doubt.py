"""Doubtful labels: a passage that nobody judged carries the expected answer."""

from __future__ import annotations

from typing import Any

from eval.datasets.model import Question
from eval.failures.carries import carries, flat, literally, word_share
from eval.failures.evidence import TEXT, clip
from eval.failures.gold import Gold
from eval.failures.rule import Rule
from eval.system import Found, Given

SAME_QUESTION = 0.5
"""Share of the question's words that a passage must have that has the answer as a single word, or not word for word: `Five` stands in many places."""


def doubt(question: Question, gold: Gold, found: Found, given: Given | None, rule: Rule) -> dict[str, Any] | None:
    """`{"why", "passage": {"chunk_id", "document", "pages", "text"}}` for the first such passage among those that were read."""
    if gold.state in ("unanswerable", "unjudged"):
        return None
    hits = given.context if given is not None and given.context else found.hits
    for hit in hits[: rule.read]:
        if hit.chunk_id in gold.labelled or hit.chunk_id in gold.chunks:
            continue
        answer = next((one for one in question.answers if _says(one, question.text, hit.text)), None)
        if answer is not None:
            where = hit.document + (f", page {hit.pages[0]}" if hit.pages else "")
            passage = {
                "chunk_id": hit.chunk_id,
                "document": hit.document,
                "pages": list(hit.pages),
                "text": clip(hit.text, TEXT),
            }
            return {"why": f"“{answer}” also stands in {where}, which is not judged", "passage": passage}
    return None


def _says(answer: str, question: str, text: str) -> bool:
    if literally(answer, text) and len(flat(answer).split()) > 1:
        return True
    return carries(answer, text) and word_share(question, text) >= SAME_QUESTION
