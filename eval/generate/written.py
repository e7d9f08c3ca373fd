"""Questions that a generator writes, and the round trip through it: asked again about the passage, it must give the same answer.

The round trip is the idea of Alberti et al. 2019 (“Synthetic QA Corpora Generation with Roundtrip Consistency”).
"""

from __future__ import annotations

import re

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.parsing import read_pair
from eval.generate.prompts import question_messages
from eval.generate.wording import length, recall
from eval.metrics.answer_recall import answer_recall
from eval.metrics.token_f1 import token_f1
from rag.answers import Hit, Passage
from rag.documents import Chunk, DocumentRef
from rag.errors import BadRequest
from rag.prompts import build_messages
from rag.protocols import GenerationRequest, Generator, Message, Sampling
from rag.words import normalise, sentence_spans, words

WRITING = Sampling(max_tokens=120)
ANSWERING = Sampling(max_tokens=80)
AGREES = 0.5
"""Token F1 of the two answers, or share of the proposed answer's words in the second one, from which they agree."""


def write(generator: Generator, passage: SourcePassage) -> Candidate | None:
    """One question about a passage; None where the generator wrote none, or its answer is nowhere in the passage."""
    said = _say(generator, "", passage, question_messages(passage), WRITING)
    pair = read_pair(said)
    if pair is None:
        return None
    question, answer = pair
    span = evidence(answer, question, passage.text)
    if span is None:
        return None
    return Candidate(question, answer, "fact", passage, span, written_by=generator.name)


def comes_back(generator: Generator, candidate: Candidate) -> bool:
    """Whether the generator answers the question from its passage with the same answer. An extractive generator answers with
    sentences: the answer's words must be in them."""
    passage = candidate.passage
    prompt = build_messages(candidate.question, passage.language, [_given(passage)])
    answer = _say(generator, candidate.question, passage, prompt, ANSWERING)
    answer = re.sub(r"\[\d+\]", "", answer)
    if not answer.strip():
        return False
    both = [candidate.answer]
    return token_f1(answer, both) >= AGREES or answer_recall(answer, both) >= AGREES


def evidence(answer: str, question: str, text: str) -> tuple[int, int] | None:
    """The sentence (or the line of a table) that says the answer, with most of the question's words; as characters of `text`."""
    best: tuple[float, tuple[int, int]] | None = None
    wanted = normalise(answer).strip(" .。")
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        if not words(sentence):
            continue
        whole = wanted in normalise(sentence)
        held = recall(answer, sentence)
        if not whole and held < 0.6:
            continue
        score = (2.0 if whole else held) + recall(question, sentence)
        if best is None or score > best[0]:
            best = (score, (start, end))
    if best is not None:
        return best[1]
    # An answer that was put together from two neighbouring sentences.
    at = normalise(text).find(wanted)
    return (at, at + len(wanted)) if at >= 0 and len(normalise(text)) == len(text) and length(answer) else None


def _say(
    generator: Generator, question: str, passage: SourcePassage, messages: tuple[Message, ...], sampling: Sampling
) -> str:
    request = GenerationRequest(question, passage.language, (_given(passage),), (), messages, sampling)
    try:
        return "".join(piece for piece in generator.stream(request) if isinstance(piece, str))
    except BadRequest:
        return ""  # longer than this generator's context: another passage will do


def _given(passage: SourcePassage) -> Passage:
    """The passage as the generators know it."""
    chunk = Chunk(
        id=passage.id,
        document_id=passage.document,
        ordinal=0,
        kind="table" if passage.kind == "table" else "text",
        text=passage.text,
        headings=passage.headings,
        page=passage.page,
        language=passage.language,
    )
    document = DocumentRef(passage.document, passage.document, "", "")
    return Passage(1, Hit(chunk, document, 1.0), passage.text)
