"""A question searched for in more ways than one, with a generator's help.

- `paraphrases`: the question in other words (RAG-Fusion: Rackauckas 2024, arXiv:2402.03367).
- `parts`: the questions that a multi-hop question is made of (Press et al. 2023, arXiv:2210.03350).
- `passage`: a passage that could answer it, for the vectors only (HyDE: Gao et al. 2023, arXiv:2212.10496).

Questions are asked for as JSON where the server can hold the model to a schema, and read from lines where it cannot. Every step may fail: a generator that cannot be reached, or that writes nothing of use, leaves the question alone; the one that cannot be reached is not asked for the next kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import GeneratorUnavailable
from rag.language import language_of
from rag.prompts import BUILT_IN, Kind, Prompts, variant_messages
from rag.protocols import GenerationRequest, Generator, Sampling
from rag.retrieval.fuse import Fused
from rag.structured import read_texts, texts_schema
from rag.words import content_words

LONGEST_LINE = 300
LISTED = "questions"
"""The name of the list in JSON."""
_LEAD = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)、:：]|(?:question|问题)\s*\d*\s*[:：])\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Variants:
    """Further questions, each searched like the question itself, and passages whose vectors join the question's."""

    questions: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    failed: GeneratorUnavailable | None = None
    """Why there are not more."""
    plainer: str = ""
    """The first of the questions, where it is the question without what it excludes (rag/retrieval/exclusion.py)."""

    def __bool__(self) -> bool:
        return bool(self.questions or self.passages)


def make_variants(
    question: str, generator: Generator, kinds: Sequence[Kind], count: int = 3, prompts: Prompts = BUILT_IN
) -> Variants:
    """What the generator makes of the question: up to `count` further questions of each kind, and one passage."""
    questions: list[str] = []
    passages: list[str] = []
    failed: GeneratorUnavailable | None = None
    for kind in kinds:
        try:
            written = _written(kind, question, generator, count, prompts)
        except GeneratorUnavailable as error:
            failed = error
            break
        if kind == "passage":
            passages += [" ".join(written.split())] if content_words(written) else []
        else:
            questions += _lines(written, question)[:count]
    different = {_key(line): line for line in reversed(questions) if _key(line) != _key(question)}
    return Variants(tuple(reversed(different.values())), tuple(passages), failed)


def average(first: Sequence[Fused], others: Sequence[Sequence[Fused]]) -> list[Fused]:
    """Half of each score from the question itself, half from the mean over its variants, so that a strange variant can add a
    passage and not drive out a good one. Best first, equal scores by id. Ranks are those of the first that found it."""
    if not others:
        return list(first)
    scores: dict[str, float] = {candidate.chunk_id: candidate.score / 2 for candidate in first}
    ranks = {candidate.chunk_id: candidate.ranks for candidate in first}
    for fused in others:
        for candidate in fused:
            scores[candidate.chunk_id] = scores.get(candidate.chunk_id, 0.0) + candidate.score / (2 * len(others))
            ranks.setdefault(candidate.chunk_id, candidate.ranks)
    made = (Fused(chunk_id, score, ranks[chunk_id]) for chunk_id, score in scores.items())
    return sorted(made, key=lambda candidate: (-candidate.score, candidate.chunk_id))


def _written(kind: Kind, question: str, generator: Generator, count: int, prompts: Prompts) -> str:
    language = language_of(question)
    request = GenerationRequest(
        question=question,
        language=language,
        passages=(),
        turns=(),
        messages=variant_messages(kind, question, language, count, prompts),
        sampling=Sampling(temperature=0.0, max_tokens=120 if kind == "passage" else 40 * count),
        schema=None if kind == "passage" else texts_schema(LISTED, count),
    )
    return "".join(piece for piece in generator.stream(request) if isinstance(piece, str))


def _lines(written: str, question: str) -> list[str]:
    """What could be questions, of a list or of lines: of the question's language, of its length, with a word of content."""
    found = []
    listed = read_texts(written, LISTED)
    for line in written.splitlines() if listed is None else listed:
        text = _LEAD.sub("", line).strip("\"'“”「」 ")
        if text and len(text) <= LONGEST_LINE and content_words(text) and language_of(text) == language_of(question):
            if text.endswith((":", "：")) or text.startswith(("{", "[", "```")):
                continue
            found.append(text)
    return found


def _key(text: str) -> tuple[str, ...]:
    return tuple(content_words(text))
